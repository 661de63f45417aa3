use tokio::time::Instant;

use crate::limits::{RECONNECT_PAUSE_MAX, RECONNECT_PAUSE_MIN};

/// When the next connection may be tried: after each failure in a row the pause doubles. Until
/// then calls fail at once, and all who waited for one attempt share its failure.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    last: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    again_at: Instant,
    reason: String,
}

impl Backoff {
    /// Why no connection is tried now, if so.
    pub(super) fn closed(&self, now: Instant) -> Option<&str> {
        self.last.as_ref().filter(|last| now < last.again_at).map(|last| last.reason.as_str())
    }

    pub(super) fn failed(&mut self, now: Instant, reason: String) {
        let doubled = RECONNECT_PAUSE_MIN.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let again_at = now + doubled.min(RECONNECT_PAUSE_MAX);
        self.last = Some(Failure { again_at, reason });
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_end_with_a_success() {
        let mut now = Instant::now();
        let mut backoff = Backoff::default();
        let mut pauses = Vec::new();
        for _ in 0..100 {
            assert_eq!(backoff.closed(now), None);
            backoff.failed(now, "refused".to_owned());
            assert_eq!(backoff.closed(now), Some("refused"));
            let pause = (1..)
                .map(Duration::from_millis)
                .find(|pause| backoff.closed(now + *pause).is_none());
            pauses.push(pause.expect("it ends"));
            now += pauses[pauses.len() - 1];
        }
        assert_eq!(pauses[0], RECONNECT_PAUSE_MIN);
        assert_eq!(pauses[1], RECONNECT_PAUSE_MIN * 2);
        assert_eq!(pauses[99], RECONNECT_PAUSE_MAX);
        backoff.succeeded();
        backoff.failed(now, "refused".to_owned());
        assert_eq!(backoff.closed(now + RECONNECT_PAUSE_MIN), None);
    }
}
