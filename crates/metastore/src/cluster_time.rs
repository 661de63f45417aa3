//! What time it is for the cluster: the leader's stamp on every batch.
//!
//! No machine decides that alone (domain rule 3 of "what follows for every operation"): a clock
//! that is set years ahead must not end a retention, and one that is set back must not stop time.
//! So the leader asks the voters for their clocks every second and takes the lower median of a
//! majority's answers; in between, its monotonic clock counts. Within one lead the result never
//! goes back, and goes ahead at most twice as fast as monotonic time, whatever the clocks say. The
//! law takes care of the rest: cluster time never goes back over a change of leaders either, and a
//! large move is on record.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use custos_core::Timestamp;
use custos_ports::Clock;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::{leadership::Leader, members::Members, raft_types::Raft, tasks};

/// The clocks are compared this often.
const ROUND_PAUSE: Duration = Duration::from_secs(1);
/// Pause after a round without a majority, and between two looks at who leads.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Longest wait for the first agreement of a lead. A leader without a majority commits nothing.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// A time that a majority agreed on, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    term: u64,
    at: Instant,
    time_ms: i64,
}

/// The leader's stamps.
#[derive(Clone)]
pub(crate) struct ClusterTime {
    agreed: watch::Receiver<Option<Agreed>>,
}

impl ClusterTime {
    /// The time now; in the first moments of a lead it waits until a majority has agreed on one.
    /// Without one, time stands still: the law never takes a stamp that is behind.
    pub(crate) async fn stamp(&self, raft: &Raft) -> Timestamp {
        let term = raft.metrics().borrow().current_term;
        let of_this_lead = |agreed: &Option<Agreed>| agreed.is_some_and(|it| it.term == term);
        let found = timeout(FIRST_WAIT, tasks::wait_for(self.agreed.clone(), of_this_lead)).await;
        match found {
            Ok(Ok(agreed)) => agreed.map_or(Timestamp::from_millis(0), |agreed| {
                Timestamp::from_millis(agreed.time_ms + millis(agreed.at.elapsed()))
            }),
            Ok(Err(_)) | Err(_) => Timestamp::from_millis(0),
        }
    }
}

/// Compares the clocks while this member leads, for as long as it is kept.
pub(crate) struct TimeKeeper {
    raft: Raft,
    members: Members,
    clock: Arc<dyn Clock>,
    agreed: watch::Sender<Option<Agreed>>,
}

impl TimeKeeper {
    /// Whatever is to be stamped by, and the sender that [`start`](Self::start) takes.
    pub(crate) fn channel() -> (watch::Sender<Option<Agreed>>, ClusterTime) {
        let (sender, agreed) = watch::channel(None);
        (sender, ClusterTime { agreed })
    }

    pub(crate) fn start(
        raft: Raft,
        members: Members,
        clock: Arc<dyn Clock>,
        agreed: watch::Sender<Option<Agreed>>,
    ) -> Arc<Self> {
        let keeper = Arc::new(Self { raft, members, clock, agreed });
        tasks::spawn(keep(Arc::downgrade(&keeper)));
        keeper
    }

    /// One comparison; gives the pause until the next.
    async fn round(&self) -> Duration {
        let metrics = self.raft.metrics().borrow().clone();
        if Leader::of(&metrics) != Leader::Me {
            return LOOK_PAUSE;
        }
        let (term, before) = (metrics.current_term, *self.agreed.borrow());
        let members = self.members.ask_all(|| self.clock.now(), |status| status.clock).await;
        let voters: Vec<_> = members.into_iter().filter(|member| member.is_voter).collect();
        let clocks = voters.iter().filter_map(|member| member.said.as_ref().ok());
        let mut readings: Vec<i64> = clocks.map(|clock| clock.as_millis()).collect();
        if readings.len() < voters.len() / 2 + 1 {
            return LOOK_PAUSE;
        }
        let at = Instant::now();
        let before = before.filter(|before| before.term == term);
        let before = before.map(|before| (before.time_ms, millis(at - before.at)));
        let time_ms = agree(&mut readings, before);
        self.agreed.send_replace(Some(Agreed { term, at, time_ms }));
        ROUND_PAUSE
    }
}

async fn keep(keeper: Weak<TimeKeeper>) {
    loop {
        let Some(kept) = keeper.upgrade() else { return };
        if kept.raft.metrics().borrow().running_state.is_err() {
            return;
        }
        let pause = kept.round().await;
        drop(kept);
        sleep(pause).await;
    }
}

/// The lower median of a majority's clocks, no earlier than what was agreed on `before` (time and
/// milliseconds that passed since), and no later than twice those milliseconds after it.
fn agree(readings: &mut [i64], before: Option<(i64, i64)>) -> i64 {
    readings.sort_unstable();
    let median = readings[(readings.len() - 1) / 2];
    match before {
        None => median,
        Some((time, passed)) => median.clamp(time, time + 2 * passed),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const YEAR_MS: i64 = 365 * 24 * 3600 * 1000;

    #[test]
    fn one_clock_years_ahead_or_back_moves_nothing() {
        for wrong in [10 * YEAR_MS, -10 * YEAR_MS] {
            let time = agree(&mut [1000, 1001, 1000 + wrong], None);
            assert!((1000..=1001).contains(&time), "{time}");
        }
        // Of two that answer of three, the one that is ahead does not count.
        assert_eq!(agree(&mut [1000 + YEAR_MS, 1000], None), 1000);
    }

    #[test]
    fn a_clock_alone_that_jumps_ahead_is_followed_no_faster_than_twice_the_time_that_passed() {
        let mut time = agree(&mut [5_000], None);
        for _second in 0..60 {
            time = agree(&mut [5_000 + YEAR_MS], Some((time, 1000)));
        }
        assert!(time <= 5_000 + 60 * 2000, "{time}");
        // Set back, time stands until it is reached again.
        assert_eq!(agree(&mut [4_000], Some((time, 1000))), time);
    }

    proptest! {
        /// Any minority may lie as it likes.
        #[test]
        fn the_time_lies_between_honest_clocks_when_all_answer(
            honest in vec(1_000_000_i64..1_001_000, 3),
            lies in vec(any::<i32>(), 0..=2),
        ) {
            let (least, most) = (honest.iter().min().copied(), honest.iter().max().copied());
            let mut readings = honest.clone();
            readings.extend(lies.iter().map(|lie| i64::from(*lie) * 1000));
            let time = agree(&mut readings, None);
            prop_assert!(Some(time) >= least && Some(time) <= most, "{time} of {readings:?}");
        }
    }
}
