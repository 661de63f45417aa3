use std::collections::HashMap;
use std::sync::Arc;

use custos_core::{Actor, DiskId, Epoch, ErrorKind, NodeId, RunId};
use custos_ports::ShardStore;
use futures::future::join_all;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, watch};

use super::{Node, OutDisk, Retry, ServingDisk, Slot};
use crate::disk::{
    Backend, ByteBudget, Expected, FailureWeight, Found, NodeStore, OpenDisk, OpenFailure, Opener,
    Orders,
};
use crate::double;
use crate::limits::{DISKS_MAX, READS_IN_FLIGHT_MAX, WEIGHT_WITHOUT_SIZE};
use crate::node_folder::{NodeFolder, Origin, Place, Places};
use crate::registrar::{NotRegistered, Registered, Registrar};
use crate::scrub::{DamageReporter, Scrubber, TROUBLE_PAUSE};
use crate::supervision::OwnNode;
use crate::tiered::Mover;
use crate::{
    DiskPlace, DiskSpec, MovingOptions, SameIdentity, StartError, StorageDeps, StorageOptions,
    WhenAbsent,
};

/// Opens the node's folder and disks and registers them. Waits for the ledger as long as it takes;
/// the caller may drop the call.
pub(crate) async fn start(
    options: StorageOptions,
    deps: StorageDeps,
) -> Result<Arc<Node>, StartError> {
    let (folder, entropy) = (options.folder.clone(), deps.entropy.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let folder = NodeFolder::open(&folder, &*entropy)?;
        let places = folder.places()?;
        Ok((folder, places))
    });
    let (folder, places) = opened.await.expect("opening the folder does not panic")?;
    let specs = specs(&options, &places)?;
    let opener = Opener {
        local: options.local.clone(),
        entropy: deps.entropy.clone(),
        clock: deps.clock.clone(),
    };
    let opened = open_all(&opener, &specs, &places).await?;

    let actor = Actor { name: options.name.clone(), ..Actor::system() };
    let registrar = Registrar::new(deps.ledger.clone(), deps.entropy.clone(), actor.clone());
    let run = RunId(deps.entropy.array());
    let registered = match register(&registrar, &options, &deps, folder.node_id(), run).await {
        Ok(registered) => registered,
        Err(error) => {
            close_all(&opened).await;
            return Err(error);
        }
    };
    tracing::info!(node = options.name, id = %folder.node_id(), %run, "node registered");

    let node = Arc::new(Node {
        own: OwnNode { node_id: folder.node_id(), run, registered },
        run,
        registrar,
        opener,
        orders: Orders::new(deps.ledger.clone(), deps.clock.clone()),
        reporter: DamageReporter {
            ledger: deps.ledger.clone(),
            entropy: deps.entropy.clone(),
            actor,
        },
        budget: ByteBudget::new(options.in_flight_bytes_max),
        reads: Semaphore::new(READS_IN_FLIGHT_MAX),
        slots: RwLock::new(Vec::new()),
        retired: Mutex::default(),
        places: Arc::new(tokio::sync::Mutex::new(places)),
        changing: tokio::sync::Mutex::default(),
        stopping: watch::Sender::new(false),
        asked_map: tokio::sync::Mutex::new(None),
        stores: watch::Sender::new(Vec::new()),
        failure: watch::Sender::new(None),
        folder,
        options,
        deps,
    });
    // Until it has read a map that knows them, nobody finds the disks here, and neither does it.
    let taking =
        specs.iter().zip(opened).map(|(spec, opened)| node.take_into_service(spec, opened));
    let slots = join_all(taking).await;
    *node.slots.write() = slots;
    if let Err(error) = node.deps.cluster.refresh().await {
        tracing::warn!(%error, "the cluster map could not be read anew; it follows");
    }
    node.publish();
    Ok(node)
}

/// The configured disks, and those that were added while the node ran.
fn specs(options: &StorageOptions, places: &Places) -> Result<Vec<DiskSpec>, StartError> {
    let mut specs = options.disks.clone();
    for added in places.added() {
        if specs.iter().all(|spec| spec.place.text() != added.place) {
            specs.push(added_spec(&added.place, WhenAbsent::Refuse));
        }
    }
    match specs.len() {
        given if given > DISKS_MAX => Err(StartError::TooManyDisks { given, limit: DISKS_MAX }),
        _ => Ok(specs),
    }
}

