use std::time::Duration;

use parking_lot::Mutex;

/// Reads that are remembered.
const WINDOW_ITEMS: usize = 256;
/// Reads that must be known before their p95 is believed.
const KNOWN_ITEMS_MIN: usize = 16;

/// The longest pause before a hedge, in multiples of the least.
const HEDGE_AFTER_SPAN: u32 = 10;

/// How long shard reads took lately: tells when to hedge.
pub(crate) struct LatencyWindow {
    hedge_after_min: Duration,
    recent: Mutex<Recent>,
}

struct Recent {
    durations: Vec<Duration>,
    next: usize,
}

impl LatencyWindow {
    pub(crate) fn new(hedge_after_min: Duration) -> Self {
        Self { hedge_after_min, recent: Mutex::new(Recent { durations: Vec::new(), next: 0 }) }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let mut recent = self.recent.lock();
        let at = recent.next;
        if recent.durations.len() < WINDOW_ITEMS {
            recent.durations.push(duration);
        } else {
            recent.durations[at] = duration;
        }
        recent.next = (at + 1) % WINDOW_ITEMS;
    }

    /// When a read that has not answered deserves a second one elsewhere: twice the observed p95,
    /// but no sooner than the configured least, and no later than ten times that, so that a store
    /// that hangs cannot teach everyone to wait for it.
    pub(crate) fn hedge_after(&self) -> Duration {
        let mut sorted = {
            let recent = self.recent.lock();
            if recent.durations.len() < KNOWN_ITEMS_MIN {
                return self.hedge_after_min * 2;
            }
            recent.durations.clone()
        };
        sorted.sort_unstable();
        let p95 = sorted[sorted.len() * 95 / 100];
        (p95 * 2).clamp(self.hedge_after_min, self.hedge_after_min * HEDGE_AFTER_SPAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hedging_follows_the_observed_p95_and_forgets_old_reads() {
        let window = LatencyWindow::new(Duration::from_millis(10));
        assert_eq!(window.hedge_after(), Duration::from_millis(20));
        for _ in 0..WINDOW_ITEMS {
            window.record(Duration::from_millis(30));
        }
        assert_eq!(window.hedge_after(), Duration::from_millis(60));
        for _ in 0..WINDOW_ITEMS {
            window.record(Duration::from_secs(3));
        }
        assert_eq!(window.hedge_after(), Duration::from_millis(100), "no longer than that");
        for _ in 0..WINDOW_ITEMS {
            window.record(Duration::from_millis(1));
        }
        assert_eq!(window.hedge_after(), Duration::from_millis(10));
    }
}
