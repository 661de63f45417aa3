use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use async_trait::async_trait;
use custos_core::limits::{DISK_QUEUE_ITEMS_MAX, PAGE_ITEMS_MAX};
use custos_core::{ChunkIndex, DiskGeneration, EvidenceId, RunId, VaultId};
use custos_ports::{
    Disk, Quarantined, RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead,
    ShardStore, ShardWrite, StoreStatus,
};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::compaction::CompactionStep;
use crate::compactor::Compactor;
use crate::disk_state::DiskState;
use crate::engine::Engine;
use crate::error::OpenError;
use crate::extents::EXTENTS_FOLDER;
use crate::folder_disk::FolderDisk;
use crate::identity::{Identity, Opening};
use crate::limits::{COMMIT_JOBS_MAX, READS_IN_FLIGHT_MAX};
use crate::operation::{CheckedShard, Operation};
use crate::recover::RecoverError;
use crate::rocks_index::RocksIndexFolder;
use crate::writer::{WriteJob, Writer};
use crate::{Compacted, DiskId, OpenMode, Options, ScanReport, identity, reader};

/// Most keys that one job removes; longer orders take several.
const REMOVAL_KEYS_MAX: usize = COMMIT_JOBS_MAX * 16;

/// One directory as one disk.
///
/// Its calls need a tokio runtime. Dropping it finishes the writes that wait and closes the disk,
/// blocking the thread meanwhile; [`close`](Self::close) does the same without blocking.
pub struct LocalDisk {
    state: Arc<DiskState>,
    identity: Mutex<Identity>,
    report: ScanReport,
    queue: Mutex<Option<mpsc::Sender<WriteJob>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    compactor: Mutex<Option<Compactor>>,
    reads: Arc<Semaphore>,
}

