use std::ops::Range;

use async_trait::async_trait;
use custos_core::{
    ChunkIndex, Epoch, ErrorKind, EvidenceId, Quarantined, RemovalOrder, ShardEntry, ShardKey,
    ShardPage, ShardRead, ShardWrite, StoreStatus, VaultId,
};

/// One place that keeps shards: a disk, a bucket, or one of these on another machine.
#[async_trait]
pub trait ShardStore: Send + Sync {
    /// Human name for logs and errors, as in [`StoreStatus::name`]; never blocks.
    fn name(&self) -> &str;

    /// Writes a shard. When it returns, the shard survives loss of power. Writing the same key
    /// with the same bytes again is fine; with other bytes it is refused.
    ///
    /// # Errors
    /// `Full`, `Offline`, `Io`, `Conflict`, `Stale`, `Overloaded`; nothing is claimed to be stored
    /// then. When what is stored under the key does not verify any more, it is replaced.
    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError>;

    /// Reads `range` of a shard's payload (the whole when `None`) and its header; every byte
    /// returned matches the record's checksums.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Offline`, `Io`, `Range`.
    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError>;

    /// Lists shards of an evidence item in order, from the first one after `after` on.
    ///
    /// # Errors
    /// `Offline`, `Io`.
    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError>;

    /// Lists every attempt at one chunk that this store holds shards of.
    ///
    /// # Errors
    /// `Offline`, `Io`.
    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError>;

    /// Lists the shards of one vault, or all when `None`, in order of key from the first one after
    /// `after` on; their headers are left empty, and where telling the time to keep until would
    /// cost a read of each shard, it is given as the latest there is.
    ///
    /// # Errors
    /// `Offline`, `Io`.
    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError>;

    /// Reads a whole shard and checks every byte of it, without handing it out.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError>;

    /// What lies on the store that it does not know and therefore keeps, at most `limit` items.
    ///
    /// # Errors
    /// `Offline`, `Io`.
    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError>;

    /// Removes shards; what is not there is passed over. Durable when it returns.
    ///
    /// # Errors
    /// `NotOrdered`, `Offline`, `Io`.
    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError>;

    /// What the store says of itself; never fails.
    async fn status(&self) -> StoreStatus;
}

/// Why a shard store did not do what was asked. `store` is the store's name.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ShardError {
    /// It holds no such shard.
    #[error("{store}: no such shard ({key:?})")]
    NotFound {
        /// Which store.
        store: String,
        /// Which shard.
        key: Box<ShardKey>,
    },
    /// The record on disk does not verify.
    #[error("{store}: shard is corrupt: {what} ({key:?})")]
    Corrupt {
        /// Which store.
        store: String,
        /// Which shard.
        key: Box<ShardKey>,
        /// What does not verify, and where.
        what: String,
    },
    /// Another shard is already stored under this key.
    #[error("{store}: other bytes are already stored under this key ({key:?})")]
    Conflict {
        /// Which store.
        store: String,
        /// Which shard.
        key: Box<ShardKey>,
    },
    /// The range is not within the payload.
    #[error("{store}: range {start}..{end} is not within a shard of {len} bytes")]
    Range {
        /// Which store.
        store: String,
        /// First byte asked for.
        start: u64,
        /// One past the last byte asked for.
        end: u64,
        /// Bytes of the payload.
        len: u64,
    },
    /// No space is left for data.
    #[error("{store}: no space left ({free_bytes} bytes free)")]
    Full {
        /// Which store.
        store: String,
        /// Free bytes on its file system.
        free_bytes: u64,
    },
    /// The caller's cluster map is older than what it asks for.
    #[error("{store}: the cluster map of epoch {given} is out of date, epoch {current} stands")]
    Stale {
        /// Which store.
        store: String,
        /// Epoch that the caller knows.
        given: Epoch,
        /// Epoch that the store knows.
        current: Epoch,
    },
    /// The order to remove shards is not one that the ledger knows.
    #[error("{store}: removal refused: {reason}")]
    NotOrdered {
        /// Which store.
        store: String,
        /// What is wrong with the order.
        reason: String,
    },
    /// Too much is under way already.
    #[error("{store}: overloaded: {reason}")]
    Overloaded {
        /// Which store.
        store: String,
        /// Which limit is reached.
        reason: String,
    },
    /// The store is out of service.
    #[error("{store}: out of service: {reason}")]
    Offline {
        /// Which store.
        store: String,
        /// Why.
        reason: String,
    },
    /// The disk or network failed.
    #[error("{store}: {operation} failed: {reason}")]
    Io {
        /// Which store.
        store: String,
        /// What was tried.
        operation: &'static str,
        /// What the system said.
        reason: String,
    },
}

impl ShardError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Corrupt { .. } | Self::Conflict { .. } => ErrorKind::Integrity,
            Self::Range { .. } => ErrorKind::Internal,
            Self::Full { .. } | Self::Overloaded { .. } => ErrorKind::Exhausted,
            Self::NotOrdered { .. } => ErrorKind::Refused,
            Self::Offline { .. } | Self::Io { .. } | Self::Stale { .. } => ErrorKind::Unavailable,
        }
    }
}
