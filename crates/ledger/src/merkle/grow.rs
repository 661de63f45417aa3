use super::{Hash, empty_root, node_hash};

/// The root of a tree whose leaves come one after the other: needs nothing that is stored, and
/// keeps one hash for each level.
#[derive(Debug, Clone, Default)]
pub struct GrowingTree {
    size: u64,
    /// Hashes of the complete subtrees that the tree is made of, the largest first.
    peaks: Vec<Hash>,
}

impl GrowingTree {
    /// Takes the hash of the next leaf.
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut hash = leaf_hash;
        for _complete in 0..self.size.trailing_ones() {
            let left = self.peaks.pop().expect("a peak for each bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Leaves so far.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Merkle tree hash of all leaves so far (RFC 6962 section 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return empty_root() };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}
