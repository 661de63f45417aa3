//! The Merkle tree of RFC 6962 section 2 (SHA-256): hashes, proofs, and their verification.
//!
//! Pure: the maker of proofs reads the hashes of complete subtrees through [`Nodes`]; the verifier
//! needs nothing but the proof. Enter at [`verify_inclusion`] and [`verify_consistency`].

mod grow;
mod prove;
mod verify;

use sha2::{Digest, Sha256};

pub use grow::GrowingTree;
pub use prove::{Nodes, prove_consistency, prove_inclusion, root};
pub use verify::{MerkleError, verify_consistency, verify_inclusion};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// Hash of a leaf: SHA-256(0x00 ‖ leaf).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
