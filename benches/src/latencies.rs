use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest latency that is told apart from longer ones: two hours, in microseconds.
const LONGEST_US: u64 = 2 * 3600 * 1_000_000;
/// A recorded latency is right to a thousandth.
const SIGNIFICANT_DIGITS: u8 = 3;

/// How long operations took.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

/// The latencies that 50, 95, 99 and 100 of a hundred operations kept within, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, SIGNIFICANT_DIGITS);
        Self(histogram.expect("the bounds are in order"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.0.saturating_record(micros.clamp(1, LONGEST_US));
    }

    /// Takes in what another has recorded.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// `None` when nothing was recorded.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        if self.0.is_empty() {
            return None;
        }
        let millis = |micros: u64| micros as f64 / 1000.0;
        let at = |quantile| millis(self.0.value_at_quantile(quantile));
        Some(Percentiles { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: millis(self.0.max()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_thousandth() {
        let (mut odd, mut even) = (Latencies::new(), Latencies::new());
        for millis in 1..=1000 {
            let half = if millis % 2 == 0 { &mut even } else { &mut odd };
            half.record(Duration::from_millis(millis));
        }
        odd.add(&even);
        let found = odd.percentiles().expect("recorded");
        for (found, expected) in
            [(found.p50, 500.0), (found.p95, 950.0), (found.p99, 990.0), (found.max, 1000.0)]
        {
            assert!((found - expected).abs() <= expected / 1000.0 + 0.001, "{found} {expected}");
        }
    }

    #[test]
    fn nothing_recorded_has_no_percentiles_and_extremes_are_cut_to_the_bounds() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentiles(), None);
        latencies.record(Duration::ZERO);
        latencies.record(Duration::MAX);
        let found = latencies.percentiles().expect("recorded");
        assert!(found.p50 <= 0.001 && found.max >= 7_200_000.0, "{found:?}");
    }
}