/// A disk that no configuration names, called by the last part of its folder.
pub(super) fn added_spec(folder: &str, absent: WhenAbsent) -> DiskSpec {
    let last = folder.rsplit('/').find(|part| !part.is_empty()).unwrap_or(folder);
    let name: String = last.chars().filter(|char| !char.is_control()).take(16).collect();
    DiskSpec { name, place: DiskPlace::Folder(folder.into()), weight: None, absent }
}

/// A disk that was opened, or why not, with the id that is known of it.
type Opened = Result<OpenDisk, (Option<DiskId>, OpenFailure)>;

/// What the node remembers of a place.
pub(super) fn expected(spec: &DiskSpec, places: &Places) -> Expected {
    let place = spec.place.text();
    let disk_id = places.at(&place).map(|place| place.disk_id);
    let cold_place = disk_id.and_then(|id| places.cold_place(id, &place)).map(str::to_owned);
    Expected { disk_id, cold_place }
}

async fn open_all(
    opener: &Opener,
    specs: &[DiskSpec],
    places: &Places,
) -> Result<Vec<Opened>, StartError> {
    let opening = specs.iter().map(|spec| {
        let expected = expected(spec, places);
        async move {
            let opened = opener.open(spec, &expected).await;
            opened.map_err(|failure| (expected.disk_id, failure))
        }
    });
    let mut opened: Vec<Opened> = join_all(opening).await;
    let fatal = specs.iter().zip(&opened).find_map(|(spec, opened)| match opened {
        Err((_, failure)) if failure.weight == FailureWeight::StopsStart => {
            Some(StartError::Disk {
                disk: format!("{} ({})", spec.name, spec.place.text()),
                reason: failure.reason.clone(),
                kind: failure.kind,
            })
        }
        _ => None,
    });
    if let Some(error) = fatal {
        close_all(&opened).await;
        return Err(error);
    }
    refuse_copies(specs, &mut opened).await;
    Ok(opened)
}

async fn close_all(opened: &[Opened]) {
    join_all(opened.iter().flatten().map(|disk| disk.backend.close())).await;
}

/// Says who this node is, unless another process with its identity runs at another address.
async fn register(
    registrar: &Registrar,
    options: &StorageOptions,
    deps: &StorageDeps,
    node_id: NodeId,
    run: RunId,
) -> Result<Epoch, StartError> {
    let StorageOptions { name, endpoint, .. } = options;
    let refused = |error| node_refused(name, error);
    let map = registrar.newest_map(&*deps.cluster, name).await.map_err(refused)?;
    if let Some(other) = double::running(&map, node_id, endpoint, &deps.peers).await {
        return Err(StartError::SameIdentity(Box::new(SameIdentity {
            node_id,
            name: name.clone(),
            endpoint: match endpoint.as_str() {
                "" => "no address".to_owned(),
                endpoint => endpoint.to_owned(),
            },
            folder: options.folder.clone(),
            other_name: other.name,
            other_endpoint: other.endpoint,
            other_run: other.run,
        })));
    }
    registrar.node(options, node_id, run).await.map_err(refused)
}

/// Of several places with one disk, the one that was opened last counts.
async fn refuse_copies(specs: &[DiskSpec], opened: &mut [Opened]) {
    let mut newest: HashMap<DiskId, usize> = HashMap::new();
    for number in 0..opened.len() {
        let Ok(disk) = &opened[number] else { continue };
        let id = disk.backend.id();
        let Some(other) = newest.insert(id, number) else { continue };
        let generation =
            |number: usize| opened[number].as_ref().ok().map(|disk| disk.backend.generation());
        let (keeps, copy) = match generation(number) > generation(other) {
            true => (number, other),
            false => (other, number),
        };
        newest.insert(id, keeps);
        let failure = OpenFailure {
            reason: format!(
                "it holds disk {id}, which is also at {}: one of the two is a copy; remove the \
                 copy",
                specs[keeps].place.text()
            ),
            kind: ErrorKind::Integrity,
            weight: FailureWeight::LeavesOut,
            found: Found::Something,
        };
        // Its id stays with the other place.
        if let Ok(disk) = std::mem::replace(&mut opened[copy], Err((None, failure))) {
            disk.backend.close().await;
        }
    }
}

