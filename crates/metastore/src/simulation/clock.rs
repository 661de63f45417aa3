use std::sync::atomic::{AtomicI64, Ordering};

use custos_core::Timestamp;
use custos_ports::Clock;
use tokio::time::Instant;

/// Where every wall clock stands when a run begins: in November 2023.
const BEGIN_MS: i64 = 1_700_000_000_000;

/// A node's wall clock: virtual time, and as wrong as it was made.
#[derive(Debug)]
pub(crate) struct SimClock {
    started: Instant,
    offset_ms: AtomicI64,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), offset_ms: AtomicI64::new(0) }
    }

    pub(crate) fn jump_to(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).expect("a short run");
        Timestamp::from_millis(BEGIN_MS + elapsed + self.offset_ms.load(Ordering::Relaxed))
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.read()
    }
}
