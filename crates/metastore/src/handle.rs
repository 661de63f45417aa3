use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use custos_ledger::{Answer, Envelope, Outcome, Query};
use custos_ports::{Ledger, LedgerError};
use parking_lot::RwLock;
use tokio::{sync::Mutex, time};

use crate::{
    commands::CommandQueue, dir_lock::LockEnd, fault::Fault, raft_types::Raft, reads::ReadBarrier,
    state::StateReader, status::MetaStoreStatus,
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
    pub(crate) raft: Raft,
    pub(crate) commands: CommandQueue,
    pub(crate) barrier: ReadBarrier,
    pub(crate) reader: StateReader,
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
        running.as_ref().map(|running| MetaStoreStatus::of(&running.raft))
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
            if let Err(error) = running.raft.shutdown().await {
                tracing::error!(%error, "raft did not stop cleanly");
            }
            drop(running);
        }
        let mut lock_end = self.shared.lock_end.lock().await;
        if time::timeout(CLOSE_TIMEOUT, lock_end.wait()).await.is_err() {
            tracing::error!("the metastore's files are still in use after it was stopped");
        }
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
        let commands = self.running()?.commands.clone();
        commands.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let (barrier, reader) = {
            let running = self.running()?;
            (running.barrier.clone(), running.reader.clone())
        };
        barrier.pass().await?;
        reader.query(query).await
    }
}
