use std::{io, path::PathBuf};

use custos_core::ErrorKind;

use crate::raft_types::StorageIoError;

/// Why a metastore did not open. The directory is left as it was found.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another handle of this one, has the directory open.
    #[error("the metastore in {dir} is in use by another process")]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// Written by a newer release: this one must not touch it.
    #[error(
        "{path} has format {found}, but this release reads up to format {supported}: use a newer release"
    )]
    NewerFormat {
        /// The file that names the format.
        path: PathBuf,
        /// Format version on disk.
        found: u32,
        /// Newest format version that this release reads.
        supported: u32,
    },
    /// The directory belongs to another node of the group.
    #[error("the metastore in {dir} belongs to node {found}, not to node {expected}")]
    WrongNode {
        /// The directory.
        dir: PathBuf,
        /// Node on disk.
        found: u64,
        /// Node that was asked for.
        expected: u64,
    },
    /// The directory has contents, but is no metastore.
    #[error(
        "{dir} holds {found}, but no meta.json: it is not a metastore, or its identity is lost"
    )]
    NotAMetaStore {
        /// The directory.
        dir: PathBuf,
        /// One thing that is there.
        found: String,
    },
    /// `meta.json` cannot be understood.
    #[error("the identity of the metastore in {path} is damaged: {reason}")]
    DamagedIdentity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// This node once took part in a group, but its log is gone: it must not vote again as itself.
    #[error("the Raft log in {dir} is gone: this node must be replaced, not restarted")]
    LogLost {
        /// The directory.
        dir: PathBuf,
    },
    /// The node is a member of a group at another endpoint.
    #[error(
        "node {node} is a member of its group at {recorded}, not at {configured}: keep the \
         endpoint, or remove the node and let it join anew with an empty folder"
    )]
    Moved {
        /// The node.
        node: u64,
        /// Where the others reach it.
        recorded: String,
        /// Where it says that it is.
        configured: String,
    },
    /// The log ends before what was applied from it: acknowledged entries are lost.
    #[error(
        "the Raft log in {dir} ends at {log_end}, before the state that was made from it ({applied})"
    )]
    LogShort {
        /// The directory.
        dir: PathBuf,
        /// Last entry of the log, as term-node-index.
        log_end: String,
        /// Last entry applied, as term-node-index.
        applied: String,
    },
    /// The state lacks entries that the log no longer has.
    #[error("the state in {dir} ends at {applied}, but the Raft log was purged up to {purged}")]
    StateShort {
        /// The directory.
        dir: PathBuf,
        /// Last entry applied, as term-node-index.
        applied: String,
        /// Last entry purged, as term-node-index.
        purged: String,
    },
    /// The file system said no.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The key-value store below failed or holds damaged records.
    #[error("metastore storage: {reason}")]
    Storage {
        /// What failed.
        reason: String,
    },
    /// No leader was found in time.
    #[error("the metastore has no leader after {waited_ms} ms")]
    NoLeader {
        /// How long it waited.
        waited_ms: u64,
    },
    /// Raft did not start.
    #[error("raft did not start: {reason}")]
    Raft {
        /// Why.
        reason: String,
    },
}

impl OpenError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } | Self::NoLeader { .. } => ErrorKind::Unavailable,
            Self::NewerFormat { .. }
            | Self::WrongNode { .. }
            | Self::NotAMetaStore { .. }
            | Self::Moved { .. } => ErrorKind::Invalid,
            Self::DamagedIdentity { .. }
            | Self::LogLost { .. }
            | Self::LogShort { .. }
            | Self::StateShort { .. } => ErrorKind::Integrity,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                ErrorKind::Exhausted
            }
            // RocksDB tells it in words only.
            Self::Storage { reason } if reason.contains("No space left") => ErrorKind::Exhausted,
            Self::Io { .. } | Self::Storage { .. } | Self::Raft { .. } => ErrorKind::Internal,
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Io { doing, path, source } => Self::Io { doing, path, source },
            other => Self::Storage { reason: other.to_string() },
        }
    }
}

/// A failure below Raft. Every one of them is fatal to the store: see [`Fault`](crate::fault).
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot {doing}: {source}")]
    Rocks {
        doing: &'static str,
        #[source]
        source: rocksdb::Error,
    },
    #[error("cannot {doing} {path}: {source}")]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("damaged {what}: {reason}")]
    Damaged { what: &'static str, reason: String },
    /// The store failed before; nothing more is tried.
    #[error("stopped after a fault: {reason}")]
    Stopped { reason: String },
}

impl StoreError {
    pub(crate) fn damaged(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Damaged { what, reason: reason.into() }
    }

    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    pub(crate) fn rocks(doing: &'static str) -> impl FnOnce(rocksdb::Error) -> Self {
        move |source| Self::Rocks { doing, source }
    }
}

/// For openraft, which wants to know what it was doing and stops for good at any of these.
pub(crate) fn storage_error(
    build: fn(openraft::AnyError) -> StorageIoError,
    error: &StoreError,
) -> openraft::StorageError<u64> {
    build(openraft::AnyError::new(error)).into()
}
