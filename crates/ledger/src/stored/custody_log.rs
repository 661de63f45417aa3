//! The custody log.
//!
//! - `0x03` → number of entries (u64).
//! - `0x30 ‖ index (u64)` → the leaf's canonical bytes.
//! - `0x31 ‖ index (u64)` → `CustodyPrivate`; may end alone.
//! - `0x32 ‖ level (u8) ‖ index (u64)` → hash of the complete subtree over leaves
//!   `index << level .. (index + 1) << level`.
//! - `0x33 ‖ evidence id ‖ index (u64)` → empty: the entries about one evidence item.
//! - `0x34 ‖ kind/id ‖ 0x00 ‖ index (u64)` → empty: the entries about one record of the law.

use custos_core::{EvidenceId, LogIndex};

use super::prefix;
use crate::{
    Kv, KvRead,
    merkle::{self, Hash},
};

const SIZE_KEY: [u8; 1] = [prefix::LOG_SIZE];

/// Entries in the log.
pub(crate) fn size(kv: &impl KvRead) -> u64 {
    kv.get(&SIZE_KEY).map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("the log's size was stored as 8 bytes"))
    })
}

/// Puts entry [`size`] with its two parts, and grows the tree by it.
pub(crate) fn push(
    kv: &mut impl Kv,
    index: LogIndex,
    evidence_id: Option<EvidenceId>,
    leaf: Vec<u8>,
    private: Vec<u8>,
) {
    grow_tree(kv, index.0, merkle::leaf_hash(&leaf));
    kv.put(&numbered(prefix::LOG_LEAF, index.0), leaf);
    kv.put(&numbered(prefix::LOG_PRIVATE, index.0), private);
    if let Some(id) = evidence_id {
        kv.put(&evidence_key(id, index.0), Vec::new());
    }
    kv.put(&SIZE_KEY, (index.0 + 1).to_be_bytes().to_vec());
}

/// Canonical bytes of an entry.
pub(crate) fn leaf(kv: &impl KvRead, index: LogIndex) -> Option<Vec<u8>> {
    kv.get(&numbered(prefix::LOG_LEAF, index.0))
}

/// Private part of an entry, unless it has ended.
pub(crate) fn private(kv: &impl KvRead, index: LogIndex) -> Option<Vec<u8>> {
    kv.get(&numbered(prefix::LOG_PRIVATE, index.0))
}

/// Up to `limit` positions from `from` on of entries about one evidence item, in order.
pub(crate) fn indexes_of(
    kv: &impl KvRead,
    id: EvidenceId,
    from: LogIndex,
    limit: usize,
) -> Vec<LogIndex> {
    // One byte longer than any key of this evidence, so it is past the last.
    let end = [&evidence_key(id, u64::MAX)[..], &[0]].concat();
    indexes(kv, &evidence_key(id, from.0), &end, limit)
}

/// Enters an entry among those about one record of the law.
pub(crate) fn enter_record(kv: &mut impl Kv, path: &str, index: LogIndex) {
    kv.put(&record_key(path, index.0), Vec::new());
}

/// Up to `limit` positions from `from` on of entries about one record of the law, in order.
pub(crate) fn indexes_of_record(
    kv: &impl KvRead,
    path: &str,
    from: LogIndex,
    limit: usize,
) -> Vec<LogIndex> {
    let end = [&record_key(path, u64::MAX)[..], &[0]].concat();
    indexes(kv, &record_key(path, from.0), &end, limit)
}

fn record_key(path: &str, index: u64) -> Vec<u8> {
    [&[prefix::LOG_BY_RECORD][..], path.as_bytes(), &[0], &index.to_be_bytes()].concat()
}

fn indexes(kv: &impl KvRead, start: &[u8], end: &[u8], limit: usize) -> Vec<LogIndex> {
    let found = kv.scan(start, end, limit);
    let index_of = |(key, _): (Vec<u8>, Vec<u8>)| {
        let (_, index) = key.split_last_chunk().expect("the key ends in an index");
        LogIndex(u64::from_be_bytes(*index))
    };
    found.into_iter().map(index_of).collect()
}

/// The stored tree.
pub(crate) struct Tree<'a, K>(pub(crate) &'a K);

impl<K: KvRead> merkle::Nodes for Tree<'_, K> {
    fn node(&self, level: u8, index: u64) -> Hash {
        let bytes = self.0.get(&node_key(level, index)).expect("complete subtrees are stored");
        bytes.try_into().expect("a node was stored as 32 bytes")
    }
}

fn grow_tree(kv: &mut impl Kv, leaf_index: u64, leaf_hash: Hash) {
    let (mut level, mut index, mut hash) = (0, leaf_index, leaf_hash);
    kv.put(&node_key(level, index), hash.to_vec());
    while index & 1 == 1 {
        let left = merkle::Nodes::node(&Tree(kv), level, index - 1);
        hash = merkle::node_hash(&left, &hash);
        level += 1;
        index >>= 1;
        kv.put(&node_key(level, index), hash.to_vec());
    }
}

fn numbered(prefix: u8, index: u64) -> Vec<u8> {
    [&[prefix][..], &index.to_be_bytes()].concat()
}

fn node_key(level: u8, index: u64) -> Vec<u8> {
    [&[prefix::LOG_NODE, level][..], &index.to_be_bytes()].concat()
}

fn evidence_key(id: EvidenceId, index: u64) -> Vec<u8> {
    [&[prefix::LOG_BY_EVIDENCE][..], id.as_bytes(), &index.to_be_bytes()].concat()
}
