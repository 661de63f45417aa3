use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use custos_core::{ChunkIndex, DiskGeneration, DiskId, EvidenceId, RunId, VaultId};
use custos_ports::{
    Clock, Quarantined, RemovalOrder, RemovalReason, ShardEntry, ShardError, ShardKey, ShardPage,
    ShardRead, ShardStore, ShardWrite, StoreStatus,
};
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;

use super::age::ColdAge;
use super::merge;
use crate::BackendKind;
use crate::disk::{Backend, OpeningError};

/// Longest wait for the cold part where an answer without it will do.
const COLD_LOOK_MAX: Duration = Duration::from_secs(2);

/// A folder and a bucket as one disk. The folder's identity is the disk's.
///
/// Whoever looks for a shard looks into the hot part first and into the cold one then: a shard
/// that is on its way is in both for a while, and never in none.
pub(crate) struct TieredStore {
    hot: Arc<dyn Backend>,
    cold: Arc<dyn Backend>,
    name: String,
    age: ColdAge,
    clock: Arc<dyn Clock>,
    /// Held while a shard is on its way and while shards are removed, so that a removed shard is
    /// not copied back.
    pub(super) on_its_way: Mutex<()>,
    /// A shard was written to the folder that belongs to the bucket at once.
    written_cold: Notify,
}

impl TieredStore {
    pub(crate) fn new(
        hot: Arc<dyn Backend>,
        cold: Arc<dyn Backend>,
        cold_after_days: u32,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let name = format!("{} and {}", hot.name(), cold.name());
        let age = ColdAge { days: cold_after_days };
        Self {
            hot,
            cold,
            name,
            age,
            clock,
            on_its_way: Mutex::new(()),
            written_cold: Notify::new(),
        }
    }

    pub(super) fn hot(&self) -> &Arc<dyn Backend> {
        &self.hot
    }

    pub(super) fn cold(&self) -> &Arc<dyn Backend> {
        &self.cold
    }

    /// Waits until a shard is written that is to be moved at once; immediately if one was since the
    /// last call.
    pub(super) async fn written_cold(&self) {
        self.written_cold.notified().await;
    }

    pub(super) fn is_cold(&self, evidence_id: EvidenceId) -> bool {
        self.age.is_cold(evidence_id, self.clock.now())
    }

    /// Whether the bucket has to be asked. Of new footage, which is nearly everything, it has a
    /// shard only if the age was lower once: there its troubles are not those of the folder.
    fn may_be_cold(&self, evidence_id: EvidenceId) -> bool {
        self.age.may_be_cold(evidence_id, self.clock.now())
    }

    /// What the cold part says of evidence: for new footage `None` when it is in trouble.
    async fn of_cold<T>(
        &self,
        evidence_id: EvidenceId,
        answer: impl Future<Output = Result<T, ShardError>> + Send,
    ) -> Option<Result<T, ShardError>> {
        if self.may_be_cold(evidence_id) {
            return Some(answer.await);
        }
        timeout(COLD_LOOK_MAX, answer).await.ok().filter(Result::is_ok)
    }

