//! The units of the data path: frame, chunk, evidence.

use std::fmt;

/// Plaintext bytes of one frame: the unit of encryption, verification and the smallest read.
pub const FRAME_BYTES: usize = 64 << 10;

/// Plaintext bytes of one chunk: a power of two from 1 MiB to 64 MiB, 8 MiB by default.
///
/// The chunk is the unit of erasure coding, acknowledgement and resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkSize(u32);

impl ChunkSize {
    /// 1 MiB.
    pub const MIN: Self = Self(1 << 20);
    /// 8 MiB.
    pub const DEFAULT: Self = Self(8 << 20);
    /// 64 MiB.
    pub const MAX: Self = Self(64 << 20);

    /// Checks that `bytes` is a power of two within the limits.
    #[must_use]
    pub fn new(bytes: u64) -> Option<Self> {
        let size = u32::try_from(bytes).ok()?;
        let ok = size.is_power_of_two() && (Self::MIN.0..=Self::MAX.0).contains(&size);
        ok.then_some(Self(size))
    }

    /// Bytes.
    #[must_use]
    pub fn bytes(self) -> usize {
        self.0 as usize
    }

    /// Base-2 logarithm of the size, 20 to 26.
    #[must_use]
    pub fn log2(self) -> u8 {
        u8::try_from(self.0.trailing_zeros()).expect("at most 26")
    }

    /// The size with this [`log2`](Self::log2).
    #[must_use]
    pub fn from_log2(log2: u8) -> Option<Self> {
        if log2 > 26 { None } else { Self::new(1 << log2) }
    }

    /// Frames in a full chunk.
    #[must_use]
    pub fn frames(self) -> usize {
        self.bytes() / FRAME_BYTES
    }

    /// Chunks of evidence of `size` bytes; empty evidence has none.
    #[must_use]
    pub fn chunk_count(self, size: u64) -> u32 {
        u32::try_from(size.div_ceil(u64::from(self.0))).expect("1 TiB / 1 MiB fits")
    }

    /// Plaintext length of chunk `index` of evidence of `size` bytes.
    ///
    /// # Panics
    /// When the evidence has no such chunk.
    #[must_use]
    pub fn chunk_len(self, index: u32, size: u64) -> usize {
        let start = u64::from(index) * u64::from(self.0);
        assert!(start < size, "chunk {index} is past the end of {size} bytes");
        usize::try_from((size - start).min(u64::from(self.0))).expect("at most a chunk")
    }
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for ChunkSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0 >> 20)
    }
}

/// Frames needed for `len` plaintext bytes.
#[must_use]
pub fn frame_count(len: usize) -> usize {
    len.div_ceil(FRAME_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_sizes_are_powers_of_two_within_limits() {
        assert_eq!(ChunkSize::new(8 << 20), Some(ChunkSize::DEFAULT));
        for bad in [0, 1, 512 << 10, 3 << 20, 128 << 20, u64::MAX] {
            assert_eq!(ChunkSize::new(bad), None, "{bad}");
        }
        for log2 in 20..=26 {
            assert_eq!(ChunkSize::from_log2(log2).expect("valid").log2(), log2);
        }
        assert_eq!(ChunkSize::from_log2(19), None);
        assert_eq!(ChunkSize::from_log2(255), None);
    }

    #[test]
    fn the_last_chunk_is_what_remains() {
        let size = ChunkSize::DEFAULT;
        assert_eq!(size.chunk_count(0), 0);
        assert_eq!(size.chunk_count(1), 1);
        assert_eq!(size.chunk_count(8 << 20), 1);
        assert_eq!(size.chunk_count((8 << 20) + 1), 2);
        assert_eq!(size.chunk_len(1, (8 << 20) + 1), 1);
        assert_eq!(size.chunk_len(0, (8 << 20) + 1), 8 << 20);
    }
}
