//! The state: one file per kind of record, each with its key and its value.
//!
//! A key starts with one byte that names the kind and the layout of the record; numbers are
//! big-endian, so that keys sort as the numbers do. Keys of one evidence item or upload go on with
//! their virtual shard, so that the key space can later be cut into groups. The whole table is in
//! `docs/formats/ledger.md`; a changed layout takes a new first byte.
//!
//! Stored values are written by this crate alone and kept under the checksums of the store, so a
//! value that does not decode is a broken promise of our own: reading it panics, which stops the
//! replica before it can spread a guess.

pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod cluster_map;
pub(crate) mod custody_log;
pub(crate) mod damage;
pub(crate) mod disk;
pub(crate) mod evidence;
pub(crate) mod key_id;
pub(crate) mod law_index;
pub(crate) mod law_record;
pub(crate) mod listing;
pub(crate) mod map_epoch;
pub(crate) mod meta_member;
pub(crate) mod node;
pub(crate) mod open_uploads;
pub(crate) mod recorder_seen;
pub(crate) mod request_memory;
pub(crate) mod upload_name;
pub(crate) mod vault;
pub(crate) mod view_retry;

use crate::{DecodeError, KvRead, VirtualShard};

/// First bytes of keys. Pinned: a number is never used again for something else.
mod prefix {
    pub(super) const CLUSTER: u8 = 0x01;
    pub(super) const CLOCK: u8 = 0x02;
    pub(super) const LOG_SIZE: u8 = 0x03;
    pub(super) const MAP_EPOCH: u8 = 0x04;
    pub(super) const DAMAGE_COUNT: u8 = 0x05;
    pub(super) const KEY_ID: u8 = 0x06;
    pub(super) const META_LAST_ID: u8 = 0x07;
    pub(super) const EVIDENCE: u8 = 0x10;
    pub(super) const UPLOAD_NAME: u8 = 0x11;
    pub(super) const OPEN_UPLOADS: u8 = 0x12;
    pub(super) const LIST_BY_ID: u8 = 0x20;
    pub(super) const LIST_BY_CASE: u8 = 0x21;
    pub(super) const LIST_BY_RECORDING: u8 = 0x22;
    pub(super) const LOG_LEAF: u8 = 0x30;
    pub(super) const LOG_PRIVATE: u8 = 0x31;
    pub(super) const LOG_NODE: u8 = 0x32;
    pub(super) const LOG_BY_EVIDENCE: u8 = 0x33;
    pub(super) const LOG_BY_RECORD: u8 = 0x34;
    pub(super) const VIEW_RETRY: u8 = 0x40;
    // 0x41 was the order of 0x40.
    pub(super) const REQUEST: u8 = 0x42;
    pub(super) const REQUEST_ORDER: u8 = 0x43;
    pub(super) const NODE: u8 = 0x50;
    pub(super) const DISK: u8 = 0x51;
    pub(super) const VAULT: u8 = 0x52;
    pub(super) const META_MEMBER: u8 = 0x53;
    pub(super) const DAMAGE: u8 = 0x60;
    pub(super) const DAMAGE_BY_EVIDENCE: u8 = 0x61;
    pub(super) const LAW_RECORD: u8 = 0x70;
    pub(super) const LAW_EARLIER: u8 = 0x71;
    pub(super) const LAW_INDEX: u8 = 0x72;
    pub(super) const LAW_NUMBER: u8 = 0x73;
    pub(super) const RECORDER_SEEN: u8 = 0x74;
}

/// `prefix ‖ virtual shard of name (u16) ‖ name`.
fn sharded_key(prefix: u8, name: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(3 + name.len());
    key.push(prefix);
    key.extend(VirtualShard::of(name).number().to_be_bytes());
    key.extend(name);
    key
}

/// The least key after every key that begins with `prefix`.
fn after_all(prefix: u8) -> Vec<u8> {
    vec![prefix + 1]
}

/// Every value under `prefix`, in order of their keys. Only for kinds with a named limit.
fn values(kv: &impl KvRead, prefix: u8) -> Vec<Vec<u8>> {
    let found = kv.scan(&[prefix], &after_all(prefix), usize::MAX);
    found.into_iter().map(|(_, value)| value).collect()
}

/// Opens a value that this crate wrote.
fn own<T>(value: Result<T, DecodeError>) -> T {
    value.unwrap_or_else(|error| panic!("stored state does not decode: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_evidence_begin_with_its_virtual_shard() {
        assert_eq!(sharded_key(7, b""), [7, 0b11, 0b1000_1110]);
    }
}
