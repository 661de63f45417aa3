use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use custos_core::{
    ChunkIndex, DiskGeneration, DiskId, ErrorKind, EvidenceId, Fullness, Quarantined, RunId,
    VaultId,
};
use custos_ports::{
    RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore, ShardWrite,
    StoreStatus,
};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::bucket_disk::BucketDisk;
use crate::error::OpenError;
use crate::failure::Failure;
use crate::identity::{Identity, Opening};
use crate::listing::entry_of_name;
use crate::opening;
use crate::options::S3Options;
use crate::reader::{self, ReadFailure};

/// Writes of the identity that may be refused as it changed meanwhile.
const IDENTITY_ATTEMPTS: usize = 3;
/// Names on one page of the count.
const CENSUS_PAGE: usize = 1000;
/// Pause before a page of the count that failed is asked for again.
const CENSUS_PAUSE: Duration = Duration::from_secs(10);
/// How long a status waits to see whether a bucket in doubt works again.
const PROBE_DEADLINE: Duration = Duration::from_secs(2);

/// The shards under one prefix of a bucket.
///
/// Removal orders are not looked up here: that is the node's part, which knows the ledger.
pub struct S3Store {
    disk: Arc<BucketDisk>,
    identity: Mutex<Identity>,
    generation: parking_lot::Mutex<DiskGeneration>,
    census: Option<AbortHandle>,
}

impl S3Store {
    /// Opens a bucket as a disk, or makes one of an empty prefix. Sends a few requests; the shards
    /// are counted afterwards, beside the work. Needs a tokio runtime.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing is written unless a disk is to be made.
    pub async fn open(options: S3Options) -> Result<Self, OpenError> {
        let names = opening::check(&options)?;
        let bucket = opening::connect(&options).await;
        let identity = opening::establish(&bucket, &names, &options).await?;
        let name = match names.root() {
            "" => format!("{} (bucket {})", options.name, options.bucket),
            root => format!("{} (bucket {}, prefix {root})", options.name, options.bucket),
        };
        let first = bucket.list(names.root(), None, CENSUS_PAGE).await;
        let first = first.map_err(OpenError::bucket("list the bucket"))?;
        let operations = options.operations_in_flight_max;
        let disk = Arc::new(BucketDisk::new(name, identity.id, bucket, names, operations));
        disk.census.lock().count(&disk.names, &first.objects, !first.more);
        let census =
            first.objects.last().filter(|_| first.more).map(|(last, _)| {
                tokio::spawn(count_from(disk.clone(), last.clone())).abort_handle()
            });
        tracing::info!(disk = %disk.name, id = %disk.id, "bucket open");
        let generation = parking_lot::Mutex::new(identity.generation);
        Ok(Self { disk, identity: Mutex::new(identity), generation, census })
    }

    /// The disk's identity.
    #[must_use]
    pub fn id(&self) -> DiskId {
        self.disk.id
    }

    /// How often the disk was taken into service, as it says itself; 0 before the first time.
    #[must_use]
    pub fn generation(&self) -> DiskGeneration {
        *self.generation.lock()
    }

