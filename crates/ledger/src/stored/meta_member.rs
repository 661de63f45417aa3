//! Metadata nodes.
//!
//! - `0x07` → the last id that was given (u64), which only grows; absent for none.
//! - `0x53 ‖ meta id (u64)` → `MetaMember`.

use custos_core::{MetaId, MetaMember};
use prost::Message;

use super::{own, prefix, values};
use crate::{DecodeError, Kv, KvRead, convert::parse, proto};

const LAST_KEY: [u8; 1] = [prefix::META_LAST_ID];

pub(crate) fn save(kv: &mut impl Kv, member: &MetaMember) {
    kv.put(&key(member.id), proto::MetaMember::from(member).encode_to_vec());
}

/// Every member that there ever was, in order of id.
pub(crate) fn all(kv: &impl KvRead) -> Vec<MetaMember> {
    values(kv, prefix::META_MEMBER).iter().map(|bytes| own(decode(bytes))).collect()
}

/// Gives the next id, from 1 on.
pub(crate) fn give_id(kv: &mut impl Kv) -> MetaId {
    let last = kv.get(&LAST_KEY).map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("the last id was stored as 8 bytes"))
    });
    kv.put(&LAST_KEY, (last + 1).to_be_bytes().to_vec());
    MetaId(last + 1)
}

fn key(id: MetaId) -> Vec<u8> {
    [&[prefix::META_MEMBER][..], &id.0.to_be_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Result<MetaMember, DecodeError> {
    parse::<proto::MetaMember>("MetaMember", bytes)?.try_into()
}
