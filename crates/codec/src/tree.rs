//! The BLAKE3 tree above 64 KiB frames. All shapes are BLAKE3's own: the left subtree of a node
//! is the largest power of two of frames that leaves at least one for the right.

use blake3::{
    Hasher,
    hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root},
};
use custos_core::{Blake3Hash, units::FRAME_BYTES};

use crate::ChainingValue;

/// Hash of empty evidence: BLAKE3 of no bytes.
pub const EMPTY_BLAKE3: Blake3Hash = Blake3Hash([
    0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc, 0xc9, 0x49,
    0x9b, 0xcb, 0x25, 0xc9, 0xad, 0xc1, 0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f, 0x32, 0x62,
]);

/// Chaining value of the frame that starts `offset` bytes into the evidence.
pub(crate) fn frame_cv(plain: &[u8], offset: u64) -> ChainingValue {
    debug_assert!(!plain.is_empty() && plain.len() <= FRAME_BYTES);
    ChainingValue(Hasher::new().set_input_offset(offset).update(plain).finalize_non_root())
}

/// Hash of evidence that is at most one frame long.
pub(crate) fn frame_root(plain: &[u8]) -> Blake3Hash {
    Blake3Hash(*blake3::hash(plain).as_bytes())
}

/// Chaining value of the node above two others.
pub(crate) fn parent_cv(left: &ChainingValue, right: &ChainingValue) -> ChainingValue {
    ChainingValue(merge_subtrees_non_root(&left.0, &right.0, Mode::Hash))
}

/// Hash at the very top, above two nodes.
pub(crate) fn parent_root(left: &ChainingValue, right: &ChainingValue) -> Blake3Hash {
    Blake3Hash(*merge_subtrees_root(&left.0, &right.0, Mode::Hash).as_bytes())
}

/// Chaining value of the subtree over neighbouring, aligned nodes of one size (the last one may
/// be smaller).
pub(crate) fn subtree_cv(nodes: &[ChainingValue]) -> ChainingValue {
    let mut nodes = nodes.to_vec();
    merge_until(&mut nodes, 1);
    nodes[0]
}

/// Hash of evidence that consists of exactly these nodes, two or more.
pub(crate) fn root_hash(nodes: &[ChainingValue]) -> Blake3Hash {
    assert!(nodes.len() >= 2, "a root stands above two nodes or more");
    let mut nodes = nodes.to_vec();
    merge_until(&mut nodes, 2);
    parent_root(&nodes[0], &nodes[1])
}

fn merge_until(nodes: &mut Vec<ChainingValue>, len: usize) {
    assert!(!nodes.is_empty(), "a tree has leaves");
    while nodes.len() > len {
        merge_pairs(nodes);
    }
}

/// Replaces a level by the one above it: neighbours merge, an odd one out at the right edge moves
/// up as it is.
fn merge_pairs(nodes: &mut Vec<ChainingValue>) {
    let count = nodes.len();
    for pair in 0..count / 2 {
        nodes[pair] = parent_cv(&nodes[2 * pair], &nodes[2 * pair + 1]);
    }
    if count % 2 == 1 {
        nodes[count / 2] = nodes[count - 1];
    }
    nodes.truncate(count.div_ceil(2));
}

/// Every node of a tree, level by level. Node `i` of level `l` covers leaves `i << l` up to
/// `(i + 1) << l`, or to the right edge.
#[derive(Debug)]
pub(crate) struct Levels(Vec<Vec<ChainingValue>>);

impl Levels {
    pub(crate) fn new(leaves: &[ChainingValue]) -> Self {
        assert!(!leaves.is_empty(), "a tree has leaves");
        let mut levels = vec![leaves.to_vec()];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let mut level = below.clone();
            merge_pairs(&mut level);
            levels.push(level);
        }
        Self(levels)
    }

    pub(crate) fn node(&self, level: usize, index: usize) -> ChainingValue {
        self.0[level][index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(plain: &[u8]) -> Vec<ChainingValue> {
        plain
            .chunks(FRAME_BYTES)
            .enumerate()
            .map(|(i, frame)| frame_cv(frame, (i * FRAME_BYTES) as u64))
            .collect()
    }

    #[test]
    fn frames_merge_to_the_plain_hash_for_every_shape_of_tree() {
        for frames in 2..=33 {
            for short in [0, 1, FRAME_BYTES - 1] {
                let plain: Vec<u8> =
                    (0..frames * FRAME_BYTES - short).map(|i| ((i * 31) >> 7) as u8).collect();
                let expected = Blake3Hash(*blake3::hash(&plain).as_bytes());
                assert_eq!(root_hash(&leaves(&plain)), expected, "{frames} frames, {short} short");
            }
        }
    }

    #[test]
    fn levels_hold_what_merging_gives() {
        let plain = vec![7; 5 * FRAME_BYTES + 3];
        let leaves = leaves(&plain);
        let levels = Levels::new(&leaves);
        assert_eq!(levels.node(0, 5), leaves[5]);
        assert_eq!(levels.node(2, 1), subtree_cv(&leaves[4..]));
        assert_eq!(levels.node(3, 0), subtree_cv(&leaves));
        assert_eq!(frame_root(b""), EMPTY_BLAKE3);
    }
}
