use std::{fmt::Display, time::Duration};

use tokio::time::Instant;

/// Time between two lines about the same wait.
const SAY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Tells the log what a start waits for: at once, and then every few seconds.
pub(crate) struct Waiting {
    what: String,
    said: Option<Instant>,
}

impl Waiting {
    pub(crate) fn on(what: impl Into<String>) -> Self {
        Self { what: what.into(), said: None }
    }

    /// It goes on, because of `reason`.
    pub(crate) fn say(&mut self, reason: &dyn Display) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_AGAIN_AFTER) {
            tracing::warn!(%reason, "waiting for {}", self.what);
            self.said = Some(Instant::now());
        }
    }

    /// It is over.
    pub(crate) fn end(self) {
        if self.said.is_some() {
            tracing::info!("waited for {}: it is there", self.what);
        }
    }
}
