//! `0x04` → epoch of the cluster map (u64); absent before the first node registered, which is
//! epoch 0.

use custos_core::Epoch;

use super::prefix;
use crate::{Kv, KvRead};

const KEY: [u8; 1] = [prefix::MAP_EPOCH];

pub(crate) fn load(kv: &impl KvRead) -> Epoch {
    Epoch(kv.get(&KEY).map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("the map's epoch was stored as 8 bytes"))
    }))
}

/// Begins the next epoch.
pub(crate) fn advance(kv: &mut impl Kv) -> Epoch {
    let next = Epoch(load(kv).0 + 1);
    kv.put(&KEY, next.0.to_be_bytes().to_vec());
    next
}
