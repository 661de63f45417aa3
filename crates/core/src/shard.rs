//! Shards as every store names and describes them.

use std::fmt;

use bytes::Bytes;

use crate::{ChunkIndex, EvidenceId, LogIndex, Salt, ShardSlot, Timestamp, VaultId};

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

impl fmt::Display for ShardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vault, evidence_id, chunk, slot, salt } = self;
        write!(f, "vault {vault} evidence {evidence_id} chunk {chunk} slot {slot} salt {salt}")
    }
}

/// What a write is for: the fullness marks let some go on longer than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WritePurpose {
    /// New footage: refused from the *full* mark on.
    #[default]
    Ingest,
    /// Repair, move or rebalance: refused from the *backfill-full* mark on.
    Backfill,
}

/// A shard to be written.
#[derive(Debug, Clone)]
pub struct ShardWrite {
    /// Its name.
    pub key: ShardKey,
    /// The store itself refuses to end it before this time.
    pub retain_until: Timestamp,
    /// What it is written for; not stored.
    pub purpose: WritePurpose,
    /// The codec's shard header, at most 512 bytes, opaque to the store.
    pub header: Bytes,
    /// The shard's bytes, 1 byte to 64 MiB.
    pub payload: Bytes,
}

/// What a store knows about a shard without reading its payload.
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

/// One page of a listing, ordered by key.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemovalReason {
    /// The upload was given up, as the cited ledger entry says.
    AbortedUpload,
    /// Another attempt to write the chunk is the one that the cited seal names.
    SupersededAttempt,
    /// The shard was moved: another place holds it, verified.
    Moved,
    /// The evidence was lawfully ended, as the cited ledger entry says.
    Disposition,
}

impl RemovalReason {
    /// Every reason, in the order of their stored numbers, which begin with 1.
    pub const ALL: [Self; 4] =
        [Self::AbortedUpload, Self::SupersededAttempt, Self::Moved, Self::Disposition];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AbortedUpload => "aborted-upload",
            Self::SupersededAttempt => "superseded-attempt",
            Self::Moved => "moved",
            Self::Disposition => "disposition",
        }
    }
}

/// Leave to remove shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovalOrder {
    /// Why.
    pub reason: RemovalReason,
    /// Committed custody log entry that justifies it.
    pub ledger_index: LogIndex,
}

/// How full a store is. Each mark counts bytes and, where the file system has them, inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Fullness {
    /// Below every mark.
    #[default]
    Normal,
    /// New evidence should go elsewhere where it can; everything still works.
    NearFull,
    /// Repair and moves onto this store are refused.
    BackfillFull,
    /// New shards are refused; reads and removals work.
    Full,
}

impl Fullness {
    /// Every mark, emptiest first.
    pub const ALL: [Self; 4] = [Self::Normal, Self::NearFull, Self::BackfillFull, Self::Full];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::NearFull => "near-full",
            Self::BackfillFull => "backfill-full",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Fullness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Human name for logs and errors, such as `disk 3 (/data/disks/3)`.
    pub name: String,
    /// Why it is out of service, if it is.
    pub offline: Option<String>,
    /// Why it should get no new shards though it answers, if so: slow, or errors were seen.
    pub suspect: Option<String>,
    /// Shards it holds.
    pub shards: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Bytes that its extents take, live or not; 0 where it does not apply.
    pub stored_bytes: u64,
    /// Bytes of its file system; 0 where there is none.
    pub total_bytes: u64,
    /// Bytes free on its file system.
    pub free_bytes: u64,
    /// How full it is.
    pub fullness: Fullness,
    /// Failed reads, writes and syncs since it was opened.
    pub io_errors: u64,
    /// Records and files that it does not know and therefore keeps.
    pub quarantined: u64,
}

/// Something on a store that it does not know: kept, and never touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Where it is, as the store names places: a file, or an extent and an offset in bytes.
    pub place: String,
    /// Bytes.
    pub len: u64,
    /// Why it is not known.
    pub reason: String,
}

/// A shard that a store cannot give back as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardDamage {
    /// The shard.
    pub key: ShardKey,
    /// What does not verify, one line.
    pub what: String,
}
