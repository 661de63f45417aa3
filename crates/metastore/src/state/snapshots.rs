use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use rocksdb::{DB, checkpoint::Checkpoint};

use super::{
    database::{StateDb, read_mark},
    manifest::Manifest,
};
use crate::{
    dir_lock::DirLock,
    durable::{self, RetirableDir},
    error::StoreError,
    raft_types::{LogId, Snapshot, SnapshotMeta},
    rocks::RocksSetup,
};

const PREFIX: &str = "snap-";

/// A snapshot: a directory with a RocksDB checkpoint of the state and its manifest. It stays for
/// as long as somebody holds it, and goes then if a newer one has taken its place.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotDir(Arc<Held>);

#[derive(Debug)]
struct Held {
    dir: RetirableDir,
    _lock: DirLock,
}

impl SnapshotDir {
    pub(crate) fn path(&self) -> &Path {
        self.0.dir.path()
    }

    /// A directory that the simulation fills by itself.
    #[cfg(test)]
    pub(crate) fn simulated(path: PathBuf, lock: DirLock) -> Self {
        Self(Arc::new(Held { dir: RetirableDir::new(path), _lock: lock }))
    }

    /// Gives such a directory its manifest.
    #[cfg(test)]
    pub(crate) fn finish_simulated(&self, meta: &SnapshotMeta) -> Result<(), StoreError> {
        Manifest::describe(meta, self.path())?.write(self.path())
    }
}

/// The snapshots of this node: at most one that counts, and those that somebody still reads.
///
/// A checkpoint hard-links the state's table files, so that taking a snapshot costs a flush and a
/// few names, whatever the size of the state.
pub(super) struct Snapshots {
    dir: PathBuf,
    setup: Arc<RocksSetup>,
    lock: DirLock,
    current: Mutex<Option<Stored>>,
    drafts: AtomicU64,
}

#[derive(Clone)]
struct Stored {
    meta: SnapshotMeta,
    dir: SnapshotDir,
}

impl Stored {
    fn to_snapshot(&self) -> Snapshot {
        Snapshot { meta: self.meta.clone(), snapshot: Box::new(self.dir.clone()) }
    }
}

impl Snapshots {
    /// Opens the newest whole snapshot in `dir` and removes the others.
    pub(super) fn open(
        dir: PathBuf,
        setup: Arc<RocksSetup>,
        lock: DirLock,
    ) -> Result<Self, StoreError> {
        durable::create_dir(&dir)?;
        let snapshots =
            Self { dir, setup, lock, current: Mutex::new(None), drafts: AtomicU64::new(0) };
        for name in durable::file_names(&snapshots.dir)? {
            let path = snapshots.dir.join(&name);
            if !name.starts_with(PREFIX) {
                durable::remove_dir(&path)?;
                continue;
            }
            match Manifest::read(&path) {
                Ok(manifest) => {
                    snapshots.replace(Stored { meta: manifest.meta(), dir: snapshots.hold(path) })
                }
                // The state it was taken from is at hand, so it is taken anew when it is needed.
                Err(error) => {
                    tracing::warn!(%error, snapshot = name, "damaged snapshot is dropped");
                    durable::remove_dir(&path)?;
                }
            }
        }
        Ok(snapshots)
    }

    pub(super) fn current(&self) -> Option<Snapshot> {
        self.current.lock().as_ref().map(Stored::to_snapshot)
    }

    /// Last entry in the current snapshot.
    pub(super) fn last_log_id(&self) -> Option<LogId> {
        self.current.lock().as_ref().and_then(|stored| stored.meta.last_log_id)
    }

    /// Forgets the current snapshot, so that it is taken anew.
    pub(super) fn discard(&self) {
        if let Some(stored) = self.current.lock().take() {
            stored.dir.0.dir.retire();
        }
    }

    /// Takes a snapshot of `state` as it is now, and makes it the current one.
    pub(super) fn build(&self, state: &StateDb) -> Result<Snapshot, StoreError> {
        let draft = self.checkpoint(state)?;
        // The checkpoint begins with a flush, so it holds what the state itself was then durable for.
        // A few marks are written past the flush, by way of the write-ahead log that it takes along:
        // up to there the state is only durable after another flush.
        state.db().flush().map_err(StoreError::rocks("flush the state"))?;
        // What the checkpoint holds is read from the checkpoint: the state has moved on since.
        let mark = read_mark(&self.setup.open_read_only(draft.path())?)?;
        let meta = SnapshotMeta {
            snapshot_id: name(mark.last_applied),
            last_log_id: mark.last_applied,
            last_membership: mark.membership,
        };
        self.finish(meta, &draft)
    }

