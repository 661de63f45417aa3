//! The tree against an independent reading of RFC 6962 section 2.1.

use custos_ledger::merkle::{
    Hash, MerkleError, Nodes, empty_root, leaf_hash, prove_consistency, prove_inclusion, root,
    verify_consistency, verify_inclusion,
};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// Levels of complete subtrees over leaves `0`, `1`, … (as 8 big-endian bytes).
struct Tree(Vec<Vec<Hash>>);

impl Tree {
    fn of(leaves: &[Vec<u8>]) -> Self {
        let mut levels = vec![leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let pair = |pair: &[Hash]| reference_node(&pair[0], &pair[1]);
            levels.push(below.chunks_exact(2).map(pair).collect());
        }
        Self(levels)
    }
}

impl Nodes for Tree {
    fn node(&self, level: u8, index: u64) -> Hash {
        self.0[usize::from(level)][usize::try_from(index).expect("small")]
    }
}

fn numbered(count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|number| number.to_be_bytes().to_vec()).collect()
}

fn reference_node(left: &Hash, right: &Hash) -> Hash {
    Sha256::digest([&[1][..], left, right].concat()).into()
}

/// MTH of RFC 6962, word for word.
fn reference_root(leaves: &[Vec<u8>]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::digest([&[0][..], leaf].concat()).into(),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            reference_node(&reference_root(left), &reference_root(right))
        }
    }
}

#[test]
fn roots_are_those_of_the_certificate_transparency_test_tree() {
    let leaves: Vec<Vec<u8>> = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    .into_iter()
    .map(|leaf| HEXLOWER.decode(leaf.as_bytes()).expect("hexadecimal"))
    .collect();
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let tree = Tree::of(&leaves);
    for (size, expected) in roots.into_iter().enumerate() {
        assert_eq!(HEXLOWER.encode(&root(&tree, size as u64)), expected, "size {size}");
    }
}

#[test]
fn every_inclusion_proof_up_to_64_leaves_verifies_and_no_tampered_one_does() {
    let leaves = numbered(64);
    let tree = Tree::of(&leaves);
    for size in 1..=64 {
        let root = root(&tree, size);
        assert_eq!(root, reference_root(&leaves[..size as usize]));
        for index in 0..size {
            let leaf = &leaves[index as usize];
            let path = prove_inclusion(&tree, index, size);
            assert_eq!(verify_inclusion(leaf, index, size, &path, &root), Ok(()));
            refuses_tampered_inclusion(leaf, index, size, &path, &root);
        }
    }
}

fn refuses_tampered_inclusion(leaf: &[u8], index: u64, size: u64, path: &[Hash], root: &Hash) {
    let holds = |leaf: &[u8], index, path: &[Hash], root: &Hash| {
        verify_inclusion(leaf, index, size, path, root).is_ok()
    };
    assert!(!holds(b"another leaf", index, path, root));
    assert!(!holds(leaf, index, path, &[0; 32]));
    for wrong in (0..size + 2).filter(|wrong| *wrong != index) {
        assert!(!holds(leaf, wrong, path, root), "leaf {index} of {size} as {wrong}");
    }
    for position in 0..path.len() {
        let mut tampered = path.to_vec();
        tampered[position][31] ^= 1;
        assert!(!holds(leaf, index, &tampered, root));
        let mut shorter = path.to_vec();
        shorter.remove(position);
        assert!(!holds(leaf, index, &shorter, root));
    }
    assert!(!holds(leaf, index, &[path, &[[0; 32]]].concat(), root));
}

#[test]
fn every_consistency_proof_up_to_64_leaves_verifies_and_no_tampered_one_does() {
    let tree = Tree::of(&numbered(64));
    for new in 0..=64 {
        let new_root = root(&tree, new);
        for old in 0..=new {
            let old_root = root(&tree, old);
            let path = prove_consistency(&tree, old, new);
            assert_eq!(verify_consistency(old, &old_root, new, &new_root, &path), Ok(()));
            refuses_tampered_consistency(old, &old_root, new, &new_root, &path);
        }
    }
}

fn refuses_tampered_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    path: &[Hash],
) {
    let holds = |old_root: &Hash, new_root: &Hash, path: &[Hash]| {
        verify_consistency(old, old_root, new, new_root, path).is_ok()
    };
    assert!(!holds(&[0; 32], new_root, path), "{old} {new}");
    // The empty log is a prefix of whatever log there is.
    if old > 0 {
        assert!(!holds(old_root, &[0; 32], path), "{old} {new}");
    }
    for position in 0..path.len() {
        let mut tampered = path.to_vec();
        tampered[position][0] ^= 0x80;
        assert!(!holds(old_root, new_root, &tampered), "{old} {new} {position}");
        let mut shorter = path.to_vec();
        shorter.remove(position);
        assert!(!holds(old_root, new_root, &shorter), "{old} {new} {position}");
    }
    assert!(!holds(old_root, new_root, &[path, &[[0; 32]]].concat()), "{old} {new}");
}

#[test]
fn impossible_positions_and_sizes_are_named() {
    let past_end = MerkleError::IndexPastEnd { index: 3, size: 3 };
    assert_eq!(verify_inclusion(b"", 3, 3, &[], &[0; 32]), Err(past_end));
    let older_larger = MerkleError::OldLargerThanNew { old: 2, new: 1 };
    assert_eq!(verify_consistency(2, &[0; 32], 1, &[0; 32], &[]), Err(older_larger));
    assert_eq!(verify_consistency(0, &empty_root(), 5, &[1; 32], &[]), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_of_larger_trees_verify(size in 1u64..5000, a in any::<u64>(), b in any::<u64>()) {
        let leaves = numbered(size);
        let tree = Tree::of(&leaves);
        let whole = root(&tree, size);
        prop_assert_eq!(whole, reference_root(&leaves));
        let (index, old) = (a % size, b % (size + 1));
        let path = prove_inclusion(&tree, index, size);
        prop_assert!(path.len() <= 13);
        prop_assert_eq!(verify_inclusion(&leaves[index as usize], index, size, &path, &whole), Ok(()));
        let path = prove_consistency(&tree, old, size);
        prop_assert!(path.len() <= 14);
        let old_root = reference_root(&leaves[..old as usize]);
        prop_assert_eq!(verify_consistency(old, &old_root, size, &whole, &path), Ok(()));
    }

    #[test]
    fn proofs_made_up_of_anything_neither_verify_nor_panic(
        index in any::<u64>(),
        size in any::<u64>(),
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        prop_assert!(verify_inclusion(b"leaf", index, size, &path, &[0; 32]).is_err());
        prop_assert!(verify_consistency(index, &[0; 32], size, &[1; 32], &path).is_err());
    }
}
