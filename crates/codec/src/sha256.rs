use std::fmt;

use custos_core::Sha256Hash;
use sha2::digest::{block_buffer, typenum::U64};

const BLOCK_BYTES: u64 = 64;

/// Initial state of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// SHA-256 state at a chunk boundary (a multiple of 64 bytes): 8 words, big-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256Midstate(pub [u8; 32]);

impl Sha256Midstate {
    /// Stands for "no state": what a chunk records that ends between two blocks, which only the
    /// last one can. Hashing cannot be resumed from it.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Debug for Sha256Midstate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256Midstate(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// Streaming SHA-256 (FIPS 180-4) that can be put away at a block boundary and resumed elsewhere.
///
/// Own bookkeeping around `sha2`'s compression function, which uses the processor's SHA
/// instructions where it has them: no crypto library in use exports its state.
#[derive(Clone)]
pub struct EvidenceSha256 {
    state: [u32; 8],
    partial: block_buffer::BlockBuffer<U64, block_buffer::Eager>,
    hashed_bytes: u64,
}

impl EvidenceSha256 {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self { state: INITIAL, partial: block_buffer::BlockBuffer::default(), hashed_bytes: 0 }
    }

    /// Goes on from a midstate taken after `bytes_so_far` bytes.
    ///
    /// # Panics
    /// When `bytes_so_far` is no multiple of 64, or the midstate is [`Sha256Midstate::ZERO`]:
    /// there is no state to resume from at such a place.
    #[must_use]
    pub fn resume(midstate: Sha256Midstate, bytes_so_far: u64) -> Self {
        assert!(bytes_so_far.is_multiple_of(BLOCK_BYTES), "{bytes_so_far} is no block boundary");
        assert_ne!(midstate, Sha256Midstate::ZERO, "no midstate was recorded here");
        let (words, _) = midstate.0.as_chunks::<4>();
        let mut state = [0; 8];
        for (word, bytes) in state.iter_mut().zip(words) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self { state, hashed_bytes: bytes_so_far, ..Self::new() }
    }

    /// Hashes more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let state = &mut self.state;
        self.partial.digest_blocks(bytes, |blocks| sha2::compress256(state, blocks));
        self.hashed_bytes += bytes.len() as u64;
    }

    /// Bytes hashed so far, those before a resume included.
    #[must_use]
    pub fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes
    }

    /// The state to resume from, at a multiple of 64 bytes; `None` anywhere else.
    #[must_use]
    pub fn midstate(&self) -> Option<Sha256Midstate> {
        (self.partial.get_pos() == 0).then(|| Sha256Midstate(self.state_bytes()))
    }

    /// The hash of everything, as `sha256sum` prints it.
    #[must_use]
    pub fn finalize(mut self) -> Sha256Hash {
        let state = &mut self.state;
        let compress = |block: &_| sha2::compress256(state, std::slice::from_ref(block));
        self.partial.len64_padding_be(self.hashed_bytes * 8, compress);
        Sha256Hash(self.state_bytes())
    }

    fn state_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (out, word) in bytes.chunks_exact_mut(4).zip(self.state) {
            out.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

impl Default for EvidenceSha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EvidenceSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidenceSha256")
            .field("hashed_bytes", &self.hashed_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use proptest::prelude::*;

    use super::*;

    fn reference(bytes: &[u8]) -> Sha256Hash {
        let hash = digest::digest(&digest::SHA256, bytes);
        Sha256Hash::from_slice(hash.as_ref()).expect("SHA-256 has 32 bytes")
    }

    #[test]
    fn known_answers() {
        assert_eq!(
            EvidenceSha256::new().finalize().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let mut abc = EvidenceSha256::new();
        abc.update(b"abc");
        assert_eq!(
            abc.finalize().to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_midstate_exists_at_block_boundaries_only() {
        let mut hash = EvidenceSha256::new();
        assert!(hash.midstate().is_some());
        hash.update(&[1; 63]);
        assert_eq!(hash.midstate(), None);
        hash.update(&[1]);
        assert!(hash.midstate().is_some());
    }

    proptest! {
        #[test]
        fn any_cut_and_any_resume_gives_the_same_hash(
            bytes in proptest::collection::vec(any::<u8>(), 0..1000),
            cut in 0usize..1000,
            blocks in 0usize..16,
        ) {
            let boundary = (blocks * 64).min(bytes.len() / 64 * 64);
            let mut first = EvidenceSha256::new();
            first.update(&bytes[..boundary]);
            let midstate = first.midstate().expect("at a boundary");
            let mut second = EvidenceSha256::resume(midstate, boundary as u64);
            let rest = &bytes[boundary..];
            let (a, b) = rest.split_at(cut.min(rest.len()));
            second.update(a);
            second.update(b);
            prop_assert_eq!(second.hashed_bytes(), bytes.len() as u64);
            prop_assert_eq!(second.finalize(), reference(&bytes));
        }
    }
}
