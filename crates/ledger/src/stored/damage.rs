//! Damaged shards on record.
//!
//! - `0x05` → how many there are (u64); absent for none.
//! - `0x60 ‖ disk id ‖ vault (u32) ‖ evidence id ‖ chunk (u32) ‖ slot (u8) ‖ salt` →
//!   `DamageRecord`.

use custos_core::{DiskId, ShardKey};
use prost::Message;

use super::{after_all, own, prefix};
use crate::{DamageRecord, DecodeError, Kv, KvRead, convert::parse, proto};

const COUNT_KEY: [u8; 1] = [prefix::DAMAGE_COUNT];

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
}

/// Takes a shard off the record that is there.
pub(crate) fn remove(kv: &mut impl Kv, disk: DiskId, shard: &ShardKey) {
    set_count(kv, count(kv) - 1);
    kv.delete(&key(disk, shard));
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

fn decode(bytes: &[u8]) -> Result<DamageRecord, DecodeError> {
    parse::<proto::DamageRecord>("DamageRecord", bytes)?.try_into()
}
