use custos_core::Blake3Hash;

use crate::{
    ChainingValue,
    chaining_value::CV_BYTES,
    tree::{frame_root, root_hash, subtree_cv},
};

/// The leaves of one chunk's hash tree: one chaining value a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outboard {
    leaves: Vec<ChainingValue>,
    cv: ChainingValue,
}

impl Outboard {
    pub(crate) fn new(leaves: Vec<ChainingValue>) -> Self {
        let cv = subtree_cv(&leaves);
        Self { leaves, cv }
    }

    /// From opened bytes, whose length the layout has fixed to at least one whole leaf.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let (leaves, rest) = bytes.as_chunks::<CV_BYTES>();
        assert!(rest.is_empty(), "an outboard is whole leaves");
        Self::new(leaves.iter().copied().map(ChainingValue).collect())
    }

    /// Chaining value of each frame, in order; 1 to 1024.
    #[must_use]
    pub fn leaves(&self) -> &[ChainingValue] {
        &self.leaves
    }

    /// Chaining value of the chunk.
    #[must_use]
    pub fn cv(&self) -> ChainingValue {
        self.cv
    }

    /// Plain BLAKE3 of the evidence if this chunk is all of it; `first_frame` is its opened first
    /// frame, of which the root follows when there is no other.
    #[must_use]
    pub fn hash_if_only(&self, first_frame: &[u8]) -> Blake3Hash {
        match self.leaves.as_slice() {
            [_] => frame_root(first_frame),
            leaves => root_hash(leaves),
        }
    }
}