    /// Takes a checkpoint of `state` as it is now, which goes when nobody holds it any more.
    pub(super) fn checkpoint(&self, state: &StateDb) -> Result<SnapshotDir, StoreError> {
        let draft = self.draft()?;
        Checkpoint::new(state.db())
            .and_then(|checkpoint| checkpoint.create_checkpoint(draft.path()))
            .map_err(StoreError::rocks("take a checkpoint"))?;
        Ok(draft)
    }

    /// Opens a checkpoint to look into it.
    pub(super) fn look_into(&self, checkpoint: &SnapshotDir) -> Result<DB, StoreError> {
        self.setup.open_read_only(checkpoint.path())
    }

    /// An empty directory to receive a snapshot in.
    pub(super) fn begin_receiving(&self) -> Result<SnapshotDir, StoreError> {
        let draft = self.draft()?;
        durable::create_dir(draft.path())?;
        Ok(draft)
    }

    /// Checks that `dir` holds the snapshot `meta`, all its files there in full length.
    pub(super) fn verify(
        &self,
        meta: &SnapshotMeta,
        dir: &SnapshotDir,
    ) -> Result<Manifest, StoreError> {
        let manifest = Manifest::read(dir.path())?;
        if manifest.meta() != *meta {
            let reason = format!("it says that it is {}, not {meta}", manifest.meta());
            return Err(StoreError::damaged("snapshot", reason));
        }
        Ok(manifest)
    }

    /// Makes a verified snapshot, wherever it lies, the current one of this node.
    pub(super) fn adopt(
        &self,
        meta: &SnapshotMeta,
        manifest: &Manifest,
        files: &SnapshotDir,
    ) -> Result<(), StoreError> {
        let draft = self.draft()?;
        durable::link_or_copy_files(files.path(), manifest.file_names(), draft.path())?;
        self.finish(meta.clone(), &draft).map(drop)
    }

    /// Gives a finished draft its manifest and its name.
    fn finish(&self, meta: SnapshotMeta, draft: &SnapshotDir) -> Result<Snapshot, StoreError> {
        let mut current = self.current.lock();
        let newest = current.as_ref().filter(|stored| stored.meta.last_log_id >= meta.last_log_id);
        if let Some(newest) = newest {
            return Ok(newest.to_snapshot());
        }
        let manifest = Manifest::describe(&meta, draft.path())?;
        for file in manifest.file_names() {
            durable::sync_file(&draft.path().join(file))?;
        }
        manifest.write(draft.path())?;
        let path = self.dir.join(&meta.snapshot_id);
        durable::remove_dir(&path)?;
        durable::rename(draft.path(), &path)?;
        let stored = Stored { meta, dir: self.hold(path) };
        if let Some(before) = current.replace(stored.clone()) {
            before.dir.0.dir.retire();
        }
        Ok(stored.to_snapshot())
    }

    /// Makes `stored` the current snapshot unless a newer one is.
    fn replace(&self, stored: Stored) {
        let mut current = self.current.lock();
        let is_newer =
            current.as_ref().is_none_or(|kept| kept.meta.last_log_id < stored.meta.last_log_id);
        let superseded = if is_newer { current.replace(stored) } else { Some(stored) };
        if let Some(superseded) = superseded {
            superseded.dir.0.dir.retire();
        }
    }

    /// A name for a directory that goes when it is dropped unfinished.
    fn draft(&self) -> Result<SnapshotDir, StoreError> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("draft-{number}"));
        durable::remove_dir(&path)?;
        let draft = self.hold(path);
        draft.0.dir.retire();
        Ok(draft)
    }

    fn hold(&self, path: PathBuf) -> SnapshotDir {
        SnapshotDir(Arc::new(Held { dir: RetirableDir::new(path), _lock: self.lock.clone() }))
    }
}

fn name(last_applied: Option<LogId>) -> String {
    match last_applied {
        Some(id) => {
            format!("{PREFIX}{:020}-{}-{}", id.index, id.leader_id.term, id.leader_id.node_id)
        }
        None => format!("{PREFIX}empty"),
    }
}
