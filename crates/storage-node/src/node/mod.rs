//! The node: its identity, its disks, and what happens to them while it runs.

mod aim;
mod disk_changes;
mod serving_disk;
mod start;

use std::sync::Arc;

use custos_core::{ClusterMap, DiskGeneration, DiskId, RunId, StoreStatus};
use custos_ports::{OfflineStore, ShardStore};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

pub(crate) use serving_disk::ServingDisk;
pub(crate) use start::start;

use crate::disk::{ByteBudget, Opener, Orders};
use crate::limits::DISK_STOP_TIMEOUT;
use crate::node_folder::{NodeFolder, Places};
use crate::registrar::Registrar;
use crate::scrub::DamageReporter;
use crate::supervision::{self, OwnDisk, OwnNode};
use crate::{DiskReport, NodeFailure, NodeStatus, ScrubChange, StorageDeps, StorageOptions};

/// The stores of a node's disks, for its own process.
pub type LocalStores = Vec<(DiskId, Arc<dyn ShardStore>)>;

/// A running storage node.
pub(crate) struct Node {
    pub(crate) options: StorageOptions,
    pub(crate) deps: StorageDeps,
    folder: NodeFolder,
    run: RunId,
    /// What is registered of the node itself.
    own: OwnNode,
    registrar: Registrar,
    opener: Opener,
    orders: Orders,
    reporter: DamageReporter,
    budget: ByteBudget,
    /// Turns of reads, so that what is read at once is bounded before its size is known.
    pub(crate) reads: Semaphore,
    slots: RwLock<Vec<Slot>>,
    /// Disks out of service that may not be closed yet.
    retired: Mutex<Vec<Arc<ServingDisk>>>,
    /// Which disk stands where.
    places: Arc<tokio::sync::Mutex<Places>>,
    /// Held while disks are added, and by the end of the node.
    changing: tokio::sync::Mutex<()>,
    /// The node stops.
    stopping: watch::Sender<bool>,
    /// When the map was last asked for because a caller knew a newer one.
    asked_map: tokio::sync::Mutex<Option<Instant>>,
    stores: watch::Sender<LocalStores>,
    failure: watch::Sender<Option<NodeFailure>>,
}

/// A disk that is configured or was added.
enum Slot {
    Serving(Arc<ServingDisk>),
    Out(OutDisk),
}

/// A disk that is not in service.
#[derive(Debug, Clone)]
struct OutDisk {
    /// What is known of it.
    disk_id: Option<DiskId>,
    /// Its name and place, for people.
    name: String,
    place: String,
    reason: String,
    retry: Retry,
}

/// Whether a disk that is out of service may come back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    /// It was not there: it is looked for now and then.
    Later,
    /// Someone has to do something first.
    Never,
}

impl Node {
    pub(crate) fn own(&self) -> OwnNode {
        self.own
    }

    pub(crate) fn stores(&self) -> watch::Receiver<LocalStores> {
        self.stores.subscribe()
    }

    pub(crate) fn failure(&self) -> watch::Receiver<Option<NodeFailure>> {
        self.failure.subscribe()
    }

    /// Disks in service.
    pub(crate) fn serving(&self) -> Vec<Arc<ServingDisk>> {
        let slots = self.slots.read();
        let serving = slots.iter().filter_map(|slot| match slot {
            Slot::Serving(disk) => Some(disk.clone()),
            Slot::Out(_) => None,
        });
        serving.collect()
    }

    pub(crate) fn serving_disk(&self, disk_id: DiskId) -> Option<Arc<ServingDisk>> {
        self.serving().into_iter().find(|disk| disk.store.disk_id() == disk_id)
    }

    /// Why a disk of this node is out of service, if it is one.
    fn out_reason(&self, disk_id: DiskId) -> Option<(String, String)> {
        let slots = self.slots.read();
        slots.iter().find_map(|slot| match slot {
            Slot::Out(out) if out.disk_id == Some(disk_id) => {
                Some((out.name.clone(), out.reason.clone()))
            }
            _ => None,
        })
    }

    /// Tells the process which stores it has. A disk that is out of service stands there too, so
    /// that whoever asks for it hears why, unless another node has it.
    fn publish(&self) {
        let map = self.deps.cluster.map();
        let slots = self.slots.read();
        let stores = slots.iter().filter_map(|slot| match slot {
            Slot::Serving(disk) => {
                let store: Arc<dyn ShardStore> = disk.store.clone();
                Some((disk.store.disk_id(), store))
            }
            Slot::Out(out) => {
                let id = out.disk_id.filter(|id| !self.is_elsewhere(&map, *id))?;
                let store: Arc<dyn ShardStore> =
                    Arc::new(OfflineStore::new(out.name.clone(), out.reason.clone()));
                Some((id, store))
            }
        });
        self.stores.send_replace(stores.collect());
    }

    fn is_elsewhere(&self, map: &ClusterMap, disk: DiskId) -> bool {
        map.disk(disk).is_some_and(|disk| disk.node_id != self.own.node_id)
    }

