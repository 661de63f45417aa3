//! One full chunk of 8 MiB, sealed and opened as the gateway does it: what `limit` and the
//! criterion benches measure the codec with.

use custos_codec::{
    ChunkHash, ChunkLayout, ChunkOpener, ChunkSealer, DataKey, OpenError, Outboard, SealedChunk,
    Sha256Midstate, ShardHeader, rebuild_data,
};
use custos_core::{ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt, ShardSlot};

use crate::content::Content;

/// Bytes that reach the sealer at a time: what the client library sends in one message.
const PIECE_BYTES: usize = 512 << 10;

/// Profile of every sample.
pub const PROFILE: ErasureProfile = ErasureProfile::P4_2;
/// Chunk size of every sample.
pub const CHUNK_SIZE: ChunkSize = ChunkSize::DEFAULT;

/// A chunk of pseudo-random bytes, with the buffer that it is sealed into.
pub struct SampleChunk {
    key: DataKey,
    evidence_id: EvidenceId,
    chunk: ChunkIndex,
    plain: Vec<u8>,
    buffer: Vec<u8>,
    attempt: u64,
    sealed: SealedChunk,
}

impl SampleChunk {
    /// A sealed chunk at this place of its evidence.
    #[must_use]
    pub fn new(chunk: ChunkIndex) -> Self {
        let layout = ChunkLayout::new(PROFILE, CHUNK_SIZE.bytes());
        let mut sample = Self {
            key: DataKey::new([7; 32]),
            evidence_id: EvidenceId::from_bytes([9; 16]),
            chunk,
            plain: Content::new(u64::from(chunk.0)).bytes(CHUNK_SIZE.bytes()),
            buffer: vec![0; layout.total_len()],
            attempt: 0,
            sealed: SealedChunk {
                layout,
                hash: ChunkHash {
                    cv: custos_codec::ChainingValue([0; 32]),
                    root_if_only: custos_core::Blake3Hash([0; 32]),
                },
                headers: Vec::new(),
            },
        };
        sample.seal();
        sample
    }

    /// Its plaintext.
    #[must_use]
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// The chunk as it was last sealed.
    #[must_use]
    pub fn sealed(&self) -> &SealedChunk {
        &self.sealed
    }

    /// Seals it anew under a salt of its own: hash, cipher, outboard, parity, headers.
    pub fn seal(&mut self) -> &SealedChunk {
        self.attempt += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.attempt.to_le_bytes());
        let mut sealer = ChunkSealer::new(
            &self.key,
            self.evidence_id,
            self.chunk,
            CHUNK_SIZE,
            PROFILE,
            Salt(salt),
        );
        for piece in self.plain.chunks(PIECE_BYTES) {
            sealer.push(piece, &mut self.buffer);
        }
        self.sealed = sealer.finish(Sha256Midstate::ZERO, &mut self.buffer);
        &self.sealed
    }

    /// Opens and verifies every frame from all shards but those in `lost`, and returns the bytes
    /// of plaintext.
    ///
    /// # Errors
    /// When more shards are lost than the profile bears.
    ///
    /// # Panics
    /// When what was sealed here does not decode.
    pub fn open(&self, lost: &[ShardSlot]) -> Result<usize, OpenError> {
        let (opener, mut sealed) = self.opener(lost)?;
        let outboard = opener.outboard(&mut sealed[self.sealed.layout.outboard_range()])?;
        let mut opened = 0;
        for frame in 0..self.sealed.layout.frames() {
            let range = self.sealed.layout.frame_range(frame);
            opened += opener.frame(&outboard, frame, &mut sealed[range])?.len();
        }
        Ok(opened)
    }

    /// Its leaves: what a range proof needs.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn outboard(&self) -> Result<Outboard, OpenError> {
        let (opener, mut sealed) = self.opener(&[])?;
        opener.outboard(&mut sealed[self.sealed.layout.outboard_range()])
    }

    fn opener(&self, lost: &[ShardSlot]) -> Result<(ChunkOpener, Vec<u8>), OpenError> {
        let shard_len = self.sealed.layout.shard_len();
        let shards: Vec<(ShardSlot, &[u8])> = (0..)
            .map(ShardSlot)
            .zip(self.buffer.chunks_exact(shard_len))
            .filter(|(slot, _)| !lost.contains(slot))
            .collect();
        let sealed = rebuild_data(PROFILE, shard_len, &shards)?;
        let header = ShardHeader::decode(&self.sealed.headers[0]).expect("sealed here");
        Ok((ChunkOpener::new(&self.key, &header), sealed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_opens_whole_also_without_two_of_its_data_shards() {
        let mut sample = SampleChunk::new(ChunkIndex(0));
        let first = sample.sealed().headers[0].clone();
        assert_ne!(sample.seal().headers[0], first, "each attempt has its own salt");
        for lost in [&[][..], &[ShardSlot(0), ShardSlot(3)]] {
            assert_eq!(sample.open(lost).expect("opens"), CHUNK_SIZE.bytes());
        }
        assert!(sample.open(&[ShardSlot(0), ShardSlot(1), ShardSlot(2)]).is_err());
    }

    #[test]
    fn the_hash_of_a_sample_is_the_plain_hash_of_its_bytes() {
        let sample = SampleChunk::new(ChunkIndex(0));
        let plain = blake3::hash(sample.plain());
        assert_eq!(sample.sealed().hash.root_if_only.0, *plain.as_bytes());
    }
}
