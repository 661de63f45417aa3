use std::collections::BTreeMap;
use std::time::Duration;

/// From when on a disk is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthLimits {
    /// A write may take this long whatever its size.
    pub write_time_max: Duration,
    /// And longer by its bytes at this pace, in bytes per second.
    pub write_bytes_per_second_min: u64,
    /// A single write that is not done after this long makes the disk suspect at once.
    pub stuck_after: Duration,
    /// Its status may take this long. One that has not come by then makes it suspect, and its last
    /// figures are told.
    pub status_time_max: Duration,
    /// So many failed writes without a good one between them make it suspect, and so many failed
    /// reads.
    pub failures_in_row_max: u32,
}

impl Default for HealthLimits {
    fn default() -> Self {
        Self {
            write_time_max: Duration::from_secs(2),
            write_bytes_per_second_min: 5 << 20,
            stuck_after: Duration::from_secs(15),
            status_time_max: Duration::from_secs(2),
            failures_in_row_max: 3,
        }
    }
}

/// How an operation ended, as far as it says something of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    /// The disk failed it.
    Failed,
    /// It was refused or given up: that says nothing, but for how long it took.
    Neither,
}

/// Names one write that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// What is known of a disk's speed and failures. Pure: times are durations since any fixed moment.
///
/// The average of how long writes took in relation to how long they might have taken decays by an
/// eighth with every write, so that a disk that is slow for a while recovers after a dozen of
/// writes at its old pace, and one slow write alone does not condemn it.
#[derive(Debug)]
pub(crate) struct Health {
    limits: HealthLimits,
    under_way: BTreeMap<Ticket, Duration>,
    next_ticket: u64,
    /// Average of time taken to time allowed, in 1/1000.
    slowness: u64,
    slow: bool,
    /// Of writes, and of everything else: reads that go well prove nothing for writes.
    write_failures_in_row: u32,
    other_failures_in_row: u32,
    failures: u64,
}

/// A single write counts at most so much, in 1/1000 of the time allowed.
const SLOWNESS_SAMPLE_MAX: u64 = 4000;
/// Above it a disk is suspect.
const SLOW_ABOVE: u64 = 1000;
/// Below it, it is not any more.
const QUICK_BELOW: u64 = 500;

impl Health {
    pub(crate) fn new(limits: HealthLimits) -> Self {
        Self {
            limits,
            under_way: BTreeMap::new(),
            next_ticket: 0,
            slowness: 0,
            slow: false,
            write_failures_in_row: 0,
            other_failures_in_row: 0,
            failures: 0,
        }
    }

    /// A write begins.
    pub(crate) fn write_begins(&mut self, now: Duration) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.under_way.insert(ticket, now);
        ticket
    }

    /// It has ended, or its caller has given it up.
    pub(crate) fn write_ends(&mut self, ticket: Ticket, now: Duration, bytes: u64, ended: Ended) {
        let Some(began) = self.under_way.remove(&ticket) else { return };
        let taken = now.saturating_sub(began);
        let allowed = self.limits.write_time_max
            + Duration::from_millis(bytes * 1000 / self.limits.write_bytes_per_second_min.max(1));
        let sample = taken.as_millis() * 1000 / allowed.as_millis().max(1);
        let sample = u64::try_from(sample).unwrap_or(u64::MAX).min(SLOWNESS_SAMPLE_MAX);
        // A refusal is quick and a write given up is only known to have taken as long as it did.
        if ended == Ended::Well || sample > SLOW_ABOVE {
            self.slowness = (self.slowness * 7 + sample) / 8;
        }
        self.slow = match self.slow {
            false => self.slowness > SLOW_ABOVE,
            true => self.slowness >= QUICK_BELOW,
        };
        self.write_failures_in_row = in_row(self.write_failures_in_row, ended);
        self.failures += u64::from(ended == Ended::Failed);
    }

    /// Any other operation has ended.
    pub(crate) fn operation_ends(&mut self, ended: Ended) {
        self.other_failures_in_row = in_row(self.other_failures_in_row, ended);
        self.failures += u64::from(ended == Ended::Failed);
    }

    /// Failures since the beginning.
    pub(crate) fn failures(&self) -> u64 {
        self.failures
    }

    /// Why the disk should get no new shards, if so.
    pub(crate) fn suspicion(&self, now: Duration) -> Option<String> {
        if let Some(oldest) = self.under_way.values().min() {
            let waited = now.saturating_sub(*oldest);
            if waited >= self.limits.stuck_after {
                return Some(format!("a write has not ended for {} s", waited.as_secs()));
            }
        }
        for (failures, what) in
            [(self.write_failures_in_row, "writes"), (self.other_failures_in_row, "reads")]
        {
            if failures >= self.limits.failures_in_row_max {
                return Some(format!("the last {failures} {what} failed"));
            }
        }
        self.slow.then(|| {
            let percent = self.slowness / 10;
            format!("writes take {percent} % of the time that they may take")
        })
    }
}

