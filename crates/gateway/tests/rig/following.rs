use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use custos_core::{ClusterMap, DiskId};
use custos_ports::{
    Cluster, LedgerError, ShardStore,
    fakes::{MemoryCluster, MemoryLedger},
};

/// Disks in memory, with the map that the ledger has.
pub(crate) struct FollowingCluster {
    disks: MemoryCluster,
    ledger: Arc<MemoryLedger>,
    lagging: AtomicUsize,
}

impl FollowingCluster {
    pub(crate) fn new(disks: MemoryCluster, ledger: Arc<MemoryLedger>) -> Self {
        disks.set_map(ledger.map());
        Self { disks, ledger, lagging: AtomicUsize::new(0) }
    }

    /// The map at hand from now on, until it is read anew.
    pub(crate) fn set_map(&self, map: ClusterMap) {
        self.disks.set_map(map);
    }

    /// So many refreshes still give the map at hand: it changes right after it was read.
    pub(crate) fn lag(&self, refreshes: usize) {
        self.lagging.store(refreshes, Ordering::Relaxed);
    }
}

#[async_trait]
impl Cluster for FollowingCluster {
    fn map(&self) -> Arc<ClusterMap> {
        self.disks.map()
    }

    async fn refresh(&self) -> Result<Arc<ClusterMap>, LedgerError> {
        let step = |left: usize| left.checked_sub(1);
        if self.lagging.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_err() {
            self.disks.set_map(self.ledger.map());
        }
        Ok(self.disks.map())
    }

    fn store(&self, disk: DiskId) -> Arc<dyn ShardStore> {
        self.disks.store(disk)
    }
}
