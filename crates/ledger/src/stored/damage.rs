//! Damaged shards on record.
//!
//! - `0x05` → how many there are (u64); absent for none.
//! - `0x60 ‖ disk id ‖ vault (u32) ‖ evidence id ‖ chunk (u32) ‖ slot (u8) ‖ salt` →
//!   `DamageRecord`.
//! - `0x61 ‖ evidence id ‖ disk id ‖ vault (u32) ‖ chunk (u32) ‖ slot (u8) ‖ salt` → empty: the
//!   damage of one evidence item. What earlier versions put on record is here once it is reported
//!   again.

use custos_core::{DiskId, EvidenceId, ShardKey};
use prost::Message;

use super::{after_all, own, prefix};
use crate::{DamageRecord, DecodeError, Kv, KvRead, convert::parse, proto};

const COUNT_KEY: [u8; 1] = [prefix::DAMAGE_COUNT];

/// Disk id and vault in a key.
const DISK_AND_VAULT_BYTES: usize = 16 + 4;
/// What follows the evidence id in the key of [`evidence_key`].
const PLACE_BYTES: usize = DISK_AND_VAULT_BYTES + 4 + 1 + 16;

/// Damaged shards on record.
pub(crate) fn count(kv: &impl KvRead) -> u64 {
    kv.get(&COUNT_KEY).map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("the count was stored as 8 bytes"))
    })
}

pub(crate) fn load(kv: &impl KvRead, disk: DiskId, shard: &ShardKey) -> Option<DamageRecord> {
    kv.get(&key(disk, shard)).map(|bytes| own(decode(&bytes)))
}

/// Puts a shard on record that is not there yet.
pub(crate) fn enter(kv: &mut impl Kv, record: &DamageRecord) {
    set_count(kv, count(kv) + 1);
    let stored = proto::DamageRecord::from(record);
    kv.put(&key(record.disk_id, &record.damage.key), stored.encode_to_vec());
    list_by_evidence(kv, record.disk_id, &record.damage.key);
}

/// Lists a shard that is on record under its evidence, if it is not there yet.
pub(crate) fn list_by_evidence(kv: &mut impl Kv, disk: DiskId, shard: &ShardKey) {
    let key = evidence_key(shard.evidence_id, disk, shard);
    if kv.get(&key).is_none() {
        kv.put(&key, Vec::new());
    }
}

/// Takes a shard off the record that is there.
pub(crate) fn remove(kv: &mut impl Kv, disk: DiskId, shard: &ShardKey) {
    set_count(kv, count(kv) - 1);
    kv.delete(&key(disk, shard));
    kv.delete(&evidence_key(shard.evidence_id, disk, shard));
}

/// Up to `limit` records after `after`, in order of disk and shard.
pub(crate) fn page(
    kv: &impl KvRead,
    after: Option<&(DiskId, ShardKey)>,
    limit: usize,
) -> Vec<DamageRecord> {
    let from = match after {
        // The least key that is greater than the one of `after`.
        Some((disk, shard)) => [&key(*disk, shard)[..], &[0]].concat(),
        None => vec![prefix::DAMAGE],
    };
    let found = kv.scan(&from, &after_all(prefix::DAMAGE), limit);
    found.into_iter().map(|(_, bytes)| own(decode(&bytes))).collect()
}

/// Up to `limit` records of one evidence item after `after`, in order of disk and shard.
pub(crate) fn page_of(
    kv: &impl KvRead,
    id: EvidenceId,
    after: Option<&(DiskId, ShardKey)>,
    limit: usize,
) -> Vec<DamageRecord> {
    let listing = [&[prefix::DAMAGE_BY_EVIDENCE][..], id.as_bytes()].concat();
    let from = match after {
        Some((disk, shard)) => [&evidence_key(id, *disk, shard)[..], &[0]].concat(),
        None => listing.clone(),
    };
    // Longer than any key of this evidence, so it is past the last.
    let end = [&listing[..], &[0xff; PLACE_BYTES + 1]].concat();
    let listed = kv.scan(&from, &end, limit);
    let record = |(listed, _): &(Vec<u8>, Vec<u8>)| {
        let (disk_and_vault, rest) = listed[listing.len()..].split_at(DISK_AND_VAULT_BYTES);
        let key = [&[prefix::DAMAGE][..], disk_and_vault, id.as_bytes(), rest].concat();
        own(decode(&kv.get(&key).expect("listed damage is on record")))
    };
    listed.iter().map(record).collect()
}

fn set_count(kv: &mut impl Kv, count: u64) {
    match count {
        0 => kv.delete(&COUNT_KEY),
        more => kv.put(&COUNT_KEY, more.to_be_bytes().to_vec()),
    }
}

/// Sorts as [`ShardKey`] does.
fn key(disk: DiskId, shard: &ShardKey) -> Vec<u8> {
    [
        &[prefix::DAMAGE][..],
        disk.as_bytes(),
        &shard.vault.0.to_be_bytes(),
        shard.evidence_id.as_bytes(),
        &shard.chunk.0.to_be_bytes(),
        &[shard.slot.0],
        shard.salt.as_bytes(),
    ]
    .concat()
}

/// Within one evidence item, sorts as [`key`] does.
fn evidence_key(id: EvidenceId, disk: DiskId, shard: &ShardKey) -> Vec<u8> {
    [
        &[prefix::DAMAGE_BY_EVIDENCE][..],
        id.as_bytes(),
        disk.as_bytes(),
        &shard.vault.0.to_be_bytes(),
        &shard.chunk.0.to_be_bytes(),
        &[shard.slot.0],
        shard.salt.as_bytes(),
    ]
    .concat()
}

fn decode(bytes: &[u8]) -> Result<DamageRecord, DecodeError> {
    parse::<proto::DamageRecord>("DamageRecord", bytes)?.try_into()
}
