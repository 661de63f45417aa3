use std::{
    fmt,
    hash::{DefaultHasher, Hasher},
    io::Write,
};

use parking_lot::Mutex;
use tokio::time::Instant;

/// How much of a run is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Its hash alone.
    Hash,
    /// Every line.
    Lines,
}

/// Everything that happened in a run, in order, with virtual times: two runs of one seed have the
/// same trace to the byte.
pub(crate) struct Trace {
    started: Instant,
    state: Mutex<State>,
}

struct State {
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
    line: Vec<u8>,
}

impl Trace {
    pub(crate) fn new(telling: Telling) -> Self {
        let lines = (telling == Telling::Lines).then(Vec::new);
        let state = State { hasher: DefaultHasher::new(), lines, line: Vec::new() };
        Self { started: Instant::now(), state: Mutex::new(state) }
    }

    pub(crate) fn note(&self, what: fmt::Arguments<'_>) {
        let now = self.started.elapsed();
        let mut state = self.state.lock();
        let State { hasher, lines, line } = &mut *state;
        line.clear();
        write!(line, "{:>9.3} {what}", now.as_secs_f64()).expect("to memory");
        hasher.write(line);
        if let Some(lines) = lines {
            lines.push(String::from_utf8_lossy(line).into_owned());
        }
    }

    /// The hash, and the lines if they were kept.
    pub(crate) fn finish(&self) -> (u64, Vec<String>) {
        let mut state = self.state.lock();
        (state.hasher.finish(), state.lines.take().unwrap_or_default())
    }
}
