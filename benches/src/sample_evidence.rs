//! Evidence of a few chunks in memory, proven and verified as gateway and client do it.

use std::ops::Range;

use bytes::Bytes;
use custos_codec::{
    ChainingValue, Crown, CrownEntry, OpenError, Outboard, ProofError, RangeProver, RangeVerifier,
};
use custos_core::{Blake3Hash, ChunkIndex, Salt, units::FRAME_BYTES};

use crate::sample_chunk::{CHUNK_SIZE, SampleChunk};

/// What a gateway sends for one frame: the parents before it, and its bytes.
type SentFrame = (Bytes, Bytes);

/// Evidence with all that its proofs are made from.
pub struct SampleEvidence {
    plain: Bytes,
    outboards: Vec<Outboard>,
    chunk_cvs: Vec<ChainingValue>,
    root: Blake3Hash,
}

impl SampleEvidence {
    /// Evidence of `chunks` full chunks, 2 or more.
    ///
    /// # Errors
    /// When what was just sealed does not open.
    ///
    /// # Panics
    /// With fewer than 2 chunks.
    pub fn new(chunks: u32) -> Result<Self, OpenError> {
        let samples: Vec<SampleChunk> =
            (0..chunks).map(|chunk| SampleChunk::new(ChunkIndex(chunk))).collect();
        let chunk_cvs: Vec<ChainingValue> =
            samples.iter().map(|sample| sample.sealed().hash.cv).collect();
        let entries = chunk_cvs.iter().map(|&cv| CrownEntry { cv, salt: Salt([0; 16]) }).collect();
        let size = u64::from(chunks) * CHUNK_SIZE.bytes() as u64;
        let plain: Vec<&[u8]> = samples.iter().map(SampleChunk::plain).collect();
        Ok(Self {
            root: Crown { entries }.root(size, CHUNK_SIZE),
            outboards: samples.iter().map(SampleChunk::outboard).collect::<Result<_, _>>()?,
            plain: plain.concat().into(),
            chunk_cvs,
        })
    }

    /// Bytes of it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.plain.len() as u64
    }

    /// Proves a range as the gateway does, and verifies it as the client does; returns the bytes
    /// that the client would hand out.
    ///
    /// # Errors
    /// Whatever does not verify.
    pub fn prove_and_verify(&self, range: Range<u64>) -> Result<u64, ProofError> {
        let mut verifier = RangeVerifier::new(self.root, self.size(), range.clone());
        let mut verified = 0;
        for (parents, data) in self.prove(range) {
            verified += verifier.push(&parents, data)?.len() as u64;
        }
        verifier.finish()?;
        Ok(verified)
    }

    fn prove(&self, range: Range<u64>) -> impl Iterator<Item = SentFrame> {
        let mut prover = RangeProver::new(self.size(), CHUNK_SIZE, &self.chunk_cvs, range);
        prover.frames().map(move |frame| {
            let index = usize::try_from(frame).expect("a sample is in memory");
            let leaves = self.outboards[index / CHUNK_SIZE.frames()].leaves();
            let parents = prover.parents_before(frame, leaves);
            let data = self.plain.slice(index * FRAME_BYTES..(index + 1) * FRAME_BYTES);
            (parents.into(), data)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_sample_prove_against_the_plain_hash_of_its_bytes() {
        let evidence = SampleEvidence::new(2).expect("sample");
        assert_eq!(evidence.root.0, *blake3::hash(&evidence.plain).as_bytes());
        for range in [0..1, 100_000..9_000_000, 0..evidence.size()] {
            let len = range.end - range.start;
            assert_eq!(evidence.prove_and_verify(range).expect("proven"), len);
        }
    }
}
