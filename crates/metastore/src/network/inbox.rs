use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use custos_ledger::Envelope;
use custos_ports::{Clock, LedgerError, PeerFault, PeerInbox};

use super::{
    Answer, Group, MemberStatus, Request, continuity::is_continuous, encoding,
    snapshot_receiver::SnapshotReceiver,
};
use crate::{
    commands::CommandQueue, members::Members, raft_types::Raft, reads::ReadBarrier,
    status::MetaStoreStatus,
};

/// Answers what the other members send.
pub(crate) struct Inbox {
    pub(crate) group: Group,
    pub(crate) raft: Raft,
    pub(crate) commands: CommandQueue,
    pub(crate) barrier: ReadBarrier,
    pub(crate) members: Members,
    pub(crate) clock: Arc<dyn Clock>,
    snapshots: SnapshotReceiver,
}

impl Inbox {
    pub(crate) fn new(
        group: Group,
        raft: Raft,
        commands: CommandQueue,
        barrier: ReadBarrier,
        members: Members,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let snapshots = SnapshotReceiver::default();
        Self { group, raft, commands, barrier, members, clock, snapshots }
    }

    async fn answer(&self, request: Request) -> Answer {
        match request {
            Request::Append(append) if !is_continuous(&append) => {
                Answer::Fault("the entries do not follow on each other".to_owned())
            }
            Request::Append(append) => match self.raft.append_entries(append).await {
                Ok(answer) => Answer::Append(answer),
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::Vote(vote) => match self.raft.vote(vote).await {
                Ok(answer) => Answer::Vote(answer),
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::SnapshotOffer { vote: _, manifest } => {
                let have = self.snapshots.offer(&self.raft, &manifest).await;
                have.map_or_else(Answer::Fault, Answer::SnapshotOffer)
            }
            Request::SnapshotPiece { snapshot_id, file, offset, data } => {
                let taken = self.snapshots.piece(&snapshot_id, file, offset, data).await;
                taken.map_or_else(Answer::Fault, |()| Answer::SnapshotPiece)
            }
            Request::SnapshotInstall { vote, snapshot_id } => {
                let installed = self.snapshots.install(&self.raft, vote, &snapshot_id).await;
                installed.map_or_else(Answer::Fault, Answer::SnapshotInstall)
            }
            Request::Submit(envelope) => match self.submit(&envelope).await {
                Ok(answer) => answer,
                Err(error) => Answer::Failure(error),
            },
            Request::ReadIndex => match self.barrier.confirm_leading().await {
                Ok(index) => Answer::ReadIndex(index),
                Err(error) => Answer::Failure(error),
            },
            Request::Status => Answer::Status(self.status()),
            Request::Elect => match self.raft.trigger().elect().await {
                Ok(()) => Answer::Elect,
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::Change(change) => match self.members.change(change).await {
                Ok(()) => Answer::Change,
                Err(error) => Answer::Failure(error),
            },
        }
    }

    /// Only as the leader: what is passed on is not passed on again.
    async fn submit(&self, envelope: &[u8]) -> Result<Answer, LedgerError> {
        let envelope = Envelope::decode(envelope).map_err(|error| LedgerError::Fault {
            reason: format!("a command that was passed on makes no sense: {error}"),
        })?;
        // Encoded here anew: what this release does not know is not passed on to others that may.
        let outcome = self.commands.submit(envelope.encode_checked()?.into()).await?;
        Ok(Answer::Submit(Box::new(outcome)))
    }

    pub(crate) fn status(&self) -> MemberStatus {
        let MetaStoreStatus {
            role,
            leader,
            term,
            last_log_index,
            applied_index,
            snapshot_index,
            ..
        } = MetaStoreStatus::of(&self.raft);
        MemberStatus {
            role,
            term,
            leader,
            last_log_index,
            applied_index,
            snapshot_index,
            clock: self.clock.now(),
        }
    }
}

#[async_trait]
impl PeerInbox for Inbox {
    async fn receive(&self, message: Bytes) -> Result<Bytes, PeerFault> {
        let request = self.group.open(message)?;
        Ok(encoding::encode_answer(&self.answer(request).await))
    }
}
