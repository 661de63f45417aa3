use super::{Hash, empty_root, node_hash};

/// Hashes of the complete subtrees of a tree.
pub trait Nodes {
    /// Hash over leaves `index << level .. (index + 1) << level`, all of which are in the tree.
    fn node(&self, level: u8, index: u64) -> Hash;
}

/// Merkle tree hash of the first `size` leaves (RFC 6962 section 2.1).
#[must_use]
pub fn root(nodes: &impl Nodes, size: u64) -> Hash {
    if size == 0 { empty_root() } else { range_hash(nodes, 0, size) }
}

/// Audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962 section 2.1.1),
/// lowest sibling first. Reads O(log size) nodes.
///
/// # Panics
/// When the tree has no such leaf.
#[must_use]
pub fn prove_inclusion(nodes: &impl Nodes, index: u64, size: u64) -> Vec<Hash> {
    assert!(index < size, "leaf {index} is past the end of a tree of {size}");
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_hash(nodes, middle, end));
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle));
            start = middle;
        }
    }
    path.reverse();
    path
}

/// Proof that the first `old` leaves are a prefix of the first `new` ones (RFC 6962 section
/// 2.1.2). Empty when `old` is 0 or equals `new`. Reads O(log new) nodes.
///
/// # Panics
/// When `old` is larger than `new`.
#[must_use]
pub fn prove_consistency(nodes: &impl Nodes, old: u64, new: u64) -> Vec<Hash> {
    assert!(old <= new, "a tree of {old} leaves is no prefix of one of {new}");
    if old == 0 {
        return Vec::new();
    }
    let (mut start, mut end) = (0, new);
    let mut path = Vec::new();
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(range_hash(nodes, middle, end));
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle));
            start = middle;
        }
    }
    // A verifier knows the old root, so it is left out when it is itself the subtree reached.
    if start != 0 {
        path.push(range_hash(nodes, start, end));
    }
    path.reverse();
    path
}

/// Hash over leaves `start..end`, where `start` is a multiple of the next power of two ≥ the
/// length, as it always is when the tree is split from the root.
fn range_hash(nodes: &impl Nodes, start: u64, end: u64) -> Hash {
    let len = end - start;
    if len.is_power_of_two() {
        let level = u8::try_from(len.trailing_zeros()).expect("at most 63");
        return nodes.node(level, start >> level);
    }
    let middle = start + split(len);
    node_hash(&range_hash(nodes, start, middle), &range_hash(nodes, middle, end))
}

/// Largest power of two smaller than `len`, which is at least 2.
fn split(len: u64) -> u64 {
    1 << (63 - (len - 1).leading_zeros())
}
