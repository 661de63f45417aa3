//! The stores as a gateway uses them: each call with a deadline, a bounded number of writes at a
//! time, and a memory of how it went.

mod access;
mod health;
mod typical;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use custos_core::{ClusterMap, DiskId};
use custos_ports::Cluster;
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;

pub(crate) use self::{
    access::StoreAccess,
    health::{Cause, HealthLimits, Operation, Standing},
};
use self::{access::StoreState, typical::TypicalLatency};

/// Longest waits for a store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreDeadlines {
    /// A write that waits longer than this for its turn is not made.
    pub(crate) in_time: Duration,
    /// A write that takes longer than this has failed.
    pub(crate) write: Duration,
    /// A read or listing that takes longer than this has failed.
    pub(crate) read: Duration,
}

/// What is remembered of every store that was used, by disk.
pub(crate) struct Stores {
    shared: Arc<Shared>,
    /// Bounded by the disks of the map.
    states: Mutex<HashMap<DiskId, Arc<StoreState>>>,
}

/// The same for every store.
pub(crate) struct Shared {
    pub(crate) deadlines: StoreDeadlines,
    pub(crate) limits: HealthLimits,
    pub(crate) typical_write: TypicalLatency,
    pub(crate) typical_read: TypicalLatency,
    pub(crate) suspects: Gauge,
}

impl Stores {
    pub(crate) fn new(deadlines: StoreDeadlines, limits: HealthLimits, suspects: Gauge) -> Self {
        let shared = Shared {
            deadlines,
            limits,
            typical_write: TypicalLatency::default(),
            typical_read: TypicalLatency::default(),
            suspects,
        };
        Self { shared: Arc::new(shared), states: Mutex::default() }
    }

    /// The store of a disk, with what is remembered of it.
    pub(crate) fn access(&self, cluster: &dyn Cluster, disk: DiskId) -> StoreAccess {
        let store = cluster.store(disk);
        let mut states = self.states.lock();
        if !states.contains_key(&disk) {
            self.forget_unknown(&mut states, &cluster.map());
        }
        let state = states.entry(disk).or_insert_with(|| Arc::new(StoreState::new(disk))).clone();
        drop(states);
        StoreAccess::new(store, state, self.shared.clone())
    }

    /// The disks whose stores are suspect now.
    pub(crate) fn suspects(&self) -> HashSet<DiskId> {
        let states = self.states.lock();
        states.iter().filter(|(_, state)| state.is_suspect()).map(|(disk, _)| *disk).collect()
    }

    /// Disks that left the map are forgotten, so that there are never more states than disks.
    fn forget_unknown(&self, states: &mut HashMap<DiskId, Arc<StoreState>>, map: &ClusterMap) {
        if states.len() > map.disks.len() {
            states.retain(|disk, state| {
                let known = map.disk(*disk).is_some();
                if !known {
                    state.leave(&self.shared.suspects);
                }
                known
            });
        }
    }
}
