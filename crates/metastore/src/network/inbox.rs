use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::MetaId;
use custos_ledger::Envelope;
use custos_ports::{Clock, LedgerError, PeerFault, PeerInbox};

use super::{
    Answer, MemberStatus, Request, continuity::is_continuous, encoding,
    snapshot_receiver::SnapshotReceiver,
};
use crate::{elections::Elections, router::Router, status::MetaStoreStatus};

/// Answers what the other members send.
pub(crate) struct Inbox {
    router: Router,
    elections: Arc<Elections>,
    clock: Arc<dyn Clock>,
    snapshots: SnapshotReceiver,
}

impl Inbox {
    pub(crate) fn new(router: Router, elections: Arc<Elections>, clock: Arc<dyn Clock>) -> Self {
        Self { router, elections, clock, snapshots: SnapshotReceiver::default() }
    }

    async fn answer(&self, from: MetaId, request: Request) -> Answer {
        let Router { raft, barrier, members, .. } = &self.router;
        match request {
            Request::Append(append) if !is_continuous(&append) => {
                Answer::Fault("the entries do not follow on each other".to_owned())
            }
            Request::Append(append) => match raft.append_entries(append).await {
                Ok(answer) => Answer::Append(answer),
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::Vote(vote) => match raft.vote(vote).await {
                Ok(answer) => Answer::Vote(answer),
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::SnapshotOffer { vote: _, manifest } => {
                let have = self.snapshots.offer(raft, &manifest).await;
                have.map_or_else(Answer::Fault, Answer::SnapshotOffer)
            }
            Request::SnapshotPiece { snapshot_id, file, offset, data } => {
                let taken = self.snapshots.piece(&snapshot_id, file, offset, data).await;
                taken.map_or_else(Answer::Fault, |()| Answer::SnapshotPiece)
            }
            Request::SnapshotInstall { vote, snapshot_id } => {
                let installed = self.snapshots.install(raft, vote, &snapshot_id).await;
                installed.map_or_else(Answer::Fault, Answer::SnapshotInstall)
            }
            Request::Submit(envelope) => match self.submit(&envelope).await {
                Ok(answer) => answer,
                Err(error) => Answer::Failure(error),
            },
            Request::ReadIndex => match barrier.confirm_leading().await {
                Ok(index) => Answer::ReadIndex(index),
                Err(error) => Answer::Failure(error),
            },
            Request::Status => Answer::Status(self.status()),
            Request::PreVote => {
                let said = self.elections.pre_vote(from).await;
                said.map_or_else(Answer::Fault, Answer::PreVote)
            }
            Request::Elect => match raft.trigger().elect().await {
                Ok(()) => Answer::Elect,
                Err(error) => Answer::Fault(error.to_string()),
            },
            Request::Change(change) => match members.change(change).await {
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
        let outcome = self.router.commands.submit(envelope.encode_checked()?.into()).await?;
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
        } = MetaStoreStatus::of(&self.router.raft);
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
        let (from, request) = self.router.group.open(message)?;
        Ok(encoding::encode_answer(&self.answer(from, request).await))
    }
}
