use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::MetaId;
use custos_ledger::{Answer, Envelope, Outcome, Query};
use custos_ports::{Ledger, LedgerError, PeerFault, PeerInbox};
use parking_lot::RwLock;
use tokio::{sync::Mutex, time};

use crate::{
    dir_lock::LockEnd,
    export::LedgerExport,
    fault::Fault,
    members::Asked,
    network::{MemberChange, MemberStatus},
    services::Services,
    state::StateReader,
    status::MetaStoreStatus,
};

/// Longest wait for files to be closed after Raft has stopped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A running metastore. Clones share it; it stops by [`shutdown`](Self::shutdown), or when the
/// last clone is dropped.
#[derive(Clone)]
pub struct MetaStoreHandle {
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` once it is stopped.
    running: RwLock<Option<Arc<Running>>>,
    lock_end: Mutex<LockEnd>,
    fault: Fault,
}

/// What a running metastore needs to serve.
pub(crate) struct Running {
    pub(crate) services: Services,
    pub(crate) reader: StateReader,
}

/// A member of the group, as this one sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its identity.
    pub id: MetaId,
    /// Where the others reach it.
    pub endpoint: String,
    /// Whether it has a vote.
    pub is_voter: bool,
    /// What it says of itself, or why it does not answer.
    pub status: Result<MemberStatus, String>,
}

impl MetaStoreHandle {
    pub(crate) fn new(running: Running, lock_end: LockEnd, fault: Fault) -> Self {
        let running = RwLock::new(Some(Arc::new(running)));
        Self { shared: Arc::new(Shared { running, lock_end: Mutex::new(lock_end), fault }) }
    }

    /// How this node is doing; `None` once it is stopped.
    #[must_use]
    pub fn status(&self) -> Option<MetaStoreStatus> {
        let running = self.shared.running.read();
        running.as_ref().map(|running| MetaStoreStatus::of(&running.services.router.raft))
    }

    /// Resolves with the fault when the store cannot go on: a write or an fsync failed, or what
    /// was read is damaged. From then on every call fails, and the process should stop: nobody
    /// knows what the disk holds until the store is opened again.
    pub async fn failed(&self) -> LedgerError {
        LedgerError::Fault { reason: self.shared.fault.wait().await.to_string() }
    }

    /// Stops, and returns when every file is closed, so that the directory can be opened again.
    /// Commands in flight end as *unknown*. Stopping twice is fine.
    pub async fn shutdown(&self) {
        let running = self.shared.running.write().take();
        if let Some(running) = running {
            if let Err(error) = running.services.router.raft.shutdown().await {
                tracing::error!(%error, "raft did not stop cleanly");
            }
            drop(running);
        }
        let mut lock_end = self.shared.lock_end.lock().await;
        if time::timeout(CLOSE_TIMEOUT, lock_end.wait()).await.is_err() {
            tracing::error!("the metastore's files are still in use after it was stopped");
        }
    }

    /// Takes a new member into the group: it receives the log, and has no vote yet. The same again
    /// is fine. Any member may be asked.
    ///
    /// # Errors
    /// A refusal; `Unavailable` and `Unknown` may be tried again.
    pub async fn add_learner(&self, id: MetaId, endpoint: String) -> Result<(), LedgerError> {
        self.change(MemberChange::AddLearner { id, endpoint }).await
    }

    /// Gives a member that has caught up a vote.
    ///
    /// # Errors
    /// `Unavailable` while it is behind; else as [`add_learner`](Self::add_learner).
    pub async fn promote(&self, id: MetaId) -> Result<(), LedgerError> {
        self.change(MemberChange::Promote(id)).await
    }

    /// Takes a member out of the group. Its id never comes back.
    ///
    /// # Errors
    /// Refused (invariant I6) when those who stay and answer would be no quorum; else as
    /// [`add_learner`](Self::add_learner).
    pub async fn remove_member(&self, id: MetaId) -> Result<(), LedgerError> {
        self.change(MemberChange::Remove(id)).await
    }

    /// Makes a member the leader. No command is taken for about a second.
    ///
    /// # Errors
    /// Refused (invariant I6) for one without a vote; else as [`add_learner`](Self::add_learner).
    pub async fn lead(&self, id: MetaId) -> Result<(), LedgerError> {
        self.change(MemberChange::Lead(id)).await
    }

    async fn change(&self, change: MemberChange) -> Result<(), LedgerError> {
        let router = self.running()?.services.router.clone();
        router.change(&change).await
    }

    /// The members of the group, each asked how it is; this one alone where there is no group.
    /// Needs no leader: it is what this member knows.
    ///
    /// # Errors
    /// When this one is stopped.
    pub async fn members(&self) -> Result<Vec<GroupMember>, LedgerError> {
        let Services { router, inbox, .. } = self.running()?.services.clone();
        let members = router.members.ask_all(|| inbox.status(), |status| status).await;
        let members = members.into_iter().map(|Asked { peer, is_voter, said }| GroupMember {
            id: peer.id,
            endpoint: peer.endpoint,
            is_voter,
            status: said,
        });
        Ok(members.collect())
    }

    /// Before a planned stop: lets another member lead, if this one does and there is another.
    /// Takes a second or two.
    pub async fn leave_lead(&self) {
        let Ok(running) = self.running() else { return };
        if let Err(error) = running.services.router.members.leave_lead().await {
            tracing::warn!(%error, "leadership is not handed over; the others will notice");
        }
    }

    /// Waits until a leader is known and this member's state is current.
    ///
    /// # Errors
    /// When it is not after the time that a request may take, or this member is stopped.
    pub async fn wait_until_current(&self) -> Result<(), LedgerError> {
        let router = self.running()?.services.router.clone();
        router.wait_until_current().await
    }

    /// Takes a copy of the ledger, for a backup: all that was acknowledged before the call is in it.
    /// Takes a flush; what is served meanwhile goes on.
    ///
    /// # Errors
    /// `Unavailable` while this member cannot know what was acknowledged, a fault when the copy
    /// cannot be taken.
    pub async fn export(&self) -> Result<LedgerExport, LedgerError> {
        self.wait_until_current().await?;
        let running = self.running()?;
        let Services { router, inbox, .. } = &running.services;
        let (taken, by) = (inbox.status().clock, router.raft.metrics().borrow().id);
        let reader = running.reader.clone();
        drop(running);
        let exported = reader.export().await;
        let exported =
            exported.map_err(|error| LedgerError::Fault { reason: error.to_string() })?;
        Ok(LedgerExport { exported, by: MetaId(by), taken })
    }

    fn running(&self) -> Result<Arc<Running>, LedgerError> {
        self.shared.fault.check()?;
        let running = self.shared.running.read().clone();
        running
            .ok_or_else(|| LedgerError::Unavailable { reason: "the ledger is stopped".to_owned() })
    }
}

#[async_trait]
impl Ledger for MetaStoreHandle {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        let router = self.running()?.services.router.clone();
        router.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let running = self.running()?;
        let (router, reader) = (running.services.router.clone(), running.reader.clone());
        drop(running);
        router.wait_until_current().await?;
        reader.query(query).await
    }
}

#[async_trait]
impl PeerInbox for MetaStoreHandle {
    async fn receive(&self, message: Bytes) -> Result<Bytes, PeerFault> {
        let running = self.running();
        let inbox = running.map(|running| running.services.inbox.clone());
        let inbox = inbox.map_err(|error| PeerFault::Refused { reason: error.to_string() })?;
        inbox.receive(message).await
    }
}
