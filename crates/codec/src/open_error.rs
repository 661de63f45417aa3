use custos_core::{ChunkIndex, ErrorKind, EvidenceId, ShardSlot};

use crate::FormatError;

/// Why sealed bytes do not open. No plaintext that failed a check is handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The shard header's sealed part, or a field that it vouches for, was altered; or the key is
    /// another one.
    #[error("evidence {evidence_id} chunk {chunk}: header does not open")]
    Progress {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
    },
    /// The sealed outboard was altered.
    #[error("evidence {evidence_id} chunk {chunk}: outboard does not open")]
    Outboard {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
    },
    /// The outboard opens but does not lead to the chunk's chaining value.
    #[error("evidence {evidence_id} chunk {chunk}: outboard does not match the chunk's hash")]
    OutboardMismatch {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
    },
    /// The chunk opens but is not the one that the evidence's hash names.
    #[error("evidence {evidence_id} chunk {chunk}: does not lead to the sealed hash")]
    WrongChunk {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
    },
    /// A sealed frame was altered, moved or taken from another chunk.
    #[error("evidence {evidence_id} chunk {chunk} frame {frame}: does not open")]
    Frame {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
        /// Which frame of the chunk, from 0.
        frame: usize,
    },
    /// A frame opens but its plaintext is not what the outboard says.
    #[error("evidence {evidence_id} chunk {chunk} frame {frame}: does not match its hash")]
    FrameMismatch {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
        /// Which frame of the chunk, from 0.
        frame: usize,
    },
    /// A piece is too short or too long, or there is none of this number.
    #[error("evidence {evidence_id} chunk {chunk}: {what} has {found} bytes, expected {expected}")]
    Length {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// Of which chunk.
        chunk: ChunkIndex,
        /// Which piece.
        what: &'static str,
        /// Bytes it must have.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// Fewer distinct shards than the profile needs.
    #[error("{have} shards are not enough to rebuild, {need} are needed")]
    TooFewShards {
        /// Distinct shards given.
        have: usize,
        /// k of the profile.
        need: usize,
    },
    /// A shard is too short or too long.
    #[error("shard {slot} has {found} bytes, expected {expected}")]
    ShardLength {
        /// Which shard.
        slot: ShardSlot,
        /// Bytes it must have.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The profile has no such shard.
    #[error("shard {slot} does not exist in a code word of {total}")]
    UnknownSlot {
        /// Which shard.
        slot: ShardSlot,
        /// n of the profile.
        total: usize,
    },
    /// The data key is wrapped under another key-encryption key.
    #[error("data key is wrapped under key {}, not {}", hex(found), hex(expected))]
    WrongKek {
        /// Id of the key that was offered.
        expected: [u8; 8],
        /// Id of the key that wraps it.
        found: [u8; 8],
    },
    /// The wrapped data key was altered or belongs to other evidence.
    #[error("wrapped data key of {evidence_id} does not open")]
    WrappedKey {
        /// Whose key it should be.
        evidence_id: EvidenceId,
    },
    /// The bytes are not of the right layout at all.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl OpenError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Integrity
    }
}

fn hex(id: &[u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(*id))
}
