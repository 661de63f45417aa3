//! `0x12 ‖ role's name ‖ 0x00 ‖ actor's name` → `OpenUploads`: how many uploads an actor has open
//! (invariant I10); no record means none.

use custos_core::Actor;
use prost::Message;

use super::{own, prefix};
use crate::{Kv, KvRead, convert::parse, proto};

pub(crate) fn load(kv: &impl KvRead, actor: &Actor) -> u64 {
    let Some(bytes) = kv.get(&key(actor)) else { return 0 };
    own(parse::<proto::OpenUploads>("OpenUploads", &bytes)).count
}

/// Counts one more.
pub(crate) fn add_one(kv: &mut impl Kv, actor: &Actor) {
    let count = load(kv, actor) + 1;
    kv.put(&key(actor), proto::OpenUploads { count }.encode_to_vec());
}

/// Counts one less.
pub(crate) fn remove_one(kv: &mut impl Kv, actor: &Actor) {
    match load(kv, actor) {
        0 | 1 => kv.delete(&key(actor)),
        more => {
            kv.put(&key(actor), proto::OpenUploads { count: more - 1 }.encode_to_vec());
        }
    }
}

fn key(actor: &Actor) -> Vec<u8> {
    let mut key = vec![prefix::OPEN_UPLOADS];
    key.extend(actor.role.name().as_bytes());
    key.push(0);
    key.extend(actor.name.as_bytes());
    key
}
