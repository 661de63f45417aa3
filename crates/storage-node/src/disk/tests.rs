//! The guard around a disk that misbehaves.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use custos_core::{ChunkIndex, DiskGeneration, DiskId, EvidenceId, RunId, Timestamp, VaultId};
use custos_ports::fakes::{Fault, MemoryLedger, MemoryShardStore, conformance};
use custos_ports::{
    Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore,
    ShardWrite, StoreStatus,
};

use super::{Backend, BackendKind, ByteBudget, HealthLimits, NodeStore, OpeningError, Orders};

/// A disk in memory that fails on demand.
struct MemoryDisk(MemoryShardStore);

#[async_trait]
impl ShardStore for MemoryDisk {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        self.0.write(shard).await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        self.0.read(key, range).await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.0.list(vault, evidence_id, after, limit).await
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.0.list_chunk(vault, evidence_id, chunk).await
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.0.list_all(vault, after, limit).await
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        self.0.verify(key).await
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        self.0.quarantine(limit).await
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        self.0.remove(keys, order).await
    }

    async fn status(&self) -> StoreStatus {
        self.0.status().await
    }
}

#[async_trait]
impl Backend for MemoryDisk {
    fn id(&self) -> DiskId {
        DiskId([7; 16])
    }

    fn kind(&self) -> BackendKind {
        BackendKind::Local
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

    async fn close(&self) {}
}

fn guarded(limits: HealthLimits) -> (Arc<MemoryDisk>, NodeStore) {
    let disk = Arc::new(MemoryDisk(MemoryShardStore::new("disk 0")));
    let orders = Orders::new(Arc::new(MemoryLedger::new(Timestamp::from_millis(0))));
    let budget = ByteBudget::new(64 << 20);
    (disk.clone(), NodeStore::new(disk, DiskGeneration(1), limits, budget, orders))
}

#[tokio::test]
async fn a_disk_whose_reads_fail_in_a_row_is_suspect_and_its_errors_are_counted() {
    let (disk, store) = guarded(HealthLimits::default());
    let write = conformance::shard(1, 100);
    store.write(write.clone()).await.expect("written");
    disk.0.set_fault(Fault::Corrupt);
    for _ in 0..3 {
        assert_eq!(store.status().await.suspect, None);
        assert!(matches!(store.read(&write.key, None).await, Err(ShardError::Corrupt { .. })));
    }
    let status = store.status().await;
    assert_eq!(status.suspect.as_deref(), Some("the last 3 reads failed"));
    assert_eq!(status.io_errors, 3);
    disk.0.set_fault(Fault::None);
    store.read(&write.key, None).await.expect("readable");
    assert_eq!(store.status().await.suspect, None);
}

#[tokio::test]
async fn a_disk_whose_write_hangs_is_suspect_and_bytes_under_way_stay_bounded() {
    let limits = HealthLimits { stuck_after: Duration::ZERO, ..HealthLimits::default() };
    let (disk, store) = guarded(limits);
    let store = Arc::new(store);
    disk.0.set_fault(Fault::Stuck);
    let (writing, write) = (store.clone(), conformance::shard(1, 64 << 20));
    let hanging = tokio::spawn(async move { writing.write(write).await });
    // It has begun when it holds all of the memory and is being watched.
    while store.status().await.suspect.is_none() || store.reserve(1).is_ok() {
        tokio::task::yield_now().await;
    }
    let suspect = store.status().await.suspect;
    assert!(suspect.expect("suspect").starts_with("a write has not ended"));
    let refused = store.write(conformance::shard(2, 1)).await;
    assert!(matches!(refused, Err(ShardError::Overloaded { .. })), "{refused:?}");
    hanging.abort();
    assert!(hanging.await.expect_err("aborted").is_cancelled());
    store.reserve(64 << 20).expect("what was given up holds no memory");
}

#[tokio::test]
async fn a_write_that_ends_after_its_disk_was_taken_out_is_not_acknowledged() {
    let (disk, store) = guarded(HealthLimits::default());
    let write = conformance::shard(1, 100);
    let reservation = store.reserve(100).expect("free");
    store.take_out("another node has it");
    let refused = store.write_reserved(write.clone(), reservation).await;
    assert!(refused.expect_err("refused").to_string().contains("another node has it"));
    store.take_out("a second reason");
    assert_eq!(store.status().await.offline.as_deref(), Some("another node has it"));
    assert!(disk.0.keys().is_empty());
    store.close("closed").await;
    assert_eq!(Arc::strong_count(&disk), 1, "a closed store lets go of its disk");
}
