use crate::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, LogIndex, Salt,
    Sha256Hash, Timestamp, UploadKey, VaultId,
};

/// An upload that is open: what any gateway needs to go on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadSession {
    /// Identity that the evidence will have.
    pub evidence_id: EvidenceId,
    /// The client's name for the upload.
    pub upload_key: UploadKey,
    /// Who opened it.
    pub actor: Actor,
    /// Claims about the evidence.
    pub descriptor: Descriptor,
    /// Cluster time of opening.
    pub opened_at: Timestamp,
    /// Erasure profile of every chunk.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// Where its shards go.
    pub vault: VaultId,
    /// Data key, wrapped by the key ring.
    pub wrapped_key: Vec<u8>,
    /// Retain-until written into the shard records: a floor, the seal may only lengthen it.
    pub retain_until: Timestamp,
}

/// What the seal fixes about the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedParts {
    /// Plaintext bytes.
    pub size: u64,
    /// Plain BLAKE3 of the bytes.
    pub blake3: Blake3Hash,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Hash,
    /// Write attempt that counts: of the single chunk, or of the crown when there are two chunks
    /// or more; `None` for empty evidence.
    pub head_salt: Option<Salt>,
    /// Shards (over all chunks) that were not yet written when their chunk was acknowledged.
    pub missing_shards: u32,
}

/// Where evidence is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceState {
    /// Being uploaded.
    Open,
    /// Sealed: never changes again.
    Sealed,
    /// The upload was given up before it was sealed.
    Aborted,
}

/// One sealed evidence item as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRecord {
    /// Identity.
    pub evidence_id: EvidenceId,
    /// Who put it.
    pub actor: Actor,
    /// Claims about it.
    pub descriptor: Descriptor,
    /// Cluster time of opening.
    pub opened_at: Timestamp,
    /// Cluster time of sealing.
    pub sealed_at: Timestamp,
    /// Entry of the custody log that seals it.
    pub seal_index: LogIndex,
    /// Size, hashes, head.
    pub parts: SealedParts,
    /// Erasure profile of every chunk.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// Where its shards are.
    pub vault: VaultId,
    /// Data key, wrapped by the key ring.
    pub wrapped_key: Vec<u8>,
    /// It must not end before this time (rule R10).
    pub retain_until: Timestamp,
}

/// What a station gets for sealed evidence: enough to wipe the recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Identity.
    pub evidence_id: EvidenceId,
    /// Plaintext bytes.
    pub size: u64,
    /// Plain BLAKE3 of the bytes.
    pub blake3: Blake3Hash,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Hash,
    /// Cluster time of sealing.
    pub sealed_at: Timestamp,
    /// Entry of the custody log that seals it.
    pub log_index: LogIndex,
    /// Fields that rule R4 asks for and that were not given; not empty means *unfiled*.
    pub missing_fields: Vec<String>,
    /// The upload was already sealed when this receipt was asked for.
    pub already_sealed: bool,
}

impl EvidenceRecord {
    /// The receipt of this record.
    #[must_use]
    pub fn receipt(&self, already_sealed: bool) -> Receipt {
        Receipt {
            evidence_id: self.evidence_id,
            size: self.parts.size,
            blake3: self.parts.blake3,
            sha256: self.parts.sha256,
            sealed_at: self.sealed_at,
            log_index: self.seal_index,
            missing_fields: self
                .descriptor
                .missing_fields()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            already_sealed,
        }
    }
}

/// One sealed evidence item as those outside the store see it: without its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSummary {
    /// Identity.
    pub evidence_id: EvidenceId,
    /// Name of who put it.
    pub put_by: String,
    /// Claims about it.
    pub descriptor: Descriptor,
    /// Cluster time of opening.
    pub opened_at: Timestamp,
    /// Cluster time of sealing.
    pub sealed_at: Timestamp,
    /// Entry of the custody log that seals it.
    pub log_index: LogIndex,
    /// Plaintext bytes.
    pub size: u64,
    /// Plain BLAKE3 of the bytes.
    pub blake3: Blake3Hash,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Hash,
    /// Erasure profile of every chunk.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// It must not end before this time.
    pub retain_until: Timestamp,
    /// Fields that rule R4 asks for and that were not given; not empty means *unfiled*.
    pub missing_fields: Vec<String>,
    /// Shards that were not yet written when their chunk was acknowledged.
    pub missing_shards: u32,
}

impl From<EvidenceRecord> for EvidenceSummary {
    fn from(record: EvidenceRecord) -> Self {
        let missing_fields = record.receipt(false).missing_fields;
        Self {
            evidence_id: record.evidence_id,
            put_by: record.actor.name,
            descriptor: record.descriptor,
            opened_at: record.opened_at,
            sealed_at: record.sealed_at,
            log_index: record.seal_index,
            size: record.parts.size,
            blake3: record.parts.blake3,
            sha256: record.parts.sha256,
            profile: record.profile,
            chunk_size: record.chunk_size,
            retain_until: record.retain_until,
            missing_fields,
            missing_shards: record.parts.missing_shards,
        }
    }
}
