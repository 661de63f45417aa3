use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use custos_core::{
    ClusterMap, DiskGeneration, DiskId, DiskRecord, DiskState, Epoch, ErasureProfile,
    FailureDomain, Labels, NodeId, NodeRecord, RunId, Timestamp, VaultId, VaultRecord,
};
use parking_lot::Mutex;

use super::MemoryShardStore;
use crate::{Cluster, LedgerError, ShardStore};

/// A cluster whose disks are [`MemoryShardStore`]s: one host each unless told otherwise, and vault
/// 0 with the first n of them as its slots, in order.
pub struct MemoryCluster {
    map: Mutex<Arc<ClusterMap>>,
    stores: HashMap<DiskId, Arc<MemoryShardStore>>,
}

impl MemoryCluster {
    /// One disk for each host name in `hosts` (repeat a name for several disks of one host);
    /// disk number i has the id `[i + 1; 16]`, its node the id `[i + 1; 16]` of the host's first.
    ///
    /// # Panics
    /// When there are fewer disks than the profile needs.
    #[must_use]
    pub fn new(profile: ErasureProfile, hosts: &[&str]) -> Self {
        assert!(hosts.len() >= profile.total(), "one disk for each slot at least");
        let id = |number: usize| [u8::try_from(number + 1).expect("few disks"); 16];
        let epoch = Epoch(1);
        let mut map = ClusterMap { epoch, ..ClusterMap::default() };
        let mut stores = HashMap::new();
        for (number, host) in hosts.iter().enumerate() {
            let first = hosts.iter().position(|other| other == host).expect("is among them");
            let node_id = NodeId(id(first));
            if first == number {
                map.nodes.push(NodeRecord {
                    node_id,
                    name: (*host).to_owned(),
                    endpoint: String::new(),
                    labels: Labels { host: (*host).to_owned(), ..Labels::default() },
                    run: RunId([0; 16]),
                    registered_at: Timestamp::from_millis(0),
                });
            }
            let (disk_id, name) = (DiskId(id(number)), format!("disk {number}"));
            stores.insert(disk_id, Arc::new(MemoryShardStore::new(&name)));
            map.disks.push(DiskRecord {
                disk_id,
                node_id,
                name,
                weight: 1,
                generation: DiskGeneration(1),
                opening: RunId([0; 16]),
                state: DiskState::InService,
            });
        }
        map.vaults.push(VaultRecord {
            vault_id: VaultId(0),
            profile,
            level: FailureDomain::Host,
            slots: (0..profile.total()).map(|number| DiskId(id(number))).collect(),
            epoch,
        });
        Self { map: Mutex::new(Arc::new(map)), stores }
    }

    /// The memory behind disk number `number`.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn disk(&self, number: usize) -> Arc<MemoryShardStore> {
        let id = [u8::try_from(number + 1).expect("few disks"); 16];
        self.stores[&DiskId(id)].clone()
    }

    /// Replaces the map.
    pub fn set_map(&self, map: ClusterMap) {
        *self.map.lock() = Arc::new(map);
    }
}

#[async_trait]
impl Cluster for MemoryCluster {
    fn map(&self) -> Arc<ClusterMap> {
        self.map.lock().clone()
    }

    async fn refresh(&self) -> Result<Arc<ClusterMap>, LedgerError> {
        Ok(self.map())
    }

    fn store(&self, disk: DiskId) -> Arc<dyn ShardStore> {
        match self.stores.get(&disk) {
            Some(store) => store.clone(),
            None => {
                let missing = MemoryShardStore::new(&format!("disk {disk}"));
                missing.set_fault(super::Fault::Offline);
                Arc::new(missing)
            }
        }
    }
}
