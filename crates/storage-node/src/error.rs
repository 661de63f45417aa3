use std::{io, path::PathBuf};

use custos_core::{DiskId, ErrorKind, NodeId, Refusal, RunId};

/// Why a storage node could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the node's folder open.
    #[error("node folder {} is in use by another process: stop that one first", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// A file of the node's folder is damaged or of a newer version.
    #[error("{} cannot be used: {reason}", file.display())]
    BadFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
        /// How it is classed.
        kind: ErrorKind,
    },
    /// The file system failed.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A disk is in use by another process, or was written by a newer version: going on without it
    /// would hide a mistake of the set-up.
    #[error("{disk}: {reason}")]
    Disk {
        /// The disk, as it is configured.
        disk: String,
        /// What is wrong with it, and what to do.
        reason: String,
        /// How it is classed.
        kind: ErrorKind,
    },
    /// More disks than one node may have.
    #[error("{given} disks are configured, a node has at most {limit}")]
    TooManyDisks {
        /// How many are configured.
        given: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The ledger refuses the node.
    #[error("the cluster refuses node {name:?}: {refusal}")]
    Refused {
        /// The node's name.
        name: String,
        /// Why.
        refusal: Refusal,
    },
    /// Another process runs with this node's identity, and serves.
    #[error(transparent)]
    SameIdentity(Box<SameIdentity>),
    /// The ledger failed in a way that a retry does not mend.
    #[error("the ledger failed while the node registered: {reason}")]
    Ledger {
        /// What it said.
        reason: String,
    },
}

/// Two processes with the identity of one node: this one, which is not started, and another.
#[derive(Debug, thiserror::Error)]
#[error(
    "two nodes have one identity: {other_name:?} at {other_endpoint} runs as node {node_id} (run \
     {other_run}) and goes on; {name:?} at {endpoint} is not started. One of the two node folders \
     is a copy, here it is {}: give this node a folder and disks of its own, or, if it is the same \
     node, moved, stop the other process first",
    folder.display()
)]
pub struct SameIdentity {
    /// The identity.
    pub node_id: NodeId,
    /// What this node is called.
    pub name: String,
    /// Where this process would be; `no address` when it has no endpoint.
    pub endpoint: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What the other is called.
    pub other_name: String,
    /// Where the other is.
    pub other_endpoint: String,
    /// The process there.
    pub other_run: RunId,
}

impl StartError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooManyDisks { .. } => ErrorKind::Invalid,
            Self::BadFile { kind, .. } => *kind,
            Self::InUse { .. } | Self::Io { .. } => ErrorKind::Unavailable,
            Self::Disk { kind, .. } => *kind,
            Self::Refused { refusal, .. } => refusal.kind,
            Self::SameIdentity(_) => ErrorKind::Refused,
            Self::Ledger { .. } => ErrorKind::Internal,
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

/// Why a node that ran has stopped serving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeFailure {
    /// Another process has registered under this node's id.
    #[error(
        "two nodes have one identity: node {node_id} is now {other_name:?} at {other_endpoint} \
         (run {other_run}); this process (run {own_run}) has stopped serving. One of the two \
         node folders is a copy: stop that node and give it a folder of its own"
    )]
    SameIdentity {
        /// The identity.
        node_id: NodeId,
        /// This process.
        own_run: RunId,
        /// The process that has it now.
        other_run: RunId,
        /// What the other process is called.
        other_name: String,
        /// Where the other process is; `its own process only` when it has no endpoint.
        other_endpoint: String,
    },
}

impl NodeFailure {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::SameIdentity { .. } => ErrorKind::Refused,
        }
    }
}

/// Why a disk could not be added or detached while the node runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiskChangeError {
    /// No disk of this id is in service here.
    #[error("disk {disk_id} is not in service on this node")]
    NotInService {
        /// Which disk.
        disk_id: DiskId,
    },
    /// The place is in service already.
    #[error("{place} is in service already, as disk {disk_id}")]
    InService {
        /// Which place.
        place: String,
        /// The disk that is there.
        disk_id: DiskId,
    },
    /// As many disks as one node may have.
    #[error("this node has {limit} disks, which is the most")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// The disk cannot be opened.
    #[error("{place}: {reason}")]
    Open {
        /// Which place.
        place: String,
        /// What is wrong, and what to do.
        reason: String,
        /// How it is classed.
        kind: ErrorKind,
    },
    /// The ledger refuses the disk.
    #[error("{place}: {refusal}")]
    Refused {
        /// Which place.
        place: String,
        /// Why.
        refusal: Refusal,
    },
    /// The ledger did not answer in time; the disk is not in service. Adding it again is safe.
    #[error("{place}: the ledger did not answer: {reason}")]
    Ledger {
        /// Which place.
        place: String,
        /// What it said last.
        reason: String,
    },
    /// The node has stopped.
    #[error("the node is stopping")]
    Stopping,
}

impl DiskChangeError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotInService { .. } => ErrorKind::NotFound,
            Self::InService { .. } => ErrorKind::Invalid,
            Self::TooMany { .. } => ErrorKind::Exhausted,
            Self::Open { kind, .. } => *kind,
            Self::Refused { refusal, .. } => refusal.kind,
            Self::Ledger { .. } | Self::Stopping => ErrorKind::Unavailable,
        }
    }
}
