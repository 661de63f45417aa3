use std::time::Duration;

use custos_ports::{LedgerError, PeerFault, PeerLane};
use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time,
};

use crate::{
    fault::Fault,
    leadership::{Leader, LeaderWatch},
    network::{Answer, Group, Request},
    raft_types::Raft,
    tasks,
};

/// Makes reads linearizable (Raft dissertation, section 6.4): a read waits until a quorum has
/// confirmed the leader after the read began, and until the state holds all that was committed
/// then. Readers share a confirmation: one is in flight, the next serves all who came meanwhile.
///
/// A member that does not lead asks the one that does how far it must see, and then reads its own
/// state: so every member serves reads.
#[derive(Clone)]
pub(crate) struct ReadBarrier {
    queue: mpsc::Sender<Reader>,
    items_max: usize,
    timeout: Duration,
    fault: Fault,
    raft: Raft,
}

struct Reader {
    /// Asked for by another member: who does not lead must not ask on.
    needs_leader: bool,
    reply: oneshot::Sender<Result<u64, LedgerError>>,
}

impl ReadBarrier {
    /// Starts the confirmations. They end when the last clone is dropped.
    pub(crate) fn start(
        raft: Raft,
        watch: LeaderWatch,
        group: Group,
        items_max: usize,
        timeout: Duration,
        fault: Fault,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(items_max);
        let confirmer = Confirmer { raft: raft.clone(), watch, group, timeout };
        tasks::spawn(confirmer.run(waiting, items_max));
        Self { queue, items_max, timeout, fault, raft }
    }

    /// Returns when the local state is new enough for a read that began before the call.
    pub(crate) async fn pass(&self) -> Result<(), LedgerError> {
        let index = self.confirmed(false).await?;
        wait_applied(&self.raft, index, self.timeout).await
    }

    /// How far a read of another member must see; fails if this member does not lead.
    pub(crate) async fn confirm_leading(&self) -> Result<u64, LedgerError> {
        self.confirmed(true).await
    }

    async fn confirmed(&self, needs_leader: bool) -> Result<u64, LedgerError> {
        self.fault.check()?;
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Reader { needs_leader, reply }).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::QueueFull { limit: self.items_max },
            TrySendError::Closed(_) => stopped(),
        })?;
        match time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err(too_late(self.timeout)),
        }
    }
}

struct Confirmer {
    raft: Raft,
    watch: LeaderWatch,
    group: Group,
    timeout: Duration,
}

impl Confirmer {
    async fn run(self, mut waiting: mpsc::Receiver<Reader>, items_max: usize) {
        let mut readers = Vec::new();
        // Who is received here came before the confirmation starts; who comes later waits for the
        // next.
        while waiting.recv_many(&mut readers, items_max).await > 0 {
            let leader = Leader::now(&self.raft);
            if leader != Leader::Me {
                let elsewhere = LedgerError::Unavailable { reason: leader.elsewhere() };
                for reader in readers.extract_if(.., |reader| reader.needs_leader) {
                    let _ = reader.reply.send(Err(elsewhere.clone()));
                }
                if readers.is_empty() {
                    continue;
                }
            }
            let result = match leader {
                Leader::Other(peer) => {
                    let (lane, request) = (PeerLane::Control, Request::ReadIndex);
                    let known = Leader::Other(peer.clone());
                    tokio::select! {
                        biased;
                        asked = self.group.ask(&peer, lane, &request, self.timeout) => {
                            from_leader(asked)
                        }
                        // It hangs, and another leads already.
                        () = self.watch.has_changed(&known) => {
                            Err(LedgerError::Unavailable { reason: known.elsewhere() })
                        }
                    }
                }
                _ => confirm_leader(&self.raft, self.timeout).await,
            };
            for reader in readers.drain(..) {
                // A reader that has gone does not want to know.
                let _ = reader.reply.send(result.clone());
            }
        }
    }
}

/// The leader confirms that it leads, and waits until its state is current.
pub(crate) async fn confirm(raft: &Raft, timeout: Duration) -> Result<(), LedgerError> {
    let index = confirm_leader(raft, timeout).await?;
    wait_applied(raft, index, timeout).await
}

async fn confirm_leader(raft: &Raft, timeout: Duration) -> Result<u64, LedgerError> {
    match time::timeout(timeout, raft.get_read_log_id()).await {
        Ok(Ok((read, _applied))) => Ok(read.map_or(0, |id| id.index)),
        Ok(Err(error)) => Err(LedgerError::Unavailable { reason: read_error(&error) }),
        Err(_) => Err(too_late(timeout)),
    }
}

fn from_leader(answer: Result<Answer, PeerFault>) -> Result<u64, LedgerError> {
    match answer {
        Ok(Answer::ReadIndex(index)) => Ok(index),
        Ok(Answer::Failure(error)) => Err(error),
        Ok(Answer::Fault(reason)) => Err(LedgerError::Unavailable { reason }),
        Ok(_) => {
            let reason = "the leader answers another question".to_owned();
            Err(LedgerError::Unavailable { reason })
        }
        // A read changes nothing: that it may have arrived says nothing.
        Err(fault) => Err(LedgerError::Unavailable { reason: fault.to_string() }),
    }
}

async fn wait_applied(raft: &Raft, index: u64, timeout: Duration) -> Result<(), LedgerError> {
    let is_there = |applied: Option<u64>| applied >= Some(index) || index == 0;
    if is_there(raft.metrics().borrow().last_applied.map(|id| id.index)) {
        return Ok(());
    }
    let applied = tasks::wait_for(raft.metrics(), |metrics| {
        metrics.running_state.is_err() || is_there(metrics.last_applied.map(|id| id.index))
    });
    match time::timeout(timeout, applied).await {
        Ok(Ok(metrics)) if metrics.running_state.is_ok() => Ok(()),
        Ok(_) => Err(stopped()),
        Err(_) => Err(LedgerError::Unavailable {
            reason: format!("the state is behind entry {index} after {} ms", timeout.as_millis()),
        }),
    }
}

fn read_error(error: &RaftError<u64, CheckIsLeaderError<u64, openraft::BasicNode>>) -> String {
    match error {
        RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward)) => {
            match forward.leader_id {
                Some(leader) => format!("this node does not lead, node {leader} does"),
                None => "no leader is known".to_owned(),
            }
        }
        other => other.to_string(),
    }
}

fn stopped() -> LedgerError {
    LedgerError::Unavailable { reason: "the ledger is stopping".to_owned() }
}

fn too_late(timeout: Duration) -> LedgerError {
    LedgerError::Unavailable {
        reason: format!("no quorum confirmed the leader within {} ms", timeout.as_millis()),
    }
}
