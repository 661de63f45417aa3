use custos_metastore::MetaStoreHandle;
use custos_ports::LedgerError;
use custos_storage_node::{NodeFailure, StorageNodeHandle};
use tokio::task::JoinSet;

use crate::RunError;

/// What runs in this process and must be closed at its end.
#[derive(Default)]
pub(crate) struct Roles {
    pub(crate) ledger: Option<MetaStoreHandle>,
    pub(crate) storage: Option<StorageNodeHandle>,
    /// Tasks that may be cut off at any time.
    pub(crate) tasks: JoinSet<()>,
}

impl Roles {
    /// Resolves when one of them cannot go on.
    pub(crate) async fn failed(&self) -> RunError {
        tokio::select! {
            error = ledger_failed(self.ledger.as_ref()) => RunError::Ledger(error),
            failure = storage_failed(self.storage.as_ref()) => RunError::Storage(failure),
        }
    }

    /// Lets another member of the ledger's group lead, if this one does: before those who are
    /// served still have something to ask.
    pub(crate) async fn leave_lead(&self) {
        if let Some(ledger) = &self.ledger {
            ledger.leave_lead().await;
        }
    }

    /// Finishes writes under way and closes files: first the disks, as they still may have
    /// something to tell the ledger.
    pub(crate) async fn close(mut self) {
        self.tasks.shutdown().await;
        if let Some(storage) = self.storage {
            storage.shutdown().await;
        }
        if let Some(ledger) = self.ledger {
            ledger.shutdown().await;
        }
    }
}

async fn ledger_failed(ledger: Option<&MetaStoreHandle>) -> LedgerError {
    match ledger {
        Some(ledger) => ledger.failed().await,
        None => std::future::pending().await,
    }
}

async fn storage_failed(storage: Option<&StorageNodeHandle>) -> NodeFailure {
    match storage {
        Some(storage) => storage.failed().await,
        None => std::future::pending().await,
    }
}
