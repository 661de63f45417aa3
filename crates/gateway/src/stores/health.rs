//! What the gateway thinks of one store, from what it saw of it. Pure: time comes in.

use std::time::Duration;

use custos_ports::ShardError;
use tokio::time::Instant;

/// Failed calls in a row after which a store is suspect.
const ERRORS_IN_A_ROW_MAX: u32 = 3;
/// A store is slow when its calls take this many times as long as those of the others.
const SLOW_FACTOR: u32 = 8;
/// Calls that must be known before a store is called slow.
const KNOWN_CALLS_MIN: u32 = 8;
/// The pause between two probes doubles up to this many times the first.
const PROBE_PAUSE_SPAN: u32 = 32;

/// When a store is suspect, and how often it is tried then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HealthLimits {
    /// A store whose calls take less than this is never slow.
    pub(crate) slow_min: Duration,
    /// Pause before the first probe.
    pub(crate) probe_after_min: Duration,
}

/// What a store was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Write,
    Read,
}

/// What came of one call.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// It did what was asked, in this time; calls of this sort typically take `typical`.
    Done { took: Duration, typical: Duration },
    /// It said no.
    Failed(&'a ShardError),
    /// It did not answer in time.
    NoAnswer,
}

/// Why a store is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It does not answer, fails, or says that it is out of service.
    OutOfReach,
    /// It takes much longer than the others.
    Slow(Operation),
    /// It takes no more writes; reads are fine.
    Full,
}

/// A store that should be spared.
#[derive(Debug, Clone)]
pub(crate) struct Suspicion {
    pub(crate) since: Instant,
    pub(crate) cause: Cause,
    pub(crate) why: String,
    probe_at: Instant,
    pause: Duration,
}

/// What may be asked of a store now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Healthy,
    /// Spare it, but one call may try it now.
    ProbeDue,
    Suspect,
}

/// One store's health.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth {
    errors_in_a_row: u32,
    last_done: Option<Instant>,
    writes: Pace,
    reads: Pace,
    suspicion: Option<Suspicion>,
}

/// Moving average of how long calls take.
#[derive(Debug, Default)]
struct Pace {
    average: Duration,
    known: u32,
}

impl Pace {
    /// The newest call counts for an eighth.
    fn record(&mut self, took: Duration) {
        self.average =
            if self.known == 0 { took } else { (self.average * 7).saturating_add(took) / 8 };
        self.known = self.known.saturating_add(1);
    }
}

impl StoreHealth {
    /// Takes note of a call that began at `started`.
    pub(crate) fn record(
        &mut self,
        limits: &HealthLimits,
        operation: Operation,
        (started, now): (Instant, Instant),
        seen: &Seen<'_>,
    ) {
        match seen {
            Seen::Done { took, typical } => self.done(limits, operation, now, *took, *typical),
            Seen::Failed(error) => self.failed(limits, now, error),
            // A call that hung while others were served since says nothing about now.
            Seen::NoAnswer if self.last_done.is_some_and(|done| done > started) => {}
            Seen::NoAnswer => self.suspect(limits, now, Cause::OutOfReach, "no answer in time"),
        }
    }

    fn done(
        &mut self,
        limits: &HealthLimits,
        operation: Operation,
        now: Instant,
        took: Duration,
        typical: Duration,
    ) {
        self.errors_in_a_row = 0;
        self.last_done = Some(now);
        let limit = limits.slow_min.max(typical * SLOW_FACTOR);
        let pace = match operation {
            Operation::Write => &mut self.writes,
            Operation::Read => &mut self.reads,
        };
        pace.record(took);
        let (average, known) = (pace.average, pace.known);
        if took <= limit && self.is_cleared_by(operation) {
            self.suspicion = None;
            // What it was like before it was spared must not count against it for ever.
            if average > limit {
                (self.writes, self.reads) = (Pace::default(), Pace::default());
            }
            return;
        }
        if known >= KNOWN_CALLS_MIN && average > limit {
            let why = format!(
                "slow: {} ms on average, {} ms are usual",
                average.as_millis(),
                typical.as_millis()
            );
            self.suspect(limits, now, Cause::Slow(operation), &why);
        }
    }

