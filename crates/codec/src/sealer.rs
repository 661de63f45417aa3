use custos_core::{
    Blake3Hash, ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt, ShardSlot,
    units::FRAME_BYTES,
};

use crate::{
    ChainingValue, ChunkLayout, DataKey, Sha256Midstate, ShardHeader,
    chaining_value::CV_BYTES,
    chunk_cipher::{ChunkCipher, Piece},
    erasure::encode_parity,
    layout::SEALED_FRAME_BYTES,
    shard_header::{chunk_offset, frame_offset, progress_bytes},
    tree::{frame_cv, frame_root, root_hash, subtree_cv},
};

/// Seals a chunk while its bytes stream in. Ciphertext is laid out in place in the caller's
/// buffer, so nothing is allocated per frame; always give the same buffer.
pub struct ChunkSealer {
    cipher: ChunkCipher,
    evidence_id: EvidenceId,
    chunk: ChunkIndex,
    chunk_size: ChunkSize,
    profile: ErasureProfile,
    salt: Salt,
    offset: u64,
    buffer_len_min: usize,
    plain_len: usize,
    leaves: Vec<ChainingValue>,
    first_frame_root: Blake3Hash,
}

/// A sealed chunk, ready to be written: shard i is `buffer[i * shard_len..][..shard_len]`.
#[derive(Debug, Clone)]
pub struct SealedChunk {
    /// Geometry.
    pub layout: ChunkLayout,
    /// Hash of the plaintext.
    pub hash: ChunkHash,
    /// The n encoded shard headers, [`SHARD_HEADER_BYTES`](crate::SHARD_HEADER_BYTES) each.
    pub headers: Vec<Vec<u8>>,
}

/// Hash of a chunk's plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkHash {
    /// Chaining value of the chunk at its place in the evidence.
    pub cv: ChainingValue,
    /// Plain BLAKE3 of the evidence if this chunk is all of it. Meaningful for chunk 0 (and the
    /// crown) only; zeros for any other.
    pub root_if_only: Blake3Hash,
}

impl ChunkSealer {
    /// Begins a chunk. `salt` must never have been used with this key, evidence and chunk before:
    /// nonces are unique under it alone.
    #[must_use]
    pub fn new(
        key: &DataKey,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
        chunk_size: ChunkSize,
        profile: ErasureProfile,
        salt: Salt,
    ) -> Self {
        Self {
            cipher: ChunkCipher::new(key, evidence_id, chunk, chunk_size, salt),
            evidence_id,
            chunk,
            chunk_size,
            profile,
            salt,
            offset: chunk_offset(chunk, chunk_size),
            buffer_len_min: ChunkLayout::new(profile, chunk_size.bytes()).total_len(),
            plain_len: 0,
            leaves: Vec::with_capacity(chunk_size.frames()),
            first_frame_root: Blake3Hash([0; 32]),
        }
    }

    /// Copies as much of `plain` as still fits the chunk, encrypts each frame as it fills, and
    /// returns how many bytes it took.
    ///
    /// # Panics
    /// When `buffer` is shorter than `ChunkLayout::new(profile, chunk_size).total_len()`.
    pub fn push(&mut self, plain: &[u8], buffer: &mut [u8]) -> usize {
        self.check_buffer(buffer);
        let taken = plain.len().min(self.chunk_size.bytes() - self.plain_len);
        let mut rest = &plain[..taken];
        while !rest.is_empty() {
            let in_frame = self.plain_len % FRAME_BYTES;
            let (piece, after) = rest.split_at(rest.len().min(FRAME_BYTES - in_frame));
            let at = self.plain_len / FRAME_BYTES * SEALED_FRAME_BYTES + in_frame;
            buffer[at..at + piece.len()].copy_from_slice(piece);
            self.plain_len += piece.len();
            rest = after;
            if self.plain_len.is_multiple_of(FRAME_BYTES) {
                self.seal_frame(buffer);
            }
        }
        taken
    }

