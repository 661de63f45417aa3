//! `0x51 ‖ disk id` → `DiskRecord`.

use custos_core::{DiskId, DiskRecord};
use prost::Message;

use super::{own, prefix, values};
use crate::{DecodeError, Kv, KvRead, convert::parse, proto};

pub(crate) fn load(kv: &impl KvRead, id: DiskId) -> Option<DiskRecord> {
    kv.get(&key(id)).map(|bytes| own(decode(&bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, disk: &DiskRecord) {
    kv.put(&key(disk.disk_id), proto::DiskRecord::from(disk).encode_to_vec());
}

/// Every disk, removed ones too, in order of id.
pub(crate) fn all(kv: &impl KvRead) -> Vec<DiskRecord> {
    values(kv, prefix::DISK).iter().map(|bytes| own(decode(bytes))).collect()
}

fn key(id: DiskId) -> Vec<u8> {
    [&[prefix::DISK][..], id.as_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Result<DiskRecord, DecodeError> {
    parse::<proto::DiskRecord>("DiskRecord", bytes)?.try_into()
}
