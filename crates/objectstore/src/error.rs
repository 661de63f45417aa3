use custos_core::{DiskId, ErrorKind};

use crate::failure::Failure;

/// Why a bucket could not be opened. `place` is the bucket and the prefix.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpenError {
    /// An option cannot be as it is.
    #[error("S3 option {option}: {reason}")]
    Option {
        /// Which option.
        option: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The prefix holds no disk.
    #[error(
        "{place} has no custos-disk.json, so it is not a Custos disk: name the right bucket and \
         prefix, or create a new disk under an empty prefix"
    )]
    NoIdentity {
        /// The bucket.
        place: String,
    },
    /// A disk was to be made where there is one.
    #[error("{place} holds disk {found} already: open it as existing, or choose another prefix")]
    Exists {
        /// The bucket.
        place: String,
        /// The disk that is there.
        found: DiskId,
    },
    /// A disk was to be made where there are objects but no identity.
    #[error(
        "{place} has objects such as {object} but no custos-disk.json: restore it, or choose an \
         empty prefix; nothing was changed"
    )]
    Orphaned {
        /// The bucket.
        place: String,
        /// One of the objects.
        object: String,
    },
    /// Another disk than expected.
    #[error(
        "{place} holds disk {found}, expected disk {expected}: buckets or prefixes may be swapped; \
         name the right one"
    )]
    WrongIdentity {
        /// The bucket.
        place: String,
        /// The identity asked for.
        expected: DiskId,
        /// The identity found.
        found: DiskId,
    },
    /// The identity object is damaged.
    #[error(
        "custos-disk.json of {place} is damaged ({reason}): restore it from a copy; the shards are \
         untouched"
    )]
    BadIdentity {
        /// The bucket.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The identity is not the one any more that was read when the bucket was opened.
    #[error("{place} was taken by another process (it holds {found} now): stop one of them")]
    Taken {
        /// The bucket.
        place: String,
        /// What the identity says now.
        found: String,
    },
    /// Written by a newer version of this software.
    #[error(
        "{place} has disk format {found}, this version reads up to {supported}: use a newer custosd"
    )]
    NewerFormat {
        /// The bucket.
        place: String,
        /// Format version found.
        found: u64,
        /// Newest format version that this version reads.
        supported: u64,
    },
    /// The bucket does not do what is asked.
    #[error("cannot {operation}: {reason}")]
    Bucket {
        /// What was tried.
        operation: &'static str,
        /// What it said, and what to do.
        reason: String,
        /// How callers should class it.
        kind: ErrorKind,
    },
}

impl OpenError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Option { .. } | Self::Exists { .. } | Self::NewerFormat { .. } => {
                ErrorKind::Invalid
            }
            Self::Orphaned { .. } | Self::WrongIdentity { .. } | Self::BadIdentity { .. } => {
                ErrorKind::Integrity
            }
            Self::NoIdentity { .. } | Self::Taken { .. } => ErrorKind::Unavailable,
            Self::Bucket { kind, .. } => *kind,
        }
    }

    pub(crate) fn bucket(operation: &'static str) -> impl FnOnce(Failure) -> Self {
        move |failure| Self::Bucket { operation, reason: failure.to_string(), kind: failure.kind() }
    }
}
