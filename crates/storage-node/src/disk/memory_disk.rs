//! For tests.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use custos_core::{ChunkIndex, DiskGeneration, DiskId, EvidenceId, RunId, VaultId};
use custos_ports::fakes::MemoryShardStore;
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{Backend, BackendKind, OpeningError};

/// A disk in memory that fails on demand.
pub(crate) struct MemoryDisk {
    pub(crate) store: MemoryShardStore,
    kind: BackendKind,
    /// It hangs while it is true.
    hangs: watch::Sender<bool>,
    hanging: AtomicUsize,
    /// Reading one of these fails.
    unreadable: Mutex<BTreeSet<ShardKey>>,
}

impl MemoryDisk {
    pub(crate) fn new(store: MemoryShardStore, kind: BackendKind) -> Self {
        Self {
            store,
            kind,
            hangs: watch::Sender::new(false),
            hanging: AtomicUsize::new(0),
            unreadable: Mutex::default(),
        }
    }

    /// Calls for its status, and those to close it, hang from now on.
    pub(crate) fn hang(&self) {
        self.hangs.send_replace(true);
    }

    pub(crate) fn go_on(&self) {
        self.hangs.send_replace(false);
    }

    /// How many calls have begun to hang.
    pub(crate) fn hanging(&self) -> usize {
        self.hanging.load(Ordering::Relaxed)
    }

    /// Reading this shard fails from now on.
    pub(crate) fn make_unreadable(&self, key: ShardKey) {
        self.unreadable.lock().insert(key);
    }

    async fn while_it_hangs(&self) {
        let mut hangs = self.hangs.subscribe();
        self.hanging.fetch_add(usize::from(*hangs.borrow()), Ordering::Relaxed);
        let _ = hangs.wait_for(|hangs| !hangs).await;
    }
}

#[async_trait]
impl ShardStore for MemoryDisk {
    fn name(&self) -> &str {
        self.store.name()
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        self.store.write(shard).await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        self.store.read(key, range).await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.store.list(vault, evidence_id, after, limit).await
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.store.list_chunk(vault, evidence_id, chunk).await
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.store.list_all(vault, after, limit).await
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        if self.unreadable.lock().contains(key) {
            let (store, reason) = (self.name().to_owned(), "status 500".to_owned());
            return Err(ShardError::Io { store, operation: "reading", reason });
        }
        self.store.verify(key).await
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        self.store.quarantine(limit).await
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        self.store.remove(keys, order).await
    }

    async fn status(&self) -> StoreStatus {
        self.while_it_hangs().await;
        self.store.status().await
    }
}

#[async_trait]
impl Backend for MemoryDisk {
    fn id(&self) -> DiskId {
        DiskId([7; 16])
    }

    fn kind(&self) -> BackendKind {
        self.kind
    }

    fn generation(&self) -> DiskGeneration {
        DiskGeneration(1)
    }

    async fn begin_opening(
        self: Arc<Self>,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpeningError> {
        Ok((DiskGeneration(1), opening))
    }

    async fn finish_opening(self: Arc<Self>) -> Result<(), OpeningError> {
        Ok(())
    }

    async fn close(&self) {
        self.while_it_hangs().await;
    }
}
