use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use custos_ports::ShardError;
use parking_lot::RwLock;

use crate::DiskId;
use crate::aligned::BufferPool;
use crate::extent_file::IoMode;
use crate::extents::ExtentDir;
use crate::index::{Index, IndexError};
use crate::read_files::ReadFiles;

/// What the writer and the readers of one disk share.
pub(crate) struct DiskState {
    pub(crate) name: String,
    pub(crate) id: DiskId,
    pub(crate) dir: PathBuf,
    /// Device and inode of `dir` when it was opened.
    pub(crate) dir_inode: (u64, u64),
    /// Held locked while the disk is open.
    pub(crate) lock: File,
    pub(crate) extents: ExtentDir,
    pub(crate) io_mode: IoMode,
    pub(crate) index: Index,
    pub(crate) read_files: ReadFiles,
    pub(crate) buffers: Arc<BufferPool>,
    /// Why the disk is out of service; once it is, it stays so until it is opened anew.
    pub(crate) offline: RwLock<Option<String>>,
}

impl DiskState {
    /// Fails when the disk is out of service, and takes it out of service when its folder is not
    /// the one that was opened: a file that no directory names still takes writes and loses them.
    pub(crate) fn check_in_service(&self) -> Result<(), ShardError> {
        if let Some(reason) = self.offline.read().clone() {
            return Err(self.offline_error(reason));
        }
        let here = std::fs::metadata(&self.dir)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.dir_inode);
        let locked = rustix::fs::fstat(&self.lock).is_ok_and(|found| found.st_nlink > 0);
        if here && locked {
            return Ok(());
        }
        Err(self.go_offline(format!("its folder {} was removed", self.dir.display())))
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

    pub(crate) fn io_error(
        &self,
        operation: &'static str,
        reason: impl std::fmt::Display,
    ) -> ShardError {
        ShardError::Io { store: self.name.clone(), operation, reason: reason.to_string() }
    }

    pub(crate) fn index_error(&self, error: &IndexError) -> ShardError {
        self.io_error("index access", error)
    }

    /// Bytes that the file system gives us; 0 when it does not say.
    pub(crate) fn free_bytes(&self) -> u64 {
        rustix::fs::statvfs(self.extents.path())
            .map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
    }
}