    /// Looks whether this process still is what the map says, and stops serving what it has lost.
    pub(crate) fn supervise(&self) {
        let map = self.deps.cluster.map();
        if self.failure.borrow().is_none()
            && let Some(failure) = supervision::usurper(&map, self.own)
        {
            tracing::error!(%failure, "node stops serving");
            self.serving().iter().for_each(|disk| disk.store.take_out(&failure.to_string()));
            self.failure.send_replace(Some(failure));
        }
        for disk in self.serving() {
            let own = OwnDisk {
                disk_id: disk.store.disk_id(),
                generation: disk.store.generation(),
                registered: disk.registered,
            };
            if let Some(reason) = supervision::lost(&map, self.own, own) {
                disk.store.take_out(&reason);
                self.retire(&disk, &reason);
            }
        }
        // What says here that a disk is out must not hide the disk once another node has it.
        let hides =
            |disk: DiskId| self.is_elsewhere(&map, disk) && self.serving_disk(disk).is_none();
        if self.stores.borrow().iter().any(|(disk, _)| hides(*disk)) {
            self.publish();
        }
    }

    /// Remembers why a disk is out of service and begins to close it.
    fn retire(&self, disk: &Arc<ServingDisk>, reason: &str) {
        let out = OutDisk {
            disk_id: Some(disk.store.disk_id()),
            name: disk.store.name().to_owned(),
            place: disk.place.clone(),
            reason: reason.to_owned(),
            retry: Retry::Never,
        };
        {
            // Before anybody sees that its place is free.
            let mut retired = self.retired.lock();
            retired.retain(|disk| !disk.is_closed());
            retired.push(disk.clone());
        }
        if let Some(slot) = self.slots.write().iter_mut().find(|slot| slot.is(disk)) {
            *slot = Slot::Out(out);
        }
        self.publish();
        disk.begin_stop(reason);
    }

    /// Waits for disks that were taken out of this place a moment ago: they hold it until they are
    /// closed, or hang.
    async fn until_left(&self, place: &str) {
        let leaving: Vec<_> =
            self.retired.lock().iter().filter(|disk| disk.place == place).cloned().collect();
        for disk in leaving {
            disk.closed_within(DISK_STOP_TIMEOUT).await;
        }
    }

    /// Changes the scrub of one disk, or of all in service.
    ///
    /// Returns false when there is no such disk in service.
    pub(crate) fn change_scrub(&self, disk_id: Option<DiskId>, change: ScrubChange) -> bool {
        let all = self.serving();
        let chosen: Vec<_> =
            all.iter().filter(|disk| disk_id.is_none_or(|id| disk.store.disk_id() == id)).collect();
        chosen.iter().for_each(|disk| disk.scrub.change(change));
        disk_id.is_none() || !chosen.is_empty()
    }

    pub(crate) async fn status(&self) -> NodeStatus {
        enum Found {
            Serving(Arc<ServingDisk>),
            Out(OutDisk),
        }
        let found: Vec<_> = self
            .slots
            .read()
            .iter()
            .map(|slot| match slot {
                Slot::Serving(disk) => Found::Serving(disk.clone()),
                Slot::Out(out) => Found::Out(out.clone()),
            })
            .collect();
        let reports = found.into_iter().map(|found| async {
            match found {
                Found::Serving(disk) => disk.report().await,
                Found::Out(out) => DiskReport {
                    disk_id: out.disk_id,
                    generation: DiskGeneration(0),
                    kind: None,
                    store: StoreStatus {
                        name: out.name,
                        offline: Some(out.reason),
                        ..StoreStatus::default()
                    },
                    scrub: None,
                },
            }
        });
        NodeStatus {
            node_id: self.own.node_id,
            run: self.run,
            name: self.options.name.clone(),
            epoch: self.deps.cluster.map().epoch,
            disks: futures::future::join_all(reports).await,
        }
    }

    /// From now on no disk is taken into service; what is being opened is given up.
    pub(crate) fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits until the node stops.
    async fn stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Stops everything. Afterwards every store says that the node stops, but for disks that hang:
    /// they are left alone after [`DISK_STOP_TIMEOUT`].
    pub(crate) async fn stop(&self) {
        self.begin_stop();
        let changing = timeout(DISK_STOP_TIMEOUT, self.changing.lock()).await;
        if changing.is_err() {
            tracing::error!("a disk that is being opened hangs and is left alone");
        }
        let mut ending = self.serving();
        ending.iter().for_each(|disk| disk.begin_stop("the node is stopping"));
        ending.append(&mut self.retired.lock());
        let closed = ending.iter().map(|disk| disk.closed_within(DISK_STOP_TIMEOUT));
        futures::future::join_all(closed).await;
    }
}

impl Slot {
    fn is(&self, disk: &Arc<ServingDisk>) -> bool {
        matches!(self, Self::Serving(own) if Arc::ptr_eq(own, disk))
    }

    fn place(&self) -> &str {
        match self {
            Self::Serving(disk) => &disk.place,
            Self::Out(out) => &out.place,
        }
    }
}
