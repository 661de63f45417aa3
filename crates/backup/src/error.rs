use std::{io, path::PathBuf};

use custos_core::ErrorKind;
use custos_objectstore::{BucketError, OpenError};

/// Why a backup cannot be written, read or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A text names no place.
    #[error("{text:?} is no place for backups: {reason}")]
    Place {
        /// What was given.
        text: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// There is no backup.
    #[error("{place} holds no backup")]
    Nothing {
        /// Where.
        place: String,
    },
    /// There is no backup of this name.
    #[error("{place} holds no backup {name:?}: the last one is {newest}")]
    Unknown {
        /// Where.
        place: String,
        /// What was asked for.
        name: String,
        /// The newest there is.
        newest: String,
    },
    /// A backup is not what it was.
    #[error("backup {name} is damaged: {what}")]
    Damaged {
        /// Which.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// A file came otherwise than was said.
    #[error("{file} of the ledger came with other bytes than were announced: {reason}")]
    WrongBytes {
        /// Which file.
        file: String,
        /// What differs.
        reason: String,
    },
    /// Written by a newer version of this software.
    #[error(
        "backup {name} has format {found}, this version reads up to {supported}: use a newer one"
    )]
    NewerFormat {
        /// Which.
        name: String,
        /// Its format.
        found: u64,
        /// The newest that is read.
        supported: u64,
    },
    /// A place holds the backups of another cluster.
    #[error(
        "{place} holds backups of cluster {found}, this one is of {given}: choose another place; \
         nothing was changed"
    )]
    OtherCluster {
        /// Where.
        place: String,
        /// Cluster of what is there.
        found: String,
        /// Cluster that was asked for.
        given: String,
    },
    /// Another process writes there.
    #[error("another backup is being written to {place}: wait until it is done")]
    InUse {
        /// Where.
        place: String,
    },
    /// Credentials for a bucket are missing.
    #[error(
        "bucket {bucket} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the \
         environment"
    )]
    Credentials {
        /// Which bucket.
        bucket: String,
    },
    /// A limit is reached.
    #[error("a backup can have {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: u64,
    },
    /// The file system refuses.
    #[error("cannot {operation} {}: {source}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A bucket cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A bucket refuses.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The runtime ended.
    #[error("it was cut off: {reason}")]
    CutOff {
        /// How.
        reason: String,
    },
}

impl BackupError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Place { .. } | Self::NewerFormat { .. } | Self::Credentials { .. } => {
                ErrorKind::Invalid
            }
            Self::Nothing { .. } | Self::Unknown { .. } => ErrorKind::NotFound,
            Self::Damaged { .. } | Self::WrongBytes { .. } | Self::OtherCluster { .. } => {
                ErrorKind::Integrity
            }
            Self::InUse { .. } | Self::CutOff { .. } => ErrorKind::Unavailable,
            Self::Limit { .. } => ErrorKind::Exhausted,
            Self::File { source, .. } => kind_of(source.kind()),
            Self::Open(error) => error.kind(),
            Self::Bucket(error) => error.kind,
        }
    }

    pub(crate) fn file(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { operation, path, source }
    }

    pub(crate) fn damaged(name: impl ToString, what: impl Into<String>) -> Self {
        Self::Damaged { name: name.to_string(), what: what.into() }
    }
}

fn kind_of(kind: io::ErrorKind) -> ErrorKind {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Exhausted,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorKind::Refused,
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::AlreadyExists => ErrorKind::Invalid,
        _ => ErrorKind::Unavailable,
    }
}