impl Node {
    /// Registers an opened disk and makes it ready to serve; otherwise says why not.
    async fn take_into_service(&self, spec: &DiskSpec, opened: Opened) -> Slot {
        let place = spec.place.text();
        let name = format!("{} ({place})", spec.name);
        let out = |disk_id: Option<DiskId>, reason: String, retry: Retry| {
            tracing::error!(disk = name, reason, "disk is left out of service");
            let (name, place) = (name.clone(), place.clone());
            Slot::Out(OutDisk { disk_id, name, place, reason, retry })
        };
        let disk = match opened {
            Ok(disk) => disk,
            Err((disk_id, failure)) => {
                let retry = match failure.kind {
                    ErrorKind::Unavailable => Retry::Later,
                    _ => Retry::Never,
                };
                return out(disk_id, failure.reason, retry);
            }
        };
        match self.register_disk(spec, &disk.backend).await {
            Ok(registered) => {
                let serving = self.serve(disk, place.clone(), registered);
                self.remember(spec, &serving, Origin::Configured).await;
                Slot::Serving(serving)
            }
            Err(error) => {
                disk.backend.close().await;
                out(Some(disk.backend.id()), not_registered(error), Retry::Never)
            }
        }
    }

    pub(super) async fn register_disk(
        &self,
        spec: &DiskSpec,
        backend: &Arc<dyn Backend>,
    ) -> Result<Registered, NotRegistered> {
        let weight = match spec.weight {
            Some(weight) => weight.max(1),
            None => match backend.status().await.total_bytes {
                0 => WEIGHT_WITHOUT_SIZE,
                bytes => u32::try_from(bytes >> 30).unwrap_or(u32::MAX).max(1),
            },
        };
        self.registrar.disk(self.own.node_id, &spec.name, weight, backend).await
    }

    /// Puts the guard around a registered disk and starts its tasks.
    pub(super) fn serve(
        &self,
        disk: OpenDisk,
        place: String,
        registered: Registered,
    ) -> Arc<ServingDisk> {
        let Registered { generation, epoch } = registered;
        let store = Arc::new(NodeStore::new(
            disk.backend,
            generation,
            self.options.health,
            self.budget.clone(),
            self.orders.clone(),
        ));
        let scrubber = Scrubber {
            disk_id: store.disk_id(),
            kind: store.kind(),
            store: store.clone(),
            reporter: self.reporter.clone(),
            clock: self.deps.clock.clone(),
            file: self.folder.scrub_file(store.disk_id()),
            trouble_pause: TROUBLE_PAUSE,
        };
        let (name, id) = (store.name(), store.disk_id());
        tracing::info!(disk = name, %id, %generation, "disk in service");
        let scrub = scrubber.start(self.options.scrub);
        let MovingOptions { bytes_per_second, pause } = self.options.moving;
        let mover = disk.tiered.map(|store| {
            Mover { store, orders: self.orders.clone(), bytes_per_second, pause }.start()
        });
        ServingDisk::new(store, scrub, mover, place, epoch)
    }

    /// Writes down which disk stands where; without that the next start is less sure, but works.
    pub(super) async fn remember(&self, spec: &DiskSpec, disk: &ServingDisk, origin: Origin) {
        let mut places = self.places.clone().lock_owned().await;
        let disk_id = disk.store.disk_id();
        let place = spec.place.text();
        let origin = places.at(&place).map_or(origin, |known| known.origin);
        let cold = spec.place.cold_text().map(|place| (place, Origin::Configured));
        let saving = tokio::task::spawn_blocking(move || {
            let mut all = [(place, origin)].into_iter().chain(cold);
            all.try_for_each(|(place, origin)| places.record(Place { place, disk_id, origin }))
        });
        if let Err(error) = saving.await.expect("writing down a place does not panic") {
            let disk = disk.store.name();
            tracing::warn!(disk, %error, "where this disk stands could not be written down");
        }
    }
}

/// What a disk's status says of it.
pub(super) fn not_registered(error: NotRegistered) -> String {
    match error {
        NotRegistered::Refused(refusal) => refusal.to_string(),
        NotRegistered::Fault(reason) => format!("the ledger failed: {reason}"),
        NotRegistered::Opening(error) => error.to_string(),
    }
}

fn node_refused(name: &str, error: NotRegistered) -> StartError {
    match error {
        NotRegistered::Refused(refusal) => StartError::Refused { name: name.to_owned(), refusal },
        NotRegistered::Fault(reason) => StartError::Ledger { reason },
        NotRegistered::Opening(error) => StartError::Ledger { reason: error.to_string() },
    }
}
