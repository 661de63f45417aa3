use openraft::LogIdOptionExt;
use tokio::sync::watch;

use crate::raft_types::LogId;

/// How far the state is durable, whatever crashes: the log is not purged beyond it.
///
/// openraft purges the log as soon as it has handed a received snapshot to the state machine, and
/// does not wait until it is installed. A crash in between would leave neither entries nor state,
/// though this node had acknowledged the entries. So the log waits here for the state.
#[derive(Debug, Clone)]
pub(crate) struct StateFloor {
    durable: watch::Sender<Option<LogId>>,
}

impl StateFloor {
    pub(crate) fn new() -> Self {
        Self { durable: watch::Sender::new(None) }
    }

    /// The state holds everything up to `durable`, and a crash cannot take it.
    pub(crate) fn raise(&self, durable: Option<LogId>) {
        self.durable.send_if_modified(|kept| {
            let is_higher = kept.index() < durable.index();
            if is_higher {
                *kept = durable;
            }
            is_higher
        });
    }

    /// Returns once the state is durable up to `upto`.
    pub(crate) async fn reaches(&self, upto: LogId) {
        let mut durable = self.durable.subscribe();
        let reached = durable.wait_for(|durable| durable.index() >= Some(upto.index)).await;
        assert!(reached.is_ok(), "the sender lives in self");
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use openraft::CommittedLeaderId;

    use super::*;

    fn at(term: u64, index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(term, 1), index)
    }

    #[test]
    fn nothing_passes_before_the_state_is_durable_as_far_and_the_floor_never_sinks() {
        let floor = StateFloor::new();
        assert!(floor.reaches(at(1, 0)).now_or_never().is_none());
        floor.raise(Some(at(1, 7)));
        assert!(floor.reaches(at(1, 7)).now_or_never().is_some());
        assert!(floor.reaches(at(1, 8)).now_or_never().is_none());
        floor.raise(Some(at(2, 3)));
        floor.raise(None);
        assert!(floor.reaches(at(1, 7)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_waits_goes_on_when_the_state_is_there() {
        let floor = StateFloor::new();
        let waiting = tokio::spawn({
            let floor = floor.clone();
            async move { floor.reaches(at(1, 5)).await }
        });
        floor.raise(Some(at(1, 4)));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        floor.raise(Some(at(1, 5)));
        waiting.await.expect("it goes on");
    }
}
