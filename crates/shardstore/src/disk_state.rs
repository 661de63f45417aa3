use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use custos_core::Fullness;
use custos_ports::{Disk, DiskSpace, Quarantined, ShardError};
use parking_lot::{Mutex, RwLock};

use crate::DiskId;
use crate::aligned::BufferPool;
use crate::extents::Extents;
use crate::fullness::{FullnessMarks, Holdings};
use crate::index::Index;
use crate::index_marker;
use crate::index_store::IndexError;
use crate::read_files::ReadFiles;

/// What the engine and the readers of one disk share.
pub(crate) struct DiskState {
    pub(crate) name: String,
    pub(crate) id: DiskId,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) extents: Extents,
    pub(crate) index: Index,
    pub(crate) read_files: ReadFiles,
    pub(crate) buffers: Arc<BufferPool>,
    pub(crate) marks: FullnessMarks,
    /// Bytes given to extents and not written yet.
    pub(crate) ahead_bytes: AtomicU64,
    /// Bytes of spare files: neither free on the file system nor taken by extents.
    pub(crate) spare_bytes: AtomicU64,
    /// Why the disk is out of service; once it is, it stays so until it is opened anew.
    pub(crate) offline: RwLock<Option<String>>,
    /// Failed reads, writes and syncs since it was opened.
    pub(crate) io_errors: AtomicU64,
    /// Files and extents that were found unknown when it was opened; unknown blocks stand in the
    /// index.
    pub(crate) unknown_files: Mutex<Vec<Quarantined>>,
    /// How much is quarantined in all.
    pub(crate) quarantined: AtomicU64,
}

impl DiskState {
    pub(crate) fn new(
        name: String,
        id: DiskId,
        disk: Arc<dyn Disk>,
        index: Index,
        marks: FullnessMarks,
    ) -> Self {
        Self {
            name,
            id,
            extents: Extents::new(disk.clone()),
            disk,
            index,
            read_files: ReadFiles::default(),
            buffers: Arc::new(BufferPool::default()),
            marks,
            ahead_bytes: AtomicU64::new(0),
            spare_bytes: AtomicU64::new(0),
            offline: RwLock::new(None),
            io_errors: AtomicU64::new(0),
            unknown_files: Mutex::default(),
            quarantined: AtomicU64::new(0),
        }
    }

    /// Fails when the disk is out of service, and takes it out of service when its folder is not
    /// the one that was opened: a file that no directory names still takes writes and loses them.
    pub(crate) fn check_in_service(&self) -> Result<(), ShardError> {
        if let Some(reason) = self.offline.read().clone() {
            return Err(self.offline_error(reason));
        }
        self.disk.check_in_place().map_err(|reason| self.go_offline(reason))
    }

    /// Takes the disk out of service; the first reason stands.
    pub(crate) fn go_offline(&self, reason: String) -> ShardError {
        let mut offline = self.offline.write();
        if offline.is_none() {
            tracing::error!(disk = %self.name, id = %self.id, %reason, "disk out of service");
        }
        let reason = offline.get_or_insert(reason).clone();
        drop(offline);
        self.offline_error(reason)
    }

    fn offline_error(&self, reason: String) -> ShardError {
        ShardError::Offline { store: self.name.clone(), reason }
    }

    /// Counts a failure of the disk itself.
    pub(crate) fn count_io_error(&self) {
        self.io_errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn io_error(
        &self,
        operation: &'static str,
        reason: impl std::fmt::Display,
    ) -> ShardError {
        ShardError::Io { store: self.name.clone(), operation, reason: reason.to_string() }
    }

    /// A damaged index takes the disk out of service, and is made anew at the next opening.
    pub(crate) fn index_error(&self, error: &IndexError) -> ShardError {
        if !matches!(error, IndexError::Damaged(_)) {
            return self.io_error("index access", error);
        }
        if self.offline.read().is_none()
            && let Err(error) = index_marker::set(&*self.disk, &error.to_string())
        {
            tracing::error!(disk = %self.name, %error, "damage to the index not noted on the disk");
        }
        let place = self.disk.locate("index");
        self.go_offline(format!(
            "its index {} is damaged ({error}); it is rebuilt when the disk is opened again",
            place.display()
        ))
    }

    /// What it does not know and therefore keeps, at most `limit` of it.
    pub(crate) fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, IndexError> {
        let files = self.unknown_files.lock().clone();
        let blocks = self.index.unknown().map(|unknown| unknown.map(Quarantined::from));
        files.into_iter().map(Ok).chain(blocks).take(limit).collect()
    }

    /// Room on the file system; none when it does not say.
    pub(crate) fn space(&self) -> DiskSpace {
        self.disk.space().unwrap_or_default()
    }

    /// What the disk has of its own.
    pub(crate) fn holdings(&self) -> Holdings {
        let ahead_bytes = self.ahead_bytes.load(Ordering::Relaxed);
        let spare_bytes = self.spare_bytes.load(Ordering::Relaxed);
        Holdings { ahead_bytes, spare_bytes, ..self.index.holdings() }
    }

    /// How full the disk is. A file system that does not say how much is free counts as full: it
    /// would fail a write just as well.
    pub(crate) fn fullness(&self) -> Fullness {
        self.marks.fullness(&self.space(), &self.holdings())
    }

    /// Takes the disk out of service because someone else removed one of its extents.
    pub(crate) fn lost_extent(&self, number: u64) -> ShardError {
        let path = self.extents.locate(number);
        self.go_offline(format!("its extent {} was removed", path.display()))
    }
}