    /// Begins to take the disk into service: notes in the bucket the claim to the next generation
    /// under the random name `opening`. Returns the claim to be registered in the ledger: the one
    /// that stands there already, if it was begun before and not finished.
    ///
    /// # Errors
    /// When the identity cannot be written; [`OpenError::Taken`] when it is not the one any more
    /// that was read when the bucket was opened.
    pub async fn begin_opening(
        &self,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpenError> {
        let mut identity = self.identity.lock().await;
        if let Some(Opening { generation, run }) = identity.opening {
            return Ok((generation, run));
        }
        let generation = DiskGeneration(identity.generation.0.saturating_add(1));
        let claimed = Identity { opening: Some(Opening { generation, run: opening }), ..*identity };
        // The old one, or the new one when an answer was lost.
        let fits = |found: &Identity| *found == *identity || *found == claimed;
        self.replace_identity(&claimed, fits).await?;
        *identity = claimed;
        Ok((generation, opening))
    }

    /// Ends the taking into service, after the ledger accepted its claim: the claimed generation
    /// is the disk's own from now on. Fine when none was begun.
    ///
    /// Another's claim to the same generation is written over: the ledger accepts one, so that
    /// one is dead, and would be refused for ever if it stayed.
    ///
    /// # Errors
    /// As [`begin_opening`](Self::begin_opening); call it again.
    pub async fn finish_opening(&self) -> Result<DiskGeneration, OpenError> {
        let mut identity = self.identity.lock().await;
        if let Some(Opening { generation, .. }) = identity.opening {
            let opened = Identity { generation, opening: None, ..*identity };
            let begun_from = Identity { opening: None, ..*identity };
            let fits = |found: &Identity| {
                let is_dead = found.opening.is_none_or(|claim| claim.generation == generation);
                let is_begun_from = Identity { opening: None, ..*found } == begun_from;
                *found == opened || is_dead && is_begun_from
            };
            self.replace_identity(&opened, fits).await?;
            *identity = opened;
            *self.generation.lock() = generation;
        }
        Ok(identity.generation)
    }

    /// Writes `new` over an identity that fits, and over nothing else.
    async fn replace_identity(
        &self,
        new: &Identity,
        fits: impl Fn(&Identity) -> bool,
    ) -> Result<(), OpenError> {
        let (bucket, names) = (&self.disk.bucket, &self.disk.names);
        let mut refused = None;
        for _ in 0..IDENTITY_ATTEMPTS {
            let found = match opening::load(bucket, names).await? {
                // Our own write, refused when it was tried again after its answer was lost.
                Some(found) if refused.is_some() && found.identity == *new => return Ok(()),
                Some(found) if fits(&found.identity) => found,
                found => return Err(self.taken(found.map(|found| found.identity))),
            };
            match opening::store(bucket, names, new, found.overwrite()).await {
                // Someone else was faster, or the same is on its way twice: a look tells.
                Err(error) if error.kind() == ErrorKind::Integrity => refused = Some(error),
                outcome => return outcome,
            }
        }
        Err(refused.expect("at least one attempt"))
    }

    fn taken(&self, found: Option<Identity>) -> OpenError {
        let found = found.map_or("no disk".to_owned(), |found| match found.opening {
            Some(claim) => {
                format!("disk {}, claimed as generation {}", found.id, claim.generation)
            }
            None => format!("disk {} of generation {}", found.id, found.generation),
        });
        OpenError::Taken { place: self.disk.name.clone(), found }
    }

    /// Waits for what is under way and closes the disk; later calls fail as `Offline`.
    pub async fn close(&self) {
        if let Some(census) = &self.census {
            census.abort();
        }
        let operations = &self.disk.operations;
        let all = u32::try_from(self.disk.operations_max).unwrap_or(u32::MAX);
        // What is under way ends by its own deadlines.
        let all = operations.acquire_many(all).await;
        operations.close();
        drop(all);
    }

    async fn read_shard(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        let _turn = self.disk.turn().await?;
        let disk = &self.disk;
        let name = disk.names.shard(key);
        match reader::read(&disk.bucket, disk.id, &name, key, range).await {
            Ok(read) => {
                disk.health.lock().succeeded();
                Ok(read)
            }
            Err(ReadFailure::Bucket(Failure::Missing)) => {
                disk.health.lock().succeeded();
                Err(disk.not_found(key))
            }
            Err(ReadFailure::Bucket(failure)) => Err(disk.failed("read", failure)),
            Err(ReadFailure::Range { start, end, len }) => {
                Err(ShardError::Range { store: disk.name.clone(), start, end, len })
            }
            Err(ReadFailure::Damage(what)) => {
                tracing::warn!(disk = %disk.name, %what, %key, "shard is corrupt");
                disk.health.lock().damaged(&what);
                Err(ShardError::Corrupt { store: disk.name.clone(), key: Box::new(*key), what })
            }
        }
    }
}

/// Counts the shards after `last`, page by page, until all are counted.
async fn count_from(disk: Arc<BucketDisk>, mut last: String) {
    loop {
        match disk.bucket.list(disk.names.root(), Some(&last), CENSUS_PAGE).await {
            Ok(page) => {
                disk.census.lock().count(&disk.names, &page.objects, !page.more);
                match page.objects.into_iter().next_back() {
                    Some((name, _)) if page.more => last = name,
                    _ => return,
                }
            }
            Err(failure) => {
                tracing::warn!(disk = %disk.name, %failure, "counting the shards goes on later");
                tokio::time::sleep(CENSUS_PAUSE).await;
            }
        }
    }
}

#[async_trait]
impl ShardStore for S3Store {
    fn name(&self) -> &str {
        &self.disk.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        let turn = self.disk.turn().await?;
        let disk = self.disk.clone();
        // A caller that gives up must not leave half an upload behind.
        let written = tokio::spawn(async move {
            let _turn = turn;
            disk.write_shard(&shard).await
        });
        written.await.unwrap_or_else(|error| {
            let (store, reason) = (self.disk.name.clone(), error.to_string());
            Err(ShardError::Io { store, operation: "write", reason })
        })
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        self.read_shard(key, range).await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let _turn = self.disk.turn().await?;
        let prefix = self.disk.names.evidence(vault, evidence_id);
        self.disk.describe(&prefix, after.as_ref(), limit).await
    }

