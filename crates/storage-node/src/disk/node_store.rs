use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use custos_core::{ChunkIndex, DiskGeneration, DiskId, EvidenceId, VaultId};
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};
use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use super::byte_budget::{ByteBudget, Reservation};
use super::health::{Ended, Health, Ticket};
use super::{Backend, BackendKind, HealthLimits, Orders};

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
        Self {
            name: backend.name().to_owned(),
            disk_id: backend.id(),
            kind: backend.kind(),
            backend: RwLock::new(Some(backend)),
            generation,
            offline: RwLock::new(None),
            health: Mutex::new(Health::new(limits)),
            opened: Instant::now(),
            budget,
            orders,
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

    /// Writes a shard whose memory is set aside already.
    pub(crate) async fn write_reserved(
        &self,
        shard: ShardWrite,
        reservation: Reservation,
    ) -> Result<(), ShardError> {
        let backend = self.in_service()?;
        let watch = WriteWatch::begin(self, shard.payload.len() as u64);
        let written = backend.write(shard).await;
        drop(reservation);
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

    /// Notes what the outcome says of the disk.
    fn noted<T>(&self, outcome: Result<T, ShardError>) -> Result<T, ShardError> {
        self.health.lock().operation_ends(ended(&outcome));
        outcome
    }

    /// The same for what needs no byte of a shard: that it went well proves nothing.
    fn noted_listing<T>(&self, outcome: Result<T, ShardError>) -> Result<T, ShardError> {
        if outcome.is_err() { self.noted(outcome) } else { outcome }
    }
}

fn ended<T>(outcome: &Result<T, ShardError>) -> Ended {
    match outcome {
        Ok(_) => Ended::Well,
        Err(ShardError::Io { .. } | ShardError::Corrupt { .. }) => Ended::Failed,
        Err(_) => Ended::Neither,
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
        self.ended = ended(outcome);
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
        let backend = self.in_service()?;
        let allowed = self.orders.check(&*backend, keys, order).await?;
        // The disk may have been taken over while the ledger was asked.
        self.in_service()?;
        if allowed.is_empty() {
            return Ok(());
        }
        self.noted(backend.remove(&allowed, order).await)
    }

    async fn status(&self) -> StoreStatus {
        let backend = self.backend.read().clone();
        let mut status = match backend {
            Some(backend) => backend.status().await,
            None => StoreStatus { name: self.name.clone(), ..StoreStatus::default() },
        };
        let health = self.health.lock();
        status.io_errors = status.io_errors.max(health.failures());
        status.suspect = status.suspect.or_else(|| health.suspicion(self.opened.elapsed()));
        status.offline = self.offline.read().clone().or(status.offline);
        status
    }
}
