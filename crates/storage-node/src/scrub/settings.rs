/// How a disk is scrubbed. It can be changed while the node runs; after a restart the
/// configuration counts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubSettings {
    /// Pace in bytes of payload per second, at least 1. 32 MiB by default.
    pub bytes_per_second: u64,
    /// A pass begins this many days after the one before began, at least 1. 30 by default.
    pub period_days: u32,
    /// It stands still.
    pub paused: bool,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self { bytes_per_second: 32 << 20, period_days: 30, paused: false }
    }
}

/// What is to be changed of [`ScrubSettings`]; what is absent stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubChange {
    /// Pace in bytes of payload per second, at least 1.
    pub bytes_per_second: Option<u64>,
    /// Days from the beginning of a pass to the next, at least 1.
    pub period_days: Option<u32>,
    /// Whether it stands still.
    pub paused: Option<bool>,
    /// Whether a new pass begins at once.
    pub start: bool,
}

impl ScrubSettings {
    /// With what `change` names.
    #[must_use]
    pub fn changed(self, change: ScrubChange) -> Self {
        Self {
            bytes_per_second: change.bytes_per_second.unwrap_or(self.bytes_per_second).max(1),
            period_days: change.period_days.unwrap_or(self.period_days).max(1),
            paused: change.paused.unwrap_or(self.paused),
        }
    }
}
