use std::ops::Range;

use custos_core::{
    ChunkSize, ErasureProfile,
    units::{FRAME_BYTES, frame_count},
};

use crate::chaining_value::CV_BYTES;

/// Bytes of one AEAD tag.
pub const FRAME_TAG_BYTES: usize = 16;
/// Shards are whole multiples of this many bytes, so that direct I/O needs no copy.
pub const SHARD_ALIGN_BYTES: usize = 4096;

/// Bytes that a full frame takes in a sealed chunk.
pub(crate) const SEALED_FRAME_BYTES: usize = FRAME_BYTES + FRAME_TAG_BYTES;

/// Geometry of one sealed chunk: frames, then the outboard, then zeros up to k whole shards, then
/// m parity shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLayout {
    profile: ErasureProfile,
    plain_len: usize,
}

impl ChunkLayout {
    /// Geometry for `plain_len` bytes of plaintext, 1 byte to 64 MiB.
    ///
    /// # Panics
    /// When `plain_len` is outside these limits.
    #[must_use]
    pub fn new(profile: ErasureProfile, plain_len: usize) -> Self {
        assert!(
            (1..=ChunkSize::MAX.bytes()).contains(&plain_len),
            "a chunk holds 1 byte to 64 MiB, not {plain_len}"
        );
        Self { profile, plain_len }
    }

    /// Erasure profile.
    #[must_use]
    pub fn profile(&self) -> ErasureProfile {
        self.profile
    }

    /// Bytes of plaintext.
    #[must_use]
    pub fn plain_len(&self) -> usize {
        self.plain_len
    }

    /// Frames, 1 to 1024; all but the last one are full.
    #[must_use]
    pub fn frames(&self) -> usize {
        frame_count(self.plain_len)
    }

    /// Plaintext bytes of frame `frame`.
    ///
    /// # Panics
    /// When the chunk has no such frame.
    #[must_use]
    pub fn frame_plain_len(&self, frame: usize) -> usize {
        assert!(frame < self.frames(), "frame {frame} of {}", self.frames());
        (self.plain_len - frame * FRAME_BYTES).min(FRAME_BYTES)
    }

    /// Bytes of the sealed chunk: every frame's ciphertext and tag, then the sealed outboard.
    #[must_use]
    pub fn sealed_len(&self) -> usize {
        self.outboard_range().end
    }

    /// Bytes of one shard: the sealed chunk over k, rounded up to [`SHARD_ALIGN_BYTES`].
    #[must_use]
    pub fn shard_len(&self) -> usize {
        self.sealed_len().div_ceil(self.profile.data()).next_multiple_of(SHARD_ALIGN_BYTES)
    }

    /// Bytes of all n shards: what the buffer of a [`ChunkSealer`](crate::ChunkSealer) holds.
    #[must_use]
    pub fn total_len(&self) -> usize {
        self.profile.total() * self.shard_len()
    }

    /// Where frame `frame` (ciphertext, then tag) lies in the sealed chunk, which is the data
    /// shards one after another.
    ///
    /// # Panics
    /// When the chunk has no such frame.
    #[must_use]
    pub fn frame_range(&self, frame: usize) -> Range<usize> {
        let start = frame * SEALED_FRAME_BYTES;
        start..start + self.frame_plain_len(frame) + FRAME_TAG_BYTES
    }

    /// Where the sealed outboard (32 bytes a frame, then tag) lies in the sealed chunk.
    #[must_use]
    pub fn outboard_range(&self) -> Range<usize> {
        let frames = self.frames();
        let start = self.plain_len + frames * FRAME_TAG_BYTES;
        start..start + frames * CV_BYTES + FRAME_TAG_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_outboard_lie_end_to_end_and_fit_the_data_shards() {
        for profile in ErasureProfile::ALL {
            for plain_len in [1, 65_535, 65_536, 65_537, 100_000, 1 << 20, (8 << 20) - 1, 64 << 20]
            {
                let layout = ChunkLayout::new(profile, plain_len);
                let mut at = 0;
                let mut plain = 0;
                for frame in 0..layout.frames() {
                    let range = layout.frame_range(frame);
                    assert_eq!(range.start, at);
                    at = range.end;
                    plain += layout.frame_plain_len(frame);
                }
                assert_eq!(plain, plain_len);
                assert_eq!(layout.outboard_range().start, at);
                assert_eq!(layout.sealed_len(), layout.outboard_range().end);
                assert!(layout.shard_len() * profile.data() >= layout.sealed_len());
                assert_eq!(layout.shard_len() % SHARD_ALIGN_BYTES, 0);
                assert_eq!(layout.total_len(), layout.shard_len() * profile.total());
            }
        }
    }
}
