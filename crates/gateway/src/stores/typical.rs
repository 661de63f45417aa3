use std::time::Duration;

use parking_lot::Mutex;

/// Calls that are remembered.
const WINDOW_ITEMS: usize = 128;

/// How long calls took lately over all stores: the median, so that a slow store does not make
/// slowness the rule.
#[derive(Default)]
pub(crate) struct TypicalLatency(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    durations: Vec<Duration>,
    next: usize,
}

impl TypicalLatency {
    /// Takes note of a call and returns the median so far, this call with it.
    pub(crate) fn record(&self, took: Duration) -> Duration {
        let mut sorted = {
            let mut recent = self.0.lock();
            let at = recent.next;
            match recent.durations.get_mut(at) {
                Some(oldest) => *oldest = took,
                None => recent.durations.push(took),
            }
            recent.next = (at + 1) % WINDOW_ITEMS;
            recent.durations.clone()
        };
        let middle = sorted.len() / 2;
        *sorted.select_nth_unstable(middle).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_store_of_six_does_not_change_what_is_typical() {
        let typical = TypicalLatency::default();
        let mut median = Duration::ZERO;
        for call in 0..600 {
            let millis = if call % 6 == 0 { 5000 } else { 10 };
            median = typical.record(Duration::from_millis(millis));
        }
        assert_eq!(median, Duration::from_millis(10));
    }
}