    /// At most [`PAGE_ITEMS_MAX`](custos_core::limits::PAGE_ITEMS_MAX) of them.
    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        let _turn = self.disk.turn().await?;
        let prefix = self.disk.names.chunk(vault, evidence_id, chunk);
        let page = self.disk.describe(&prefix, None, usize::MAX).await?;
        Ok(page.items)
    }

    /// Times to keep until are not read for it: they are given as the latest there is.
    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let _turn = self.disk.turn().await?;
        let names = &self.disk.names;
        let prefix = vault.map_or_else(|| names.root().to_owned(), |vault| names.vault(vault));
        let found = self.disk.shards_under(&prefix, after.as_ref(), limit).await;
        let (found, more) = self.disk.note("list", found)?;
        let items = found.into_iter().map(|(key, len)| entry_of_name(key, len)).collect();
        Ok(ShardPage { items, more })
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        self.read_shard(key, None).await.map(drop)
    }

    /// Objects under the prefix that are no shards, as found when the shards were counted.
    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let census = self.disk.census.lock();
        Ok(census.unknown().0.iter().take(limit).cloned().collect())
    }

    async fn remove(&self, keys: &[ShardKey], _order: RemovalOrder) -> Result<(), ShardError> {
        let _turn = self.disk.turn().await?;
        self.disk.remove_shards(keys).await
    }

    /// When the bucket failed before, it is tried again first, for 2 s at most.
    async fn status(&self) -> StoreStatus {
        let disk = &self.disk;
        let in_doubt = disk.health.lock().is_in_doubt();
        let closed = disk.operations.is_closed();
        if in_doubt && !closed {
            let probe = disk.bucket.list(disk.names.root(), None, 1);
            if let Ok(Ok(_)) = tokio::time::timeout(PROBE_DEADLINE, probe).await {
                disk.health.lock().succeeded();
            }
        }
        let health = disk.health.lock();
        let census = disk.census.lock();
        StoreStatus {
            name: disk.name.clone(),
            offline: if closed { Some("closed".to_owned()) } else { health.offline() },
            suspect: health.suspect(),
            shards: census.shards(),
            payload_bytes: census.payload_bytes(),
            stored_bytes: 0,
            total_bytes: 0,
            free_bytes: if health.is_full() { 0 } else { u64::MAX },
            fullness: if health.is_full() { Fullness::Full } else { Fullness::Normal },
            io_errors: health.failures(),
            quarantined: census.unknown().1,
        }
    }
}

impl Drop for S3Store {
    fn drop(&mut self) {
        if let Some(census) = &self.census {
            census.abort();
        }
    }
}

impl std::fmt::Debug for S3Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Store").field("name", &self.disk.name).finish_non_exhaustive()
    }
}
