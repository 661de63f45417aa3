use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use custos_core::ErrorKind;

use super::{LEDGER_FOLDER, manifest::MANIFEST_FILE};
use crate::durable_file::{self, FileError};

const LOCK_FILE: &str = "lock";

/// What a folder may hold beside the node's own files when a node begins there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupants {
    /// Nothing.
    Nobody,
    /// Other files, such as a key that its administrator put there.
    Anybody,
}

/// A data folder that this process alone has, for as long as this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why a folder cannot be used as data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process has it.
    #[error("{} is in use by another custosd: stop that one first, or choose another folder", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// It holds something that is not ours.
    #[error(
        "{} holds {found:?} but no custosd.json, so it is no data folder of custosd: choose an \
         empty one",
        dir.display()
    )]
    Foreign {
        /// The folder.
        dir: PathBuf,
        /// One thing that is there.
        found: String,
    },
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl DataDirError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } => ErrorKind::Unavailable,
            Self::Foreign { .. } => ErrorKind::Invalid,
            Self::File(error) => error.kind(),
        }
    }
}

impl DataDir {
    /// Takes the folder for this process, making it if need be.
    ///
    /// # Errors
    /// When another process has it, when it holds what it must not (it is left as it was then), or
    /// when the file system fails.
    pub fn lock(path: &Path, occupants: Occupants) -> Result<Self, DataDirError> {
        durable_file::create_dir(path)?;
        if occupants == Occupants::Nobody {
            check_occupants(path)?;
        }
        // Relative names would change their meaning with the working folder.
        let path = fs::canonicalize(path).map_err(FileError::on("find", path))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(FileError::on("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { dir: path }),
            Err(TryLockError::Error(error)) => Err(FileError::on("lock", lock_path)(error).into()),
        }
    }

    /// The folder, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes sure that a folder where no node has begun holds nothing of others.
fn check_occupants(dir: &Path) -> Result<(), DataDirError> {
    let mut foreign = None;
    for entry in fs::read_dir(dir).map_err(FileError::on("list", dir))? {
        let entry = entry.map_err(FileError::on("list", dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A node has begun here; what it lacks is its identity's business.
        if name.starts_with(MANIFEST_FILE) || name == LEDGER_FOLDER {
            return Ok(());
        }
        // A fresh ext4 file system has a lost+found.
        if name != LOCK_FILE && name != "lost+found" && !name.starts_with('.') {
            foreign = Some(name);
        }
    }
    match foreign {
        None => Ok(()),
        Some(found) => Err(DataDirError::Foreign { dir: dir.to_owned(), found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_serves_one_process_at_a_time() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("new/data");
        let first = DataDir::lock(&path, Occupants::Nobody).expect("free");
        let error = DataDir::lock(&path, Occupants::Nobody).expect_err("taken");
        assert!(error.to_string().contains("in use by another custosd"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        drop(first);
        DataDir::lock(&path, Occupants::Nobody).expect("free again");
    }

    #[test]
    fn a_folder_with_the_files_of_others_is_left_as_it_was() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::write(dir.path().join("holiday.jpg"), "x").expect("write");
        let error = DataDir::lock(dir.path(), Occupants::Nobody).expect_err("foreign");
        assert!(error.to_string().contains("\"holiday.jpg\" but no custosd.json"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 1);
        DataDir::lock(dir.path(), Occupants::Anybody).expect("allowed");
    }

    #[test]
    fn a_folder_where_a_node_has_begun_may_hold_anything() {
        let dir = tempfile::tempdir().expect("tempdir");
        fs::write(dir.path().join("custosd.json.draft"), "{").expect("write");
        fs::write(dir.path().join("holiday.jpg"), "x").expect("write");
        DataDir::lock(dir.path(), Occupants::Nobody).expect("allowed");
    }
}
