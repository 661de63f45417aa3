use std::{io, path::PathBuf};

use custos_core::ErrorKind;

use crate::DiskId;

/// Why a disk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is not there.
    #[error("no directory {}: mount the disk there, or create it as a new disk", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds no disk.
    #[error(
        "{} has no disk.json, so it is not a Custos disk: mount the right one there, or create a \
         new disk in an empty directory",
        dir.display()
    )]
    NoIdentity {
        /// The directory.
        dir: PathBuf,
    },
    /// A disk was to be made where there is one.
    #[error("{} holds disk {found} already: open it as existing, or choose another directory", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
        /// The disk that is there.
        found: DiskId,
    },
    /// A disk was to be made in a directory with extents but without an identity.
    #[error(
        "{} has extents but no disk.json: restore its disk.json, or choose an empty directory; \
         nothing was changed",
        dir.display()
    )]
    Orphaned {
        /// The directory.
        dir: PathBuf,
    },
    /// Another disk than expected.
    #[error(
        "{} holds disk {found}, expected disk {expected}: the disks may be swapped; mount the \
         right one there",
        dir.display()
    )]
    WrongIdentity {
        /// The directory.
        dir: PathBuf,
        /// The identity asked for.
        expected: DiskId,
        /// The identity found.
        found: DiskId,
    },
    /// The identity file is damaged.
    #[error("{} is damaged ({reason}): restore it from a copy; the shards are untouched", file.display())]
    BadIdentity {
        /// The identity file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a newer version of this software.
    #[error(
        "{} has disk format {found}, this version reads up to {supported}: use a newer custosd",
        dir.display()
    )]
    NewerFormat {
        /// The directory.
        dir: PathBuf,
        /// Format version found.
        found: u64,
        /// Newest format version that this version reads.
        supported: u64,
    },
    /// Another process has the disk open.
    #[error("{} is in use by another process: stop that one first", dir.display())]
    Locked {
        /// The directory.
        dir: PathBuf,
    },
    /// The index could neither be opened nor made anew.
    #[error("index of {} cannot be made: {reason}", dir.display())]
    Index {
        /// The directory.
        dir: PathBuf,
        /// What RocksDB said.
        reason: String,
    },
    /// The file system failed.
    #[error("{operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Exists { .. } | Self::NewerFormat { .. } => ErrorKind::Invalid,
            Self::BadIdentity { .. } | Self::WrongIdentity { .. } | Self::Orphaned { .. } => {
                ErrorKind::Integrity
            }
            Self::Missing { .. }
            | Self::NoIdentity { .. }
            | Self::Locked { .. }
            | Self::Index { .. }
            | Self::Io { .. } => ErrorKind::Unavailable,
        }
    }

    pub(crate) fn io(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source }
    }
}