    /// Whether a quick call of this sort takes the suspicion away.
    fn is_cleared_by(&self, operation: Operation) -> bool {
        match self.suspicion.as_ref().map(|suspicion| suspicion.cause) {
            None => false,
            Some(Cause::OutOfReach) => true,
            Some(Cause::Slow(slow)) => slow == operation,
            Some(Cause::Full) => operation == Operation::Write,
        }
    }

    fn failed(&mut self, limits: &HealthLimits, now: Instant, error: &ShardError) {
        match error {
            ShardError::Offline { reason, .. } => {
                self.suspect(limits, now, Cause::OutOfReach, reason);
            }
            ShardError::Io { reason, .. } => {
                self.errors_in_a_row += 1;
                // One that is suspect already stays so with its first failed probe.
                if self.errors_in_a_row >= ERRORS_IN_A_ROW_MAX || self.suspicion.is_some() {
                    let why = format!("{} calls in a row failed: {reason}", self.errors_in_a_row);
                    self.suspect(limits, now, Cause::OutOfReach, &why);
                }
            }
            ShardError::Full { free_bytes, .. } => {
                let why = format!("full: {free_bytes} bytes free");
                self.suspect(limits, now, Cause::Full, &why);
            }
            // It answers; that this shard is not as it should be says nothing about the store.
            ShardError::NotFound { .. }
            | ShardError::Corrupt { .. }
            | ShardError::Conflict { .. }
            | ShardError::Range { .. }
            | ShardError::Stale { .. }
            | ShardError::NotOrdered { .. }
            | ShardError::Overloaded { .. } => self.errors_in_a_row = 0,
        }
    }

    fn suspect(&mut self, limits: &HealthLimits, now: Instant, cause: Cause, why: &str) {
        let first = limits.probe_after_min;
        let (since, pause) = match &self.suspicion {
            Some(before) => (before.since, (before.pause * 2).min(first * PROBE_PAUSE_SPAN)),
            None => (now, first),
        };
        let why = why.to_owned();
        self.suspicion = Some(Suspicion { since, cause, why, probe_at: now + pause, pause });
    }

    pub(crate) fn suspicion(&self) -> Option<&Suspicion> {
        self.suspicion.as_ref()
    }

