use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use custos_core::limits::{DISK_QUEUE_ITEMS_MAX, PAGE_ITEMS_MAX};
use custos_core::{ChunkIndex, EvidenceId, VaultId};
use custos_ports::{
    RemovalOrder, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead, ShardStore, ShardWrite,
    StoreStatus,
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::aligned::BufferPool;
use crate::disk_state::DiskState;
use crate::error::OpenError;
use crate::extent_file::IoMode;
use crate::extents::ExtentDir;
use crate::index::Index;
use crate::limits::{COMMIT_JOBS_MAX, READS_IN_FLIGHT_MAX};
use crate::open_extents::OpenExtents;
use crate::read_files::ReadFiles;
use crate::recover::{RecoverError, recover};
use crate::write_job::{CheckedShard, WriteJob};
use crate::writer::Writer;
use crate::{DiskId, OpenMode, Options, ScanReport, identity, reader};

/// Most keys that one job removes; longer orders take several.
const REMOVAL_KEYS_MAX: usize = COMMIT_JOBS_MAX * 16;

/// One directory as one disk.
///
/// Its calls need a tokio runtime. Dropping it finishes the writes that wait and closes the disk,
/// blocking the thread meanwhile; [`close`](Self::close) does the same without blocking.
pub struct LocalDisk {
    state: Arc<DiskState>,
    report: ScanReport,
    queue: Mutex<Option<mpsc::Sender<WriteJob>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
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
        let id = identity::establish(dir, options.mode, options.expected_id)?;
        let lock = lock(dir)?;
        // Two processes may have made the disk at once: what stands there now counts.
        identity::establish(dir, OpenMode::Existing, Some(id))?;
        let extents = ExtentDir::new(dir);
        let probed = IoMode::probe(extents.path());
        let io_mode = probed.map_err(OpenError::io("use", extents.path()))?;
        let found = std::fs::metadata(dir).map_err(OpenError::io("read", dir))?;
        let index_error = |error: &dyn std::fmt::Display| OpenError::Index {
            dir: dir.to_owned(),
            reason: error.to_string(),
        };
        let index = Index::open(&dir.join("index"), id, options.index_cache_bytes)
            .map_err(|error| index_error(&error))?;
        let state = Arc::new(DiskState {
            name: format!("{} ({})", options.name, dir.display()),
            id,
            dir: dir.to_owned(),
            dir_inode: (found.dev(), found.ino()),
            lock,
            extents,
            io_mode,
            index,
            read_files: ReadFiles::default(),
            buffers: Arc::new(BufferPool::default()),
            offline: RwLock::new(None),
        });
        let recovered = recover(&state).map_err(|error| match error {
            RecoverError::Index(error) => index_error(&error),
            RecoverError::Io(error) => OpenError::io("scan", state.extents.path())(error),
        })?;
        tracing::info!(
            disk = %state.name, %id, io = ?state.io_mode,
            shards = state.index.counters().shards, "disk open"
        );
        let next_extent = recovered.next_extent;
        let extents = OpenExtents::new(state.clone(), &options, next_extent, recovered.resumable);
        let writer = Writer::new(state.clone(), extents, recovered.next_sequence);
        let (queue, jobs) = mpsc::channel(DISK_QUEUE_ITEMS_MAX);
        let thread = std::thread::Builder::new().name("shard-writer".into());
        let thread = thread.spawn(move || writer.run(jobs));
        let thread = thread.map_err(OpenError::io("start the writer of", dir))?;
        Ok(Self {
            state,
            report: recovered.report,
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(thread)),
            reads: Arc::new(Semaphore::new(READS_IN_FLIGHT_MAX)),
        })
    }

    /// The disk's identity.
    #[must_use]
    pub fn id(&self) -> DiskId {
        self.state.id
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
        let thread = self.stop();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
        if !matches!(joined, Ok(None | Some(Ok(())))) {
            tracing::error!(disk = %self.state.name, "its writer ended badly");
        }
        self.state.offline.write().get_or_insert_with(|| "closed".to_owned());
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        self.queue.lock().take();
        self.writer.lock().take()
    }

    async fn submit(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<(), ShardError>>) -> WriteJob,
    ) -> Result<(), ShardError> {
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
        self.submit(|reply| WriteJob::Write { shard, reply }).await
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

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        for keys in keys.chunks(REMOVAL_KEYS_MAX) {
            let keys = keys.to_vec();
            self.submit(|reply| WriteJob::Remove { keys, order, reply }).await?;
        }
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        let status = self.blocking(|state| {
            // Notices a folder that is gone.
            let _ = state.check_in_service();
            Ok(state.free_bytes())
        });
        let free_bytes = status.await.unwrap_or(0);
        let counters = self.state.index.counters();
        StoreStatus {
            name: self.state.name.clone(),
            offline: self.state.offline.read().clone(),
            shards: counters.shards,
            payload_bytes: counters.payload_bytes,
            free_bytes,
        }
    }
}

impl Drop for LocalDisk {
    fn drop(&mut self) {
        if self.stop().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!(disk = %self.state.name, "its writer ended badly");
        }
    }
}

impl std::fmt::Debug for LocalDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalDisk").field("name", &self.state.name).finish_non_exhaustive()
    }
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(OpenError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::Locked { dir: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(OpenError::io("lock", &path)(error)),
    }
}
