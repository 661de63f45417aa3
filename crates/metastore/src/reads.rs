use std::time::Duration;

use custos_ports::LedgerError;
use openraft::error::{CheckIsLeaderError, RaftError};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time,
};

use crate::{fault::Fault, raft_types::Raft};

/// Makes reads linearizable (Raft dissertation, section 6.4): a read waits until a quorum has
/// confirmed the leader after the read began, and until the state holds all that was committed
/// then. Readers share a confirmation: one is in flight, the next serves all who came meanwhile.
#[derive(Clone)]
pub(crate) struct ReadBarrier {
    queue: mpsc::Sender<oneshot::Sender<Result<(), LedgerError>>>,
    items_max: usize,
    timeout: Duration,
    fault: Fault,
}

impl ReadBarrier {
    /// Starts the confirmations. They end when the last clone is dropped.
    pub(crate) fn start(raft: Raft, items_max: usize, timeout: Duration, fault: Fault) -> Self {
        let (queue, waiting) = mpsc::channel(items_max);
        tokio::spawn(confirm_for_ever(raft, waiting, items_max, timeout));
        Self { queue, items_max, timeout, fault }
    }

    /// Returns when the local state is new enough for a read that began before the call.
    pub(crate) async fn pass(&self) -> Result<(), LedgerError> {
        self.fault.check()?;
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(reply).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::QueueFull { limit: self.items_max },
            TrySendError::Closed(_) => stopped(),
        })?;
        match time::timeout(self.timeout, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(stopped())),
            Err(_) => Err(too_late(self.timeout)),
        }
    }
}

async fn confirm_for_ever(
    raft: Raft,
    mut waiting: mpsc::Receiver<oneshot::Sender<Result<(), LedgerError>>>,
    items_max: usize,
    timeout: Duration,
) {
    let mut readers = Vec::new();
    // Who is received here came before the confirmation starts; who comes later waits for the next.
    while waiting.recv_many(&mut readers, items_max).await > 0 {
        let result = confirm(&raft, timeout).await;
        for reader in readers.drain(..) {
            // A reader that has gone does not want to know.
            let _ = reader.send(result.clone());
        }
    }
}

/// One confirmation.
pub(crate) async fn confirm(raft: &Raft, timeout: Duration) -> Result<(), LedgerError> {
    match time::timeout(timeout, raft.ensure_linearizable()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(LedgerError::Unavailable { reason: read_error(&error) }),
        Err(_) => Err(too_late(timeout)),
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
