use custos_codec::ChunkLayout;
use custos_core::{ChunkIndex, ErasureProfile, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::ShardKey;

/// One attempt at one chunk, and how long its plaintext is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChunkSource {
    pub(crate) evidence_id: EvidenceId,
    pub(crate) vault: VaultId,
    pub(crate) profile: ErasureProfile,
    pub(crate) chunk: ChunkIndex,
    pub(crate) salt: Salt,
    pub(crate) plain_len: usize,
    /// `None` while the upload is open: what is missing then is the upload's to write.
    pub(crate) upkeep: Option<Upkeep>,
}

/// What mending a sealed chunk needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upkeep {
    /// Retain-until of its shards.
    pub(crate) retain_until: Timestamp,
    /// Shards of the evidence that are on record as not at home: that one is not there is no news
    /// then.
    pub(crate) missing_on_record: u32,
}

impl ChunkSource {
    pub(crate) fn layout(&self) -> ChunkLayout {
        ChunkLayout::new(self.profile, self.plain_len)
    }

    pub(crate) fn key(&self, slot: ShardSlot) -> ShardKey {
        ShardKey {
            vault: self.vault,
            evidence_id: self.evidence_id,
            chunk: self.chunk,
            slot,
            salt: self.salt,
        }
    }
}
