use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use custos_core::limits::SHARD_PAYLOAD_BYTES_MAX;
use custos_core::{ChunkIndex, DiskGeneration, DiskId, EvidenceId, VaultId};
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::{Instant, timeout};

use super::byte_budget::{ByteBudget, Reservation};
use super::health::{Ended, Health, Ticket};
use super::{Backend, BackendKind, HealthLimits, Orders};
use crate::limits::DISK_READS_IN_FLIGHT_MAX;

/// What a whole shard is taken for as long as nothing better is known.
const PAYLOAD_BYTES_GUESS: usize = 4 << 20;

/// A disk in service: what guards it is the same for callers over the network and in the process.
///
/// It checks orders in the ledger before anything is removed, bounds the bytes under way, counts
/// failures, says when it is suspect, and stops at once when it is taken out of service.
pub(crate) struct NodeStore {
    name: String,
    disk_id: DiskId,
    kind: BackendKind,
    /// None once it is closed: whoever still holds this store does not keep the disk from being
    /// opened again.
    backend: RwLock<Option<Arc<dyn Backend>>>,
    generation: DiskGeneration,
    offline: RwLock<Option<String>>,
    health: Mutex<Health>,
    opened: Instant,
    budget: ByteBudget,
    orders: Orders,
    /// Held from the check of an order to the end of the removal: two orders at once would each
    /// see the shard that the other removes.
    removing: Arc<tokio::sync::Mutex<()>>,
    /// Held while the disk is asked for its status, so that one that hangs is asked once.
    asking: Arc<tokio::sync::Mutex<()>>,
    last_status: Arc<Mutex<StoreStatus>>,
    status_time_max: Duration,
    /// Turns of reads for callers over the network.
    reads: Arc<Semaphore>,
    /// About the largest payload of the last whole reads.
    payload_guess: AtomicUsize,
}

impl NodeStore {
    /// `generation` is the one that the ledger has accepted.
    pub(crate) fn new(
        backend: Arc<dyn Backend>,
        generation: DiskGeneration,
        limits: HealthLimits,
        budget: ByteBudget,
        orders: Orders,
    ) -> Self {
        let name = backend.name().to_owned();
        Self {
            name: name.clone(),
            disk_id: backend.id(),
            kind: backend.kind(),
            backend: RwLock::new(Some(backend)),
            generation,
            offline: RwLock::new(None),
            health: Mutex::new(Health::new(limits)),
            opened: Instant::now(),
            budget,
            orders,
            removing: Arc::default(),
            asking: Arc::default(),
            last_status: Arc::new(Mutex::new(StoreStatus { name, ..StoreStatus::default() })),
            status_time_max: limits.status_time_max,
            reads: Arc::new(Semaphore::new(DISK_READS_IN_FLIGHT_MAX)),
            payload_guess: AtomicUsize::new(PAYLOAD_BYTES_GUESS),
        }
    }

    pub(crate) fn disk_id(&self) -> DiskId {
        self.disk_id
    }

    pub(crate) fn generation(&self) -> DiskGeneration {
        self.generation
    }

    pub(crate) fn kind(&self) -> BackendKind {
        self.kind
    }

    /// Takes it out of service for good; the first reason stays.
    pub(crate) fn take_out(&self, reason: &str) {
        self.offline.write().get_or_insert_with(|| {
            tracing::error!(disk = self.name, reason, "disk is taken out of service");
            reason.to_owned()
        });
    }

    /// Takes it out of service and closes what is beneath.
    pub(crate) async fn close(&self, reason: &str) {
        self.offline.write().get_or_insert_with(|| reason.to_owned());
        let backend = self.backend.write().take();
        if let Some(backend) = backend {
            backend.close().await;
        }
    }

