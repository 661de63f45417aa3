use std::{fmt, sync::Arc};

use async_trait::async_trait;
use custos_core::{DiskGeneration, DiskId, RunId};
use custos_ports::ShardStore;

/// What a disk is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendKind {
    /// A folder.
    Local,
    /// A bucket.
    S3,
    /// A folder whose old shards move to a bucket.
    Tiered,
}

impl BackendKind {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::Tiered => "tiered",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The identity of a disk could not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its identity cannot be written: {reason}")]
pub(crate) struct OpeningError {
    pub(crate) reason: String,
}

/// One disk as the node uses it: a store with an identity that counts its openings.
///
/// Opening it is a promise in two steps, so that a crash between them is mended by doing the same
/// again: what is about to be claimed stands on the disk before it is claimed in the ledger, and
/// becomes the disk's generation when the ledger has accepted it.
#[async_trait]
pub(crate) trait Backend: ShardStore {
    fn id(&self) -> DiskId;

    fn kind(&self) -> BackendKind;

    /// The generation that stands on it.
    fn generation(&self) -> DiskGeneration;

    /// Writes the next generation as pending under `opening`; what is pending already stays. Gives
    /// what is pending, durable.
    async fn begin_opening(
        self: Arc<Self>,
        opening: RunId,
    ) -> Result<(DiskGeneration, RunId), OpeningError>;

    /// Makes what is pending the disk's generation, durably.
    async fn finish_opening(self: Arc<Self>) -> Result<(), OpeningError>;

    /// Finishes the writes that wait and closes it; later calls fail as `Offline`.
    async fn close(&self);
}
