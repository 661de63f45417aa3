use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::{ChunkIndex, ErrorKind, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};

/// Name of one shard of one attempt to write one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardKey {
    /// Vault that the evidence lives in.
    pub vault: VaultId,
    /// The evidence.
    pub evidence_id: EvidenceId,
    /// The chunk, or [`ChunkIndex::CROWN`].
    pub chunk: ChunkIndex,
    /// Position in the code word.
    pub slot: ShardSlot,
    /// The write attempt.
    pub salt: Salt,
}

/// A shard to be written.
#[derive(Debug, Clone)]
pub struct ShardWrite {
    /// Its name.
    pub key: ShardKey,
    /// The store itself refuses to end it before this time.
    pub retain_until: Timestamp,
    /// The codec's shard header, at most 512 bytes, opaque to the store.
    pub header: Bytes,
    /// The shard's bytes, 1 byte to 64 MiB.
    pub payload: Bytes,
}

/// What the store knows about a shard without reading its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardEntry {
    /// Its name.
    pub key: ShardKey,
    /// It must not end before this time.
    pub retain_until: Timestamp,
    /// The codec's shard header.
    pub header: Bytes,
    /// Bytes of the payload.
    pub payload_len: u64,
}

/// One page of a listing, ordered by chunk, slot, salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardPage {
    /// The page.
    pub items: Vec<ShardEntry>,
    /// There are more after the last item.
    pub more: bool,
}

/// Bytes read from a shard; they match the store's own checksums.
#[derive(Debug, Clone)]
pub struct ShardRead {
    /// The codec's shard header, as read from the record.
    pub header: Bytes,
    /// The bytes asked for.
    pub payload: Bytes,
}

/// Why a shard may be removed. The store never removes one on a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalReason {
    /// The upload was given up, as the cited ledger entry says.
    AbortedUpload,
    /// Another attempt to write the chunk is the one that the cited seal names.
    SupersededAttempt,
}

/// Leave to remove shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalOrder {
    /// Why.
    pub reason: RemovalReason,
    /// Committed custody log entry that justifies it.
    pub ledger_index: custos_core::LogIndex,
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// Human name for logs and errors, such as `disk 3 (/data/disks/3)`.
    pub name: String,
    /// Why it is out of service, if it is.
    pub offline: Option<String>,
    /// Shards it holds.
    pub shards: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Bytes free on its file system.
    pub free_bytes: u64,
}

/// One place that keeps shards: a disk, a bucket, or one of these on another machine.
#[async_trait]
pub trait ShardStore: Send + Sync {
    /// Human name for logs and errors, as in [`StoreStatus::name`]; never blocks.
    fn name(&self) -> &str;

    /// Writes a shard. When it returns, the shard survives loss of power. Writing the same key
    /// with the same bytes again is fine; with other bytes it is refused.
    ///
    /// # Errors
    /// `Full`, `Offline`, `Io`, `Conflict`; nothing is claimed to be stored then.
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

    /// Removes shards; what is not there is passed over. Durable when it returns.
    ///
    /// # Errors
    /// `Offline`, `Io`.
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
            Self::Full { .. } => ErrorKind::Exhausted,
            Self::Offline { .. } | Self::Io { .. } => ErrorKind::Unavailable,
        }
    }
}