    /// Sets memory aside for a payload that is about to come.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, ShardError> {
        let overloaded = |reason| ShardError::Overloaded { store: self.name().to_owned(), reason };
        self.budget.reserve(bytes).map_err(overloaded)
    }

    /// Writes a shard whose memory is set aside already. It is free when the disk lets go of the
    /// bytes, which may be long after the caller has given up.
    pub(crate) async fn write_reserved(
        &self,
        shard: ShardWrite,
        reservation: Reservation,
    ) -> Result<(), ShardError> {
        let backend = self.in_service()?;
        let watch = WriteWatch::begin(self, shard.payload.len() as u64);
        let shard = ShardWrite { payload: reservation.hold(shard.payload), ..shard };
        let written = backend.write(shard).await;
        watch.end(&written);
        written?;
        // Whoever has the disk now may not know of this shard: it is not acknowledged.
        self.in_service().map(drop)
    }

    /// What is beneath, while it is in service.
    fn in_service(&self) -> Result<Arc<dyn Backend>, ShardError> {
        let backend = match &*self.offline.read() {
            Some(reason) => Err(reason.clone()),
            None => self.backend.read().clone().ok_or_else(|| "it is closed".to_owned()),
        };
        backend.map_err(|reason| ShardError::Offline { store: self.name.clone(), reason })
    }

    /// Reads a shard whose memory is set aside before; with what holds it. A caller that gives up
    /// does not free memory that is still being read into.
    pub(crate) async fn read_reserved(
        self: &Arc<Self>,
        key: ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<(ShardRead, Reservation), ShardError> {
        let turn = self.read_turn()?;
        let store = self.clone();
        let reading = tokio::spawn(async move {
            let bytes = store.bytes_to_read(&key, range.as_ref()).await?;
            let mut reservation = store.reserve(bytes)?;
            let is_whole = range.is_none();
            let read = store.read(&key, range).await?;
            drop(turn);
            let len = read.payload.len();
            let overloaded = |reason| ShardError::Overloaded { store: store.name.clone(), reason };
            store.budget.fit(&mut reservation, len).map_err(overloaded)?;
            if is_whole {
                let guess = store.payload_guess.load(Ordering::Relaxed);
                store.payload_guess.store(len.max(guess - guess / 8), Ordering::Relaxed);
            }
            Ok((read, reservation))
        });
        reading.await.unwrap_or_else(|error| Err(self.broke_off("reading", &error)))
    }

    fn read_turn(&self) -> Result<OwnedSemaphorePermit, ShardError> {
        self.reads.clone().try_acquire_owned().map_err(|_| ShardError::Overloaded {
            store: self.name.clone(),
            reason: format!("{DISK_READS_IN_FLIGHT_MAX} reads of this disk are under way"),
        })
    }

    /// How many bytes a read will take: a folder knows it, and a bucket is not asked for it.
    async fn bytes_to_read(
        &self,
        key: &ShardKey,
        range: Option<&Range<u64>>,
    ) -> Result<usize, ShardError> {
        let bytes = match range {
            Some(range) => range.end.saturating_sub(range.start),
            None if self.kind == BackendKind::Local => {
                let held = self.list_chunk(key.vault, key.evidence_id, key.chunk).await?;
                let entry = held.iter().find(|entry| entry.key == *key);
                entry.map_or(0, |entry| entry.payload_len)
            }
            None => self.payload_guess.load(Ordering::Relaxed) as u64,
        };
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX).min(SHARD_PAYLOAD_BYTES_MAX))
    }

    fn broke_off(&self, operation: &'static str, error: &JoinError) -> ShardError {
        ShardError::Io { store: self.name.clone(), operation, reason: error.to_string() }
    }

    /// What the disk says of itself; of one that does not answer in time, what it said last.
    async fn ask(&self, backend: Arc<dyn Backend>) -> StoreStatus {
        let asking = async {
            let turn = self.asking.clone().lock_owned().await;
            let last = self.last_status.clone();
            let asked = tokio::spawn(async move {
                let status = backend.status().await;
                *last.lock() = status;
                drop(turn);
            });
            asked.await
        };
        let answered = timeout(self.status_time_max, asking).await;
        let mut status = self.last_status.lock().clone();
        if !matches!(answered, Ok(Ok(()))) {
            let seconds = self.status_time_max.as_secs_f32();
            let reason = format!("it did not say within {seconds} s how it stands");
            status.suspect.get_or_insert(reason);
        }
        status
    }

    /// Notes what the outcome says of the disk.
    fn noted<T>(&self, outcome: Result<T, ShardError>) -> Result<T, ShardError> {
        self.health.lock().operation_ends(self.ended(&outcome));
        outcome
    }

    /// The same for what needs no byte of a shard: that it went well proves nothing.
    fn noted_listing<T>(&self, outcome: Result<T, ShardError>) -> Result<T, ShardError> {
        if outcome.is_err() { self.noted(outcome) } else { outcome }
    }

    fn ended<T>(&self, outcome: &Result<T, ShardError>) -> Ended {
        match outcome {
            Ok(_) => Ended::Well,
            Err(ShardError::Io { .. } | ShardError::Corrupt { .. }) => match self.kind {
                BackendKind::Local => Ended::Failed,
                // A bucket counts its failures and asks by itself whether it is back: here the last
                // ones would stand against it until somebody happens to write.
                BackendKind::S3 | BackendKind::Tiered => Ended::Neither,
            },
            Err(_) => Ended::Neither,
        }
    }
}

