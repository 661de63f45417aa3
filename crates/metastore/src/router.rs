use std::{future::Future, time::Duration};

use bytes::Bytes;
use custos_ledger::{Envelope, Outcome};
use custos_ports::{LedgerError, MetaPeer, PeerFault, PeerLane};
use tokio::time::{Instant, sleep};

use crate::{
    commands::CommandQueue,
    leadership::{Leader, LeaderWatch},
    members::Members,
    network::{Answer, Group, MemberChange, Request},
    raft_types::Raft,
    reads::ReadBarrier,
};

/// Pauses between attempts: the first, doubled up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// Longest wait for a leader that was asked, before the leader is looked up anew.
const PASS_ON_DEADLINE: Duration = Duration::from_secs(3);

/// Takes what is asked of this member to where it can be decided: to its own queue when it leads,
/// else to the member that does. While there is no leader, or it changes, it tries again with the
/// same request id until the deadline; the law makes sure that nothing happens twice.
#[derive(Clone)]
pub(crate) struct Router {
    pub(crate) raft: Raft,
    pub(crate) leader: LeaderWatch,
    pub(crate) group: Group,
    pub(crate) commands: CommandQueue,
    pub(crate) barrier: ReadBarrier,
    pub(crate) members: Members,
    pub(crate) timeout: Duration,
}

impl Router {
    pub(crate) async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        let bytes = Bytes::from(envelope.encode_checked()?);
        self.until_decided(|left| {
            let bytes = bytes.clone();
            async move {
                match Leader::now(&self.raft) {
                    Leader::Me => self.commands.submit(bytes).await,
                    Leader::Other(peer) => {
                        match self.pass_on(&peer, &Request::Submit(bytes), left).await? {
                            Answer::Submit(outcome) => Ok(*outcome),
                            other => Err(of_one_copy(failure(other))),
                        }
                    }
                    Leader::Nobody => Err(nobody()),
                }
            }
        })
        .await
    }

    /// Returns when this member's state is new enough for a read that began before the call.
    pub(crate) async fn wait_until_current(&self) -> Result<(), LedgerError> {
        self.until_decided(|_| self.barrier.pass()).await
    }

    pub(crate) async fn change(&self, change: &MemberChange) -> Result<(), LedgerError> {
        self.until_decided(|left| async move {
            match Leader::now(&self.raft) {
                Leader::Me => self.members.change(change.clone()).await,
                Leader::Other(peer) => {
                    match self.pass_on(&peer, &Request::Change(change.clone()), left).await? {
                        Answer::Change => Ok(()),
                        other => Err(failure(other)),
                    }
                }
                Leader::Nobody => Err(nobody()),
            }
        })
        .await
    }

    /// Repeats `attempt`, which is told how much time is left, while it is undecided.
    async fn until_decided<T, F>(&self, attempt: impl Fn(Duration) -> F) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, LedgerError>>,
    {
        let deadline = Instant::now() + self.timeout;
        let mut may_be_taken = None;
        let mut pause = PAUSE_MIN;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let unavailable = match attempt(left).await {
                Err(LedgerError::Unknown { reason }) => {
                    may_be_taken = Some(reason.clone());
                    reason
                }
                Err(LedgerError::Unavailable { reason }) => reason,
                // This attempt was shed; an earlier one may not have been.
                Err(full @ LedgerError::QueueFull { .. }) if may_be_taken.is_some() => {
                    full.to_string()
                }
                decided => return decided,
            };
            let has_stopped = self.raft.metrics().borrow().running_state.is_err();
            if has_stopped || Instant::now() + pause >= deadline {
                return Err(match may_be_taken {
                    Some(reason) => LedgerError::Unknown { reason },
                    None => LedgerError::Unavailable { reason: unavailable },
                });
            }
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    async fn pass_on(
        &self,
        leader: &MetaPeer,
        request: &Request,
        left: Duration,
    ) -> Result<Answer, LedgerError> {
        let limit = left.min(PASS_ON_DEADLINE);
        let known = Leader::Other(leader.clone());
        let asked = tokio::select! {
            biased;
            asked = self.group.ask(leader, PeerLane::Control, request, limit) => asked,
            // It hangs, and another leads already.
            () = self.leader.has_changed(&known) => Err(PeerFault::Unknown {
                reason: format!("{leader:?} leads no more, and has not answered"),
            }),
        };
        asked.map_err(|fault| match fault {
            PeerFault::Unknown { reason } => LedgerError::Unknown { reason },
            PeerFault::Unreachable { reason } | PeerFault::Refused { reason } => {
                LedgerError::Unavailable { reason }
            }
        })
    }
}

fn nobody() -> LedgerError {
    LedgerError::Unavailable { reason: "no leader is known".to_owned() }
}

/// A message may be delivered twice: that one copy was not taken does not say so of the other.
fn of_one_copy(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Unavailable { reason } => LedgerError::Unknown { reason },
        error => error,
    }
}

fn failure(answer: Answer) -> LedgerError {
    match answer {
        // That the leader cannot go on is its own fault, and another will lead.
        Answer::Failure(LedgerError::Fault { reason }) | Answer::Fault(reason) => {
            LedgerError::Unknown { reason }
        }
        Answer::Failure(error) => error,
        _ => LedgerError::Unknown { reason: "the leader answers another question".to_owned() },
    }
}