    /// What may be asked of it now. Whoever is told `ProbeDue` is the one that tries it.
    pub(crate) fn standing(&mut self, operation: Operation, now: Instant) -> Standing {
        match &mut self.suspicion {
            None => Standing::Healthy,
            Some(Suspicion { cause: Cause::Full, .. }) if operation == Operation::Read => {
                Standing::Healthy
            }
            Some(suspicion) if suspicion.probe_at <= now => {
                suspicion.probe_at = now + suspicion.pause;
                Standing::ProbeDue
            }
            Some(_) => Standing::Suspect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HealthLimits = HealthLimits {
        slow_min: Duration::from_millis(100),
        probe_after_min: Duration::from_secs(1),
    };
    const TYPICAL: Duration = Duration::from_millis(20);

    struct Watched {
        health: StoreHealth,
        now: Instant,
    }

    impl Watched {
        fn new() -> Self {
            Self { health: StoreHealth::default(), now: Instant::now() }
        }

        fn see(&mut self, operation: Operation, seen: &Seen<'_>) {
            self.health.record(&LIMITS, operation, (self.now, self.now), seen);
        }

        fn writes_in(&mut self, millis: u64) {
            let took = Duration::from_millis(millis);
            self.see(Operation::Write, &Seen::Done { took, typical: TYPICAL });
        }

        fn standing(&mut self) -> Standing {
            self.health.standing(Operation::Write, self.now)
        }

        fn wait(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
        }
    }

    fn io() -> ShardError {
        ShardError::Io { store: "s".to_owned(), operation: "write", reason: "reset".to_owned() }
    }

    #[test]
    fn one_failed_call_is_forgiven_and_three_in_a_row_are_not() {
        let mut store = Watched::new();
        store.see(Operation::Write, &Seen::Failed(&io()));
        store.see(Operation::Write, &Seen::Failed(&io()));
        store.writes_in(10);
        store.see(Operation::Write, &Seen::Failed(&io()));
        store.see(Operation::Write, &Seen::Failed(&io()));
        assert_eq!(store.standing(), Standing::Healthy);
        store.see(Operation::Write, &Seen::Failed(&io()));
        assert_eq!(store.standing(), Standing::Suspect);
        assert!(store.health.suspicion().expect("suspect").why.contains("reset"));
    }

    #[test]
    fn a_suspect_store_is_probed_ever_more_rarely_and_comes_back_with_the_first_success() {
        let mut store = Watched::new();
        store.see(Operation::Write, &Seen::NoAnswer);
        let since = store.health.suspicion().expect("suspect").since;
        store.wait(1000);
        assert_eq!(store.standing(), Standing::ProbeDue);
        assert_eq!(store.standing(), Standing::Suspect, "one probe is enough");
        store.see(Operation::Write, &Seen::Failed(&io()));
        store.wait(1000);
        assert_eq!(store.standing(), Standing::Suspect, "the pause has doubled");
        store.wait(1000);
        assert_eq!(store.standing(), Standing::ProbeDue);
        assert_eq!(store.health.suspicion().expect("suspect").since, since);
        store.writes_in(10);
        assert_eq!(store.standing(), Standing::Healthy);
    }

    #[test]
    fn the_pause_between_probes_has_a_limit() {
        let mut store = Watched::new();
        for _ in 0..40 {
            store.see(Operation::Read, &Seen::NoAnswer);
        }
        store.wait(32_000);
        assert_eq!(store.standing(), Standing::ProbeDue);
    }

    #[test]
    fn a_store_much_slower_than_the_others_is_suspect_until_it_is_quick_again() {
        let mut store = Watched::new();
        for _ in 0..20 {
            store.writes_in(90);
        }
        assert_eq!(store.standing(), Standing::Healthy, "under the least that counts as slow");
        for _ in 0..20 {
            store.writes_in(900);
        }
        assert_eq!(store.standing(), Standing::Suspect);
        let cause = store.health.suspicion().expect("suspect").cause;
        assert_eq!(cause, Cause::Slow(Operation::Write));
        let read = Seen::Done { took: Duration::from_millis(1), typical: TYPICAL };
        store.see(Operation::Read, &read);
        assert_eq!(store.standing(), Standing::Suspect, "a quick read does not prove its writes");
        store.writes_in(20);
        assert_eq!(store.standing(), Standing::Healthy);
        store.writes_in(20);
        assert_eq!(store.standing(), Standing::Healthy, "the past is forgotten");
    }

    #[test]
    fn when_all_are_slow_nobody_is_suspect() {
        let mut store = Watched::new();
        let slow = Duration::from_secs(2);
        for _ in 0..50 {
            store.see(Operation::Write, &Seen::Done { took: slow, typical: slow });
        }
        assert_eq!(store.standing(), Standing::Healthy);
    }

    #[test]
    fn a_full_store_is_spared_by_writes_and_serves_reads() {
        let mut store = Watched::new();
        let full = ShardError::Full { store: "s".to_owned(), free_bytes: 7 };
        store.see(Operation::Write, &Seen::Failed(&full));
        assert_eq!(store.standing(), Standing::Suspect);
        assert_eq!(store.health.standing(Operation::Read, store.now), Standing::Healthy);
    }

    #[test]
    fn a_call_that_hung_before_the_last_success_is_old_news() {
        let mut store = Watched::new();
        let started = store.now;
        store.wait(10);
        store.writes_in(5);
        store.wait(10);
        let span = (started, store.now);
        store.health.record(&LIMITS, Operation::Write, span, &Seen::NoAnswer);
        assert_eq!(store.standing(), Standing::Healthy);
    }

    #[test]
    fn what_a_store_says_about_one_shard_is_not_held_against_it() {
        let mut store = Watched::new();
        let overloaded =
            ShardError::Overloaded { store: "s".to_owned(), reason: "queue".to_owned() };
        for _ in 0..10 {
            store.see(Operation::Read, &Seen::Failed(&overloaded));
        }
        assert_eq!(store.standing(), Standing::Healthy);
    }
}
