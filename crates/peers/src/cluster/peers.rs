use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use custos_core::{ClusterMap, DiskId, NodeId};
use custos_ports::{Cluster, Entropy, Ledger, LedgerError, OfflineStore, ShardStore};
use parking_lot::RwLock;
use tokio::{sync::watch, time::sleep};
use tracing::{info, warn};

use super::{MapKeeper, NoRoute, NodeClient, Route};
use crate::{
    Channels, PeerError, RemoteShardStore, jitter, limits::MAP_POLL_INTERVAL,
    shard_store::Deadlines,
};

/// What an administrator or a test may set; [`Default`] is meant for all others.
#[derive(Debug, Clone)]
pub struct ClusterOptions {
    /// The map is read anew this often, give or take a quarter.
    pub poll_interval: Duration,
    /// Longest call of each sort to a store of another node.
    pub deadlines: Deadlines,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self { poll_interval: MAP_POLL_INTERVAL, deadlines: Deadlines::default() }
    }
}

/// The cluster as this process sees it. Cheap to clone; the map is kept fresh until the last clone
/// is dropped.
#[derive(Clone)]
pub struct ClusterPeers {
    inner: Arc<Inner>,
}

struct Inner {
    keeper: Arc<MapKeeper>,
    channels: Option<Channels>,
    deadlines: Deadlines,
    /// Stores of this process, whatever the map says of the way to them.
    local: RwLock<HashMap<DiskId, Arc<dyn ShardStore>>>,
    /// No more than the map has disks.
    remote: RwLock<HashMap<DiskId, Arc<RemoteShardStore>>>,
}

impl ClusterPeers {
    /// Begins with the empty map and reads it at once and then ever again, until the last clone is
    /// dropped. Without `channels`, only stores of this process are in reach. Must be called
    /// within a tokio runtime.
    #[must_use]
    pub fn spawn(
        options: ClusterOptions,
        ledger: Arc<dyn Ledger>,
        channels: Option<Channels>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let inner = Arc::new(Inner {
            keeper: Arc::new(MapKeeper::new(ledger)),
            channels,
            deadlines: options.deadlines,
            local: RwLock::default(),
            remote: RwLock::default(),
        });
        tokio::spawn(poll(Arc::downgrade(&inner), options.poll_interval, entropy));
        Self { inner }
    }

    /// Tells of every change of the map; the value is the map itself.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<ClusterMap>> {
        self.inner.keeper.changes()
    }

    /// A disk of this process: from now on [`store`](Cluster::store) gives this.
    pub fn set_local(&self, disk: DiskId, store: Arc<dyn ShardStore>) {
        self.inner.local.write().insert(disk, store);
    }

    /// The disk is in this process no more.
    pub fn remove_local(&self, disk: DiskId) {
        self.inner.local.write().remove(&disk);
    }

    /// For the administration of a node.
    ///
    /// # Errors
    /// When the map has no such node, or no way to it. That it does not answer shows at the first
    /// call.
    pub fn node_client(&self, node_id: NodeId) -> Result<NodeClient, PeerError> {
        let map = self.map();
        let node = map.node(node_id).ok_or(PeerError::NoSuchNode { node_id })?;
        let name = node.name.clone();
        match &self.inner.channels {
            Some(channels) if !node.endpoint.is_empty() => {
                Ok(NodeClient::new(node_id, channels.peer(&node.endpoint)?))
            }
            _ => Err(PeerError::NoEndpoint { name }),
        }
    }
}

#[async_trait]
impl Cluster for ClusterPeers {
    fn map(&self) -> Arc<ClusterMap> {
        self.inner.keeper.map()
    }

    async fn refresh(&self) -> Result<Arc<ClusterMap>, LedgerError> {
        let map = self.inner.keeper.refresh().await?;
        self.inner.forget_what_is_gone(&map);
        Ok(map)
    }

    fn store(&self, disk: DiskId) -> Arc<dyn ShardStore> {
        if let Some(store) = self.inner.local.read().get(&disk) {
            return store.clone();
        }
        let offline = |NoRoute { name, reason }| -> Arc<dyn ShardStore> {
            Arc::new(OfflineStore::new(name, reason))
        };
        let route = match Route::find(&self.map(), disk) {
            Ok(route) => route,
            Err(none) => return offline(none),
        };
        let Some(channels) = &self.inner.channels else {
            let reason = "this process has no connections to other nodes".to_owned();
            return offline(NoRoute { name: route.name, reason });
        };
        // The store looks the way up anew at every call; only its name stays.
        if let Some(store) = self.inner.remote.read().get(&disk)
            && store.name() == route.name
        {
            return store.clone();
        }
        let keeper = self.inner.keeper.clone();
        let deadlines = self.inner.deadlines.clone();
        let store =
            Arc::new(RemoteShardStore::new(disk, route.name, keeper, channels.clone(), deadlines));
        self.inner.remote.write().insert(disk, store.clone());
        store
    }
}

impl Inner {
    fn forget_what_is_gone(&self, map: &ClusterMap) {
        self.remote.write().retain(|disk, _| Route::find(map, *disk).is_ok());
        if let Some(channels) = &self.channels {
            let endpoints: HashSet<_> =
                map.nodes.iter().map(|node| node.endpoint.as_str()).collect();
            channels.retain(|endpoint| endpoints.contains(endpoint));
        }
    }
}

/// Reads the map for ever. Whether the ledger answers is logged when it changes, not each time.
async fn poll(inner: Weak<Inner>, interval: Duration, entropy: Arc<dyn Entropy>) {
    let mut answers = true;
    loop {
        let Some(alive) = inner.upgrade() else { return };
        match alive.keeper.refresh().await {
            Ok(map) => {
                alive.forget_what_is_gone(&map);
                if !answers {
                    info!(epoch = map.epoch.0, "the cluster map is read again");
                }
                answers = true;
            }
            Err(error) => {
                if answers {
                    let epoch = alive.keeper.map().epoch.0;
                    warn!(%error, epoch, "the cluster map cannot be read; the last one stands");
                }
                answers = false;
            }
        }
        drop(alive);
        sleep(jitter::spread(&*entropy, interval)).await;
    }
}