/// Sees to it that a write counts however it ends, also when its caller gives it up.
struct WriteWatch<'a> {
    store: &'a NodeStore,
    ticket: Ticket,
    bytes: u64,
    ended: Ended,
}

impl<'a> WriteWatch<'a> {
    fn begin(store: &'a NodeStore, bytes: u64) -> Self {
        let ticket = store.health.lock().write_begins(store.opened.elapsed());
        Self { store, ticket, bytes, ended: Ended::Neither }
    }

    fn end<T>(mut self, outcome: &Result<T, ShardError>) {
        self.ended = self.store.ended(outcome);
    }
}

impl Drop for WriteWatch<'_> {
    fn drop(&mut self) {
        let now = self.store.opened.elapsed();
        self.store.health.lock().write_ends(self.ticket, now, self.bytes, self.ended);
    }
}

#[async_trait]
impl ShardStore for NodeStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        let reservation = self.reserve(shard.payload.len())?;
        self.write_reserved(shard, reservation).await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        let backend = self.in_service()?;
        self.noted(backend.read(key, range).await)
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let backend = self.in_service()?;
        self.noted_listing(backend.list(vault, evidence_id, after, limit).await)
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        let backend = self.in_service()?;
        self.noted_listing(backend.list_chunk(vault, evidence_id, chunk).await)
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let backend = self.in_service()?;
        self.noted_listing(backend.list_all(vault, after, limit).await)
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        let backend = self.in_service()?;
        self.noted(backend.verify(key).await)
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let backend = self.in_service()?;
        self.noted_listing(backend.quarantine(limit).await)
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        let turn = self.removing.clone().lock_owned().await;
        let backend = self.in_service()?;
        let allowed = self.orders.check(&*backend, keys, order).await?;
        // The disk may have been taken over while the ledger was asked.
        self.in_service()?;
        if allowed.is_empty() {
            return Ok(());
        }
        // It goes on when the caller gives up, and so must keep the turn.
        let removing = tokio::spawn(async move {
            let removed = backend.remove(&allowed, order).await;
            drop(turn);
            removed
        });
        let removed = removing.await;
        self.noted(removed.unwrap_or_else(|error| Err(self.broke_off("removing", &error))))
    }

    async fn status(&self) -> StoreStatus {
        let backend = self.backend.read().clone();
        let mut status = match backend {
            Some(backend) => self.ask(backend).await,
            None => StoreStatus { name: self.name.clone(), ..StoreStatus::default() },
        };
        let health = self.health.lock();
        status.io_errors = status.io_errors.max(health.failures());
        status.suspect = status.suspect.or_else(|| health.suspicion(self.opened.elapsed()));
        status.offline = self.offline.read().clone().or(status.offline);
        status
    }
}
