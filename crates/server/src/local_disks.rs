use std::collections::HashSet;

use custos_core::DiskId;
use custos_peers::ClusterPeers;
use custos_storage_node::LocalStores;
use tokio::sync::watch;

/// Keeps the way to the disks of this process short: calls to them do not leave it.
pub(crate) struct LocalDisks {
    peers: ClusterPeers,
    known: HashSet<DiskId>,
}

impl LocalDisks {
    pub(crate) fn new(peers: ClusterPeers) -> Self {
        Self { peers, known: HashSet::new() }
    }

    /// These are the disks of this process now.
    pub(crate) fn set(&mut self, stores: LocalStores) {
        let now: HashSet<_> = stores.iter().map(|(disk, _)| *disk).collect();
        for gone in self.known.difference(&now) {
            self.peers.remove_local(*gone);
        }
        for (disk, store) in stores {
            self.peers.set_local(disk, store);
        }
        self.known = now;
    }

    /// Follows disks that are added, detached or lost, until the storage node ends.
    pub(crate) async fn follow(mut self, mut changes: watch::Receiver<LocalStores>) {
        while changes.changed().await.is_ok() {
            let stores = changes.borrow_and_update().clone();
            self.set(stores);
        }
    }
}
