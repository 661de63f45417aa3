use std::time::Duration;

/// Keeps work to a number of bytes per second. Pure: times are durations since any fixed moment.
///
/// Work is charged when it is done and paid off as time passes, so the pace can change in between,
/// and idle time is not saved up for a burst.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Owed, in bytes times 1000.
    debt: u128,
    settled: Duration,
}

impl Pace {
    /// Pays off at `bytes_per_second` since the last call.
    pub(crate) fn settle(&mut self, now: Duration, bytes_per_second: u64) {
        let passed = now.saturating_sub(self.settled);
        self.settled = now;
        // In units of a byte and a millisecond; below one it is rounded down, so waits end late.
        let paid = passed.as_micros().saturating_mul(u128::from(bytes_per_second)) / 1000;
        self.debt = self.debt.saturating_sub(paid);
    }

    /// Work of so many bytes was done.
    pub(crate) fn charge(&mut self, bytes: u64) {
        self.debt += u128::from(bytes) * 1000;
    }

    /// How long to wait at this pace until the next work may begin.
    pub(crate) fn wait(&self, bytes_per_second: u64) -> Duration {
        let millis = self.debt.div_ceil(u128::from(bytes_per_second.max(1)));
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn work_is_paid_off_at_the_pace_in_force() {
        let mut pace = Pace::default();
        assert_eq!(pace.wait(10), Duration::ZERO);
        pace.charge(1000);
        assert_eq!(pace.wait(100), secs(10));
        pace.settle(secs(4), 100);
        assert_eq!(pace.wait(100), secs(6));
        // Quicker from now on: the rest of the wait shrinks.
        assert_eq!(pace.wait(600), secs(1));
        pace.settle(secs(5), 600);
        assert_eq!(pace.wait(600), Duration::ZERO);
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut pace = Pace::default();
        pace.settle(secs(1000), 100);
        pace.charge(200);
        assert_eq!(pace.wait(100), secs(2));
    }

    #[test]
    fn absurd_amounts_wait_long_and_do_not_overflow() {
        let mut pace = Pace::default();
        (0..100).for_each(|_| pace.charge(u64::MAX));
        assert!(pace.wait(0) > secs(u64::MAX / 2000));
        pace.settle(secs(u64::MAX / 2), u64::MAX);
        assert_eq!(pace.wait(u64::MAX), Duration::ZERO);
    }
}