impl LocalDisk {
    /// Opens a disk, scanning what its index does not cover. Blocks the thread: milliseconds
    /// after a clean stop, the time to read all record heads when the index is lost.
    ///
    /// # Errors
    /// When the directory is missing, is no disk, is another disk than expected, is in use, or
    /// has a newer format; nothing is changed then. When the file system or the index fails.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let dir = options.dir.as_path();
        let disk = Arc::new(FolderDisk::at(dir));
        match options.mode {
            OpenMode::Create { .. } => {
                let made = disk.make_folder(EXTENTS_FOLDER);
                made.map_err(OpenError::io("create", disk.locate(EXTENTS_FOLDER)))?;
            }
            OpenMode::Existing if !dir.is_dir() => {
                return Err(OpenError::Missing { dir: dir.to_owned() });
            }
            OpenMode::Existing => {}
        }
        identity::check(&*disk, options.mode, options.expected_id)?;
        disk.take()?;
        // Another process may have made the disk meanwhile: what stands there now counts.
        let identity = identity::establish(&*disk, options.mode, options.expected_id)?;
        let id = identity.id;
        let name = format!("{} ({})", options.name, dir.display());
        let index = RocksIndexFolder::new(dir.join("index"), options.index_cache_bytes);
        let opened = Engine::open(name, id, disk.clone(), &index, options.extent_limits());
        let (engine, report) = opened.map_err(|error| match error {
            RecoverError::Index(error) => {
                OpenError::Index { dir: dir.to_owned(), reason: error.to_string() }
            }
            RecoverError::Io(error) => OpenError::io("scan", disk.locate(EXTENTS_FOLDER))(error),
        })?;
        let state = engine.state().clone();
        tracing::info!(
            disk = %state.name, %id, generation = %identity.generation,
            shards = state.index.counters().shards, "disk open"
        );
        let (queue, jobs) = mpsc::channel(DISK_QUEUE_ITEMS_MAX);
        let thread = std::thread::Builder::new().name("shard-writer".into());
        let writer = Writer::new(engine);
        let thread = thread.spawn(move || writer.run(jobs));
        let thread = thread.map_err(OpenError::io("start the writer of", dir))?;
        let compactor = match options.compaction_bytes_per_second {
            0 => None,
            rate => {
                let started = Compactor::start(queue.clone(), rate);
                Some(started.map_err(OpenError::io("start the compactor of", dir))?)
            }
        };
        Ok(Self {
            state,
            identity: Mutex::new(identity),
            report,
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(thread)),
            compactor: Mutex::new(compactor),
            reads: Arc::new(Semaphore::new(READS_IN_FLIGHT_MAX)),
        })
    }

    /// The disk's identity.
    #[must_use]
    pub fn id(&self) -> DiskId {
        self.state.id
    }

    /// How often the disk was taken into service, as it says itself; 0 before the first time.
    #[must_use]
    pub fn generation(&self) -> DiskGeneration {
        self.identity.lock().generation
    }

    /// Begins to take the disk into service: notes on it, durably, the claim to the next
    /// generation under the random name `opening`. Returns the claim to be registered in the
    /// ledger: the one that stands on the disk already, if it was begun before and not finished,
    /// so that a registration whose answer was lost is repeated under its own name. Blocks the
    /// thread for one small write.
    ///
    /// # Errors
    /// `Io`; there may or may not be a claim on the disk then: call it again.
    pub fn begin_opening(&self, opening: RunId) -> Result<(DiskGeneration, RunId), OpenError> {
        let mut identity = self.identity.lock();
        if let Some(Opening { generation, run }) = identity.opening {
            return Ok((generation, run));
        }
        let generation = DiskGeneration(identity.generation.0.saturating_add(1));
        let claimed = Identity { opening: Some(Opening { generation, run: opening }), ..*identity };
        identity::store(&*self.state.disk, &claimed)?;
        *identity = claimed;
        Ok((generation, opening))
    }

    /// Ends the taking into service, after the ledger accepted its claim: the claimed generation
    /// is the disk's own from now on. Fine when none was begun. Blocks the thread for one small
    /// write.
    ///
    /// # Errors
    /// `Io`; the claim still stands then, or is fulfilled: call it again.
    pub fn finish_opening(&self) -> Result<DiskGeneration, OpenError> {
        let mut identity = self.identity.lock();
        if let Some(Opening { generation, .. }) = identity.opening {
            let opened = Identity { generation, opening: None, ..*identity };
            identity::store(&*self.state.disk, &opened)?;
            *identity = opened;
        }
        Ok(identity.generation)
    }

    /// Human name for logs and errors: the given name and the directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// What the scan at opening found.
    #[must_use]
    pub fn scan_report(&self) -> ScanReport {
        self.report
    }

    /// Finishes the writes that wait and closes the disk; later calls fail as `Offline`. The
    /// directory can be opened again when this disk is dropped.
    pub async fn close(&self) {
        let (compactor, thread) = self.stop();
        let joined = tokio::task::spawn_blocking(move || {
            if let Some(compactor) = compactor {
                compactor.stop();
            }
            thread.map(JoinHandle::join)
        })
        .await;
        if !matches!(joined, Ok(None | Some(Ok(())))) {
            tracing::error!(disk = %self.state.name, "its writer ended badly");
        }
        self.state.offline.write().get_or_insert_with(|| "closed".to_owned());
    }

    /// Gives back the space of everything that is needed no more: removes extents without a record
    /// that is, and those with more than half garbage after moving the rest. The disk does so by
    /// itself when it has time; this does it at once, as fast as it can.
    ///
    /// # Errors
    /// `Full` when there is no space to move records to; `Offline`, `Io`. What was given back
    /// until then stays so, and nothing is lost.
    pub async fn compact(&self) -> Result<Compacted, ShardError> {
        let mut compacted = Compacted::default();
        loop {
            match self.submit(|reply| WriteJob::Compact { reply }).await? {
                CompactionStep::Idle => return Ok(compacted),
                CompactionStep::Moved { bytes } => compacted.bytes_moved += bytes,
                CompactionStep::Kept => compacted.extents_kept += 1,
                CompactionStep::Removed { bytes_freed } => {
                    compacted.extents_removed += 1;
                    compacted.bytes_freed += bytes_freed;
                }
            }
        }
    }

    fn stop(&self) -> (Option<Compactor>, Option<JoinHandle<()>>) {
        self.queue.lock().take();
        (self.compactor.lock().take(), self.writer.lock().take())
    }

    async fn commit(&self, operation: Operation) -> Result<(), ShardError> {
        self.submit(|reply| WriteJob::Commit { operation, reply }).await
    }

    async fn submit<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, ShardError>>) -> WriteJob,
    ) -> Result<T, ShardError> {
        let stopped = || self.offline("its writer has stopped");
        let queue = self.queue.lock().clone().ok_or_else(stopped)?;
        let (reply, outcome) = oneshot::channel();
        queue.send(job(reply)).await.map_err(|_| stopped())?;
        // So that closing the disk does not wait for this call.
        drop(queue);
        outcome.await.map_err(|_| stopped())?
    }

    fn offline(&self, reason: &str) -> ShardError {
        ShardError::Offline { store: self.state.name.clone(), reason: reason.to_owned() }
    }

    /// Runs `work` on a thread that may block, with a turn among the disk's reads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&DiskState) -> Result<T, ShardError> + Send + 'static,
    ) -> Result<T, ShardError> {
        let turn = self.reads.clone().acquire_owned().await;
        let turn = turn.map_err(|_| self.offline("closed"))?;
        let state = self.state.clone();
        let done = tokio::task::spawn_blocking(move || {
            // The turn ends with the work, not with the caller: a caller that gives up on a disk
            // that hangs must not set off another thread.
            let _turn = turn;
            work(&state)
        })
        .await;
        done.unwrap_or_else(|error| Err(self.state.io_error("read", error)))
    }
}

