use custos_core::ErrorKind;

use super::{Hash, empty_root, leaf_hash, node_hash};

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The tree has no such leaf.
    #[error("leaf {index} is past the end of a tree of {size}")]
    IndexPastEnd {
        /// The leaf.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// The older tree is larger than the newer one.
    #[error("a tree of {old} leaves is no prefix of one of {new}")]
    OldLargerThanNew {
        /// Leaves of the older tree.
        old: u64,
        /// Leaves of the newer tree.
        new: u64,
    },
    /// The path is too short or too long for the tree.
    #[error("proof of {given} hashes does not fit the tree")]
    PathLength {
        /// Hashes given.
        given: usize,
    },
    /// The hashes do not lead to the root.
    #[error("proof does not lead to the {which} root")]
    RootMismatch {
        /// `old` or `new` for consistency, `tree's` for inclusion.
        which: &'static str,
    },
}

impl MerkleError {
    /// How callers should class it: always [`ErrorKind::Integrity`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Integrity
    }
}

/// Checks that `leaf` (the entry's canonical bytes) is entry `index` of the log of `size` entries
/// under `root` (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// When it is not proven.
pub fn verify_inclusion(
    leaf: &[u8],
    index: u64,
    size: u64,
    path: &[Hash],
    root: &Hash,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexPastEnd { index, size });
    }
    let wrong_length = MerkleError::PathLength { given: path.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf_hash(leaf);
    for sibling in path {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            skip_levels_without_sibling(&mut node, &mut last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(MerkleError::RootMismatch { which: "tree's" }) }
}

/// Checks that the log of `old` entries under `old_root` is a prefix of the log of `new` entries
/// under `new_root` (RFC 9162 section 2.1.4.2). The empty log is a prefix of every log.
///
/// # Errors
/// When it is not proven.
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), MerkleError> {
    if old > new {
        return Err(MerkleError::OldLargerThanNew { old, new });
    }
    let wrong_length = MerkleError::PathLength { given: path.len() };
    if old == 0 || old == new {
        return match path {
            [] if old == 0 && *old_root != empty_root() => {
                Err(MerkleError::RootMismatch { which: "old" })
            }
            [] if old == new && old_root != new_root => {
                Err(MerkleError::RootMismatch { which: "new" })
            }
            [] => Ok(()),
            _ => Err(wrong_length),
        };
    }
    // When the older tree is one complete subtree, its root starts the path and is left out.
    let (start, rest) = match path {
        rest if old.is_power_of_two() => (old_root, rest),
        [start, rest @ ..] => (start, rest),
        [] => return Err(wrong_length),
    };
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            skip_levels_without_sibling(&mut node, &mut last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if old_hash != *old_root {
        return Err(MerkleError::RootMismatch { which: "old" });
    }
    if new_hash != *new_root {
        return Err(MerkleError::RootMismatch { which: "new" });
    }
    Ok(())
}

/// On the ragged right edge a node moves up unhashed until it is a right child.
fn skip_levels_without_sibling(node: &mut u64, last: &mut u64) {
    while *node & 1 == 0 && *node != 0 {
        *node >>= 1;
        *last >>= 1;
    }
}
