use parking_lot::Mutex;

/// Hedges that a quiet time saves up.
const BURST: u32 = 16;
/// A hedge costs as much as this many reads earn: at most one read in ten is hedged.
const READS_PER_HEDGE: u32 = 10;

/// How many second reads may be spent on slow first ones. Without a budget, a cluster that gets
/// slower under load would be given more load for it.
pub(crate) struct HedgeBudget {
    /// In tenths of a hedge.
    saved: Mutex<u32>,
}

impl Default for HedgeBudget {
    fn default() -> Self {
        Self { saved: Mutex::new(BURST * READS_PER_HEDGE) }
    }
}

impl HedgeBudget {
    /// A read was started.
    pub(crate) fn earn(&self) {
        let mut saved = self.saved.lock();
        *saved = (*saved + 1).min(BURST * READS_PER_HEDGE);
    }

    /// Whether a read may be hedged now; then the hedge is paid for.
    pub(crate) fn spend(&self) -> bool {
        let mut saved = self.saved.lock();
        match saved.checked_sub(READS_PER_HEDGE) {
            Some(rest) => {
                *saved = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i10_hedges_are_a_tenth_of_the_reads_and_a_small_burst() {
        let budget = HedgeBudget::default();
        let mut hedges = 0;
        for _ in 0..1000 {
            budget.earn();
            hedges += u32::from(budget.spend());
        }
        assert!((100..=100 + BURST).contains(&hedges), "{hedges}");
    }

    #[test]
    fn a_quiet_time_saves_up_no_more_than_the_burst() {
        let budget = HedgeBudget::default();
        for _ in 0..100_000 {
            budget.earn();
        }
        let hedges = std::iter::from_fn(|| budget.spend().then_some(())).count();
        assert_eq!(hedges, BURST as usize);
    }
}