    /// Whether the cold part holds the shard, and if so, whether it is `shard` itself.
    /// `None` also when it does not say: while a bucket is away the folder takes what comes, and
    /// should there be another shard of this key after all, the mover leaves both where they are.
    async fn in_cold(&self, shard: &ShardWrite) -> Option<Sameness> {
        match timeout(COLD_LOOK_MAX, self.cold.read(&shard.key, None)).await {
            Ok(Ok(read)) if read.payload == shard.payload && read.header == shard.header => {
                Some(Sameness::Same)
            }
            Ok(Ok(_)) => Some(Sameness::Other),
            // A damaged one is replaced: the hot part is asked first from then on.
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

enum Sameness {
    Same,
    Other,
}

#[async_trait]
impl ShardStore for TieredStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        if self.may_be_cold(shard.key.evidence_id) {
            match self.in_cold(&shard).await {
                Some(Sameness::Same) => return Ok(()),
                Some(Sameness::Other) => {
                    let (store, key) = (self.name.clone(), Box::new(shard.key));
                    return Err(ShardError::Conflict { store, key });
                }
                None => {}
            }
        }
        self.hot.write(shard).await?;
        // Old shards that are written at other ages are few: they wait for the next round.
        if self.age.days == 0 {
            self.written_cold.notify_one();
        }
        Ok(())
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        match self.hot.read(key, range.clone()).await {
            Err(missing @ ShardError::NotFound { .. }) => {
                let cold = self.of_cold(key.evidence_id, self.cold.read(key, range)).await;
                cold.unwrap_or(Err(missing))
            }
            Err(damaged @ ShardError::Corrupt { .. }) => {
                // It may have been on its way when the folder's copy was damaged.
                self.cold.read(key, range).await.map_err(|_| damaged)
            }
            other => other,
        }
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        // Hot first, never at the same time: what is on its way goes from hot to cold.
        let hot = self.hot.list(vault, evidence_id, after, limit).await?;
        let cold = self.cold.list(vault, evidence_id, after, limit);
        match self.of_cold(evidence_id, cold).await {
            Some(cold) => Ok(merge::merge(hot, cold?, limit)),
            None => Ok(hot),
        }
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        let hot = self.hot.list_chunk(vault, evidence_id, chunk).await?;
        let cold = self.cold.list_chunk(vault, evidence_id, chunk);
        match self.of_cold(evidence_id, cold).await {
            Some(cold) => Ok(merge::entries(hot, cold?)),
            None => Ok(hot),
        }
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let hot = self.hot.list_all(vault, after, limit).await?;
        let cold = self.cold.list_all(vault, after, limit).await?;
        Ok(merge::merge(hot, cold, limit))
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        match self.hot.verify(key).await {
            Err(missing @ ShardError::NotFound { .. }) => {
                let cold = self.of_cold(key.evidence_id, self.cold.verify(key)).await;
                cold.unwrap_or(Err(missing))
            }
            other => other,
        }
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let mut items = self.hot.quarantine(limit).await?;
        if items.len() < limit {
            items.extend(self.cold.quarantine(limit - items.len()).await?);
        }
        Ok(items)
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        // What ends by law has to be gone for certain; other leftovers of new footage in a bucket
        // that is away, if any, harm nobody.
        let is_certain = order.reason == RemovalReason::Disposition;
        let (old, young): (Vec<_>, Vec<_>) =
            keys.iter().copied().partition(|key| is_certain || self.may_be_cold(key.evidence_id));
        if !old.is_empty() {
            let _nothing_moves = self.on_its_way.lock().await;
            // Cold first: should it fail, the shard is still found and the order is given again.
            self.cold.remove(&old, order).await?;
            self.hot.remove(&old, order).await?;
        }
        if let Some(first) = young.first() {
            self.of_cold(first.evidence_id, self.cold.remove(&young, order)).await;
            self.hot.remove(&young, order).await?;
        }
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        let hot = self.hot.status().await;
        let cold = self.cold.status().await;
        // Without its bucket the folder still takes and gives what is new.
        let of_bucket =
            cold.offline.map(|reason| format!("its bucket is out of service: {reason}"));
        let of_bucket = of_bucket.or(cold.suspect.map(|reason| format!("its bucket: {reason}")));
        StoreStatus {
            name: self.name.clone(),
            offline: hot.offline,
            suspect: hot.suspect.or(of_bucket),
            shards: hot.shards + cold.shards,
            payload_bytes: hot.payload_bytes + cold.payload_bytes,
            stored_bytes: hot.stored_bytes + cold.stored_bytes,
            total_bytes: hot.total_bytes,
            free_bytes: hot.free_bytes,
            fullness: hot.fullness,
            io_errors: hot.io_errors + cold.io_errors,
            quarantined: hot.quarantined + cold.quarantined,
        }
    }
}

#[async_trait]
impl Backend for TieredStore {
    fn id(&self) -> DiskId {
        self.hot.id()
    }

    fn kind(&self) -> BackendKind {
        BackendKind::Tiered
    }

    fn generation(&self) -> DiskGeneration {
        self.hot.generation()
    }

    async fn begin_opening(
        self: Arc<Self>,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpeningError> {
        self.hot.clone().begin_opening(opening).await
    }

    async fn finish_opening(self: Arc<Self>) -> Result<(), OpeningError> {
        self.hot.clone().finish_opening().await
    }

    /// Does not wait for a shard on its way, which may hang: it stays in both parts.
    async fn close(&self) {
        self.hot.close().await;
        self.cold.close().await;
    }
}
