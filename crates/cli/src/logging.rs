//! Logs of the client library, on standard error between the progress bars.

use std::io::{self, Write};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::{args::GlobalArgs, progress::Progress};

/// Environment variable with a log filter, the same as that of `custosd`.
const LOG_ENV: &str = "CUSTOS_LOG";

/// Starts logging as `-q` and `-v` ask for, or [`LOG_ENV`] if it is set.
pub(crate) fn start(arguments: &GlobalArgs, progress: &Progress) {
    let by_arguments = match (arguments.quiet, arguments.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "warn,custos=debug",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_env(LOG_ENV).unwrap_or_else(|_| EnvFilter::new(by_arguments));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
        .with_writer(BetweenBars(progress.clone()))
        .init();
}

struct BetweenBars(Progress);

/// Gathers one event and writes it at once.
struct EventWriter {
    progress: Progress,
    event: Vec<u8>,
}

impl<'a> MakeWriter<'a> for BetweenBars {
    type Writer = EventWriter;

    fn make_writer(&'a self) -> EventWriter {
        EventWriter { progress: self.0.clone(), event: Vec::new() }
    }
}

impl Write for EventWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        self.progress.suspend(|| {
            // When standard error is closed there is nobody to tell.
            let _closed = io::stderr().lock().write_all(&self.event);
        });
    }
}
