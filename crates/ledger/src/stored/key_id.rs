//! `0x06` → name of the key-encryption key that evidence is sealed under (8 bytes); absent before
//! the first gateway started.

use super::prefix;
use crate::{Kv, KvRead};

const KEY: [u8; 1] = [prefix::KEY_ID];

pub(crate) fn load(kv: &impl KvRead) -> Option<[u8; 8]> {
    kv.get(&KEY).map(|bytes| bytes.try_into().expect("a key's name was stored as 8 bytes"))
}

pub(crate) fn save(kv: &mut impl Kv, key_id: [u8; 8]) {
    kv.put(&KEY, key_id.to_vec());
}