#[async_trait]
impl ShardStore for LocalDisk {
    fn name(&self) -> &str {
        &self.state.name
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        let shard = CheckedShard::new(shard)
            .map_err(|reason| self.state.io_error("checking the shard", reason))?;
        self.commit(Operation::Write(shard)).await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        let key = *key;
        self.blocking(move |state| reader::read(state, &key, range)).await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        self.blocking(move |state| {
            state.check_in_service()?;
            let page = state.index.list(vault, evidence_id, after, limit);
            page.map_err(|error| state.index_error(&error))
        })
        .await
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.blocking(move |state| {
            state.check_in_service()?;
            let found = state.index.list_chunk(vault, evidence_id, chunk);
            found.map_err(|error| state.index_error(&error))
        })
        .await
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        self.blocking(move |state| {
            state.check_in_service()?;
            let page = state.index.list_all(vault, after, limit);
            page.map_err(|error| state.index_error(&error))
        })
        .await
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        let key = *key;
        self.blocking(move |state| reader::read(state, &key, None).map(drop)).await
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        let limit = limit.min(PAGE_ITEMS_MAX);
        self.blocking(move |state| {
            state.check_in_service()?;
            state.quarantine(limit).map_err(|error| state.index_error(&error))
        })
        .await
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        for keys in keys.chunks(REMOVAL_KEYS_MAX) {
            let keys = keys.to_vec();
            self.commit(Operation::Remove { keys, order }).await?;
        }
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        let status = self.blocking(|state| {
            // Notices a folder that is gone.
            let _ = state.check_in_service();
            Ok((state.space(), state.fullness()))
        });
        let (space, fullness) = status.await.unwrap_or_default();
        let holdings = self.state.holdings();
        let counters = self.state.index.counters();
        StoreStatus {
            name: self.state.name.clone(),
            offline: self.state.offline.read().clone(),
            shards: counters.shards,
            payload_bytes: counters.payload_bytes,
            stored_bytes: holdings.held_bytes + holdings.ahead_bytes,
            fullness,
            total_bytes: space.total_bytes,
            free_bytes: space.free_bytes,
            quarantined: self.state.quarantined.load(Ordering::Relaxed),
            io_errors: self.state.io_errors.load(Ordering::Relaxed),
            ..StoreStatus::default()
        }
    }
}

impl Drop for LocalDisk {
    fn drop(&mut self) {
        let (compactor, thread) = self.stop();
        if let Some(compactor) = compactor {
            compactor.stop();
        }
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(disk = %self.state.name, "its writer ended badly");
        }
    }
}

impl std::fmt::Debug for LocalDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalDisk").field("name", &self.state.name).finish_non_exhaustive()
    }
}