fn in_row(failures: u32, ended: Ended) -> u32 {
    match ended {
        Ended::Well => 0,
        Ended::Failed => failures.saturating_add(1),
        Ended::Neither => failures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    struct Disk {
        health: Health,
        now: Duration,
    }

    impl Disk {
        fn new() -> Self {
            Self { health: Health::new(HealthLimits::default()), now: Duration::ZERO }
        }

        fn write(&mut self, millis: u64, ended: Ended) {
            let ticket = self.health.write_begins(self.now);
            self.now += Duration::from_millis(millis);
            self.health.write_ends(ticket, self.now, 2 * MIB, ended);
        }

        fn suspicion(&self) -> Option<String> {
            self.health.suspicion(self.now)
        }
    }

    #[test]
    fn a_quick_disk_is_not_suspect_and_one_slow_write_does_not_make_it_so() {
        let mut disk = Disk::new();
        (0..100).for_each(|_| disk.write(30, Ended::Well));
        disk.write(14_000, Ended::Well);
        assert_eq!(disk.suspicion(), None);
    }

    #[test]
    fn a_slow_disk_becomes_suspect_and_recovers_with_quick_writes() {
        let mut disk = Disk::new();
        (0..20).for_each(|_| disk.write(5_000, Ended::Well));
        assert!(disk.suspicion().expect("suspect").contains("of the time"));
        disk.write(30, Ended::Well);
        assert!(disk.suspicion().is_some(), "one quick write does not clear it");
        (0..20).for_each(|_| disk.write(30, Ended::Well));
        assert_eq!(disk.suspicion(), None);
    }

    #[test]
    fn writes_that_their_callers_gave_up_count_as_slow_but_quick_refusals_do_not_count() {
        let mut disk = Disk::new();
        (0..5).for_each(|_| disk.write(10_000, Ended::Neither));
        assert!(disk.suspicion().is_some());
        (0..100).for_each(|_| disk.write(1, Ended::Neither));
        assert!(disk.suspicion().is_some(), "refusals prove no speed");
    }

    #[test]
    fn failures_in_a_row_make_it_suspect_until_something_succeeds() {
        let mut disk = Disk::new();
        disk.write(1, Ended::Failed);
        disk.write(1, Ended::Failed);
        disk.write(1, Ended::Well);
        disk.write(1, Ended::Failed);
        disk.write(1, Ended::Failed);
        assert_eq!(disk.suspicion(), None);
        disk.health.operation_ends(Ended::Well);
        disk.write(1, Ended::Neither);
        disk.write(1, Ended::Failed);
        assert_eq!(disk.suspicion().expect("suspect"), "the last 3 writes failed");
        assert_eq!(disk.health.failures(), 5);
        disk.write(1, Ended::Well);
        assert_eq!(disk.suspicion(), None);
        (0..3).for_each(|_| disk.health.operation_ends(Ended::Failed));
        assert_eq!(disk.suspicion().expect("suspect"), "the last 3 reads failed");
        disk.health.operation_ends(Ended::Well);
        assert_eq!(disk.suspicion(), None);
    }

    #[test]
    fn a_write_that_hangs_makes_it_suspect_before_it_ends() {
        let mut disk = Disk::new();
        let ticket = disk.health.write_begins(disk.now);
        disk.now += Duration::from_secs(14);
        assert_eq!(disk.suspicion(), None);
        disk.now += Duration::from_secs(2);
        assert_eq!(disk.suspicion().expect("suspect"), "a write has not ended for 16 s");
        disk.health.write_ends(ticket, disk.now, MIB, Ended::Well);
        assert_eq!(disk.suspicion(), None);
    }

    #[test]
    fn large_shards_may_take_longer() {
        let mut disk = Disk::new();
        for _ in 0..20 {
            let ticket = disk.health.write_begins(disk.now);
            disk.now += Duration::from_secs(5);
            disk.health.write_ends(ticket, disk.now, 64 * MIB, Ended::Well);
        }
        assert_eq!(disk.suspicion(), None);
    }
}