    /// Plaintext bytes taken so far.
    #[must_use]
    pub fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Whether the chunk takes no more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.plain_len == self.chunk_size.bytes()
    }

    /// Seals the last short frame, writes outboard and padding, and encodes parity.
    /// `sha256_after` is the SHA-256 state of the evidence after this chunk, or
    /// [`Sha256Midstate::ZERO`] where there is none.
    ///
    /// # Panics
    /// When no byte was pushed, or `buffer` is too short.
    #[must_use]
    pub fn finish(mut self, sha256_after: Sha256Midstate, buffer: &mut [u8]) -> SealedChunk {
        assert!(self.plain_len > 0, "a chunk holds at least one byte");
        self.check_buffer(buffer);
        if !self.plain_len.is_multiple_of(FRAME_BYTES) {
            self.seal_frame(buffer);
        }
        let layout = ChunkLayout::new(self.profile, self.plain_len);
        self.seal_outboard(&layout, buffer);
        let data_len = self.profile.data() * layout.shard_len();
        buffer[layout.sealed_len()..data_len].fill(0);
        encode_parity(self.profile, layout.shard_len(), &mut buffer[..layout.total_len()]);
        let hash = self.hash();
        let headers = self.headers(hash.cv, sha256_after);
        SealedChunk { layout, hash, headers }
    }

    fn check_buffer(&self, buffer: &[u8]) {
        assert!(
            buffer.len() >= self.buffer_len_min,
            "the buffer has {} bytes, a full chunk needs {}",
            buffer.len(),
            self.buffer_len_min
        );
    }

    /// Hashes and encrypts the frame that the last byte went to.
    fn seal_frame(&mut self, buffer: &mut [u8]) {
        let frame = self.leaves.len();
        let layout = ChunkLayout::new(self.profile, self.plain_len);
        let range = layout.frame_range(frame);
        let plain = &buffer[range.start..range.start + layout.frame_plain_len(frame)];
        self.leaves.push(frame_cv(plain, frame_offset(self.offset, frame)));
        if frame == 0 && self.offset == 0 {
            self.first_frame_root = frame_root(plain);
        }
        self.cipher.seal(Piece::Frame(frame), &[], &mut buffer[range]);
    }

    fn seal_outboard(&self, layout: &ChunkLayout, buffer: &mut [u8]) {
        let outboard = &mut buffer[layout.outboard_range()];
        for (room, leaf) in outboard.chunks_exact_mut(CV_BYTES).zip(&self.leaves) {
            room.copy_from_slice(&leaf.0);
        }
        self.cipher.seal(Piece::Outboard, &[], outboard);
    }

    fn hash(&self) -> ChunkHash {
        let root_if_only = match self.leaves.len() {
            _ if self.offset != 0 => Blake3Hash([0; 32]),
            1 => self.first_frame_root,
            _ => root_hash(&self.leaves),
        };
        ChunkHash { cv: subtree_cv(&self.leaves), root_if_only }
    }

    fn headers(&self, cv: ChainingValue, sha256_after: Sha256Midstate) -> Vec<Vec<u8>> {
        let mut header = ShardHeader {
            profile: self.profile,
            slot: ShardSlot(0),
            chunk_size: self.chunk_size,
            evidence_id: self.evidence_id,
            chunk: self.chunk,
            plain_len: self.plain_len,
            salt: self.salt,
            sealed_progress: progress_bytes(cv, sha256_after),
        };
        let identity = header.identity();
        self.cipher.seal(Piece::Progress, &identity, &mut header.sealed_progress);
        let total = u8::try_from(self.profile.total()).expect("a profile has at most 14 shards");
        let slots = (0..total).map(ShardSlot);
        slots.map(|slot| ShardHeader { slot, ..header.clone() }.encode()).collect()
    }
}

impl std::fmt::Debug for ChunkSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSealer")
            .field("evidence_id", &self.evidence_id)
            .field("chunk", &self.chunk)
            .field("salt", &self.salt)
            .field("plain_len", &self.plain_len)
            .finish_non_exhaustive()
    }
}
