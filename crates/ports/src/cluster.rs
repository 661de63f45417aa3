use std::sync::Arc;

use async_trait::async_trait;
use custos_core::{ClusterMap, DiskId};

use crate::{LedgerError, ShardStore};

/// The cluster as one process sees it: the map, and a store for each disk in it.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// The map as last read; never blocks.
    fn map(&self) -> Arc<ClusterMap>;

    /// Reads the map anew from the ledger: no older than any command acknowledged before the call.
    ///
    /// # Errors
    /// When the ledger does not answer; the map stays as it was.
    async fn refresh(&self) -> Result<Arc<ClusterMap>, LedgerError>;

    /// The store of a disk; never blocks. Of a disk that cannot be reached or is not in the map, a
    /// store whose every call fails as `Offline` and says why.
    fn store(&self, disk: DiskId) -> Arc<dyn ShardStore>;
}
