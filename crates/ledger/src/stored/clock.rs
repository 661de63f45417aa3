//! `0x02` → `Clock`: cluster time, which only moves forward.

use custos_core::Timestamp;
use prost::Message;

use super::{own, prefix};
use crate::{Kv, KvRead, convert::parse, proto};

const KEY: [u8; 1] = [prefix::CLOCK];

pub(crate) fn load(kv: &impl KvRead) -> Option<Timestamp> {
    let clock: proto::Clock = own(parse("Clock", &kv.get(&KEY)?));
    Some(Timestamp::from_millis(clock.time_ms))
}

pub(crate) fn save(kv: &mut impl Kv, time: Timestamp) {
    kv.put(&KEY, proto::Clock { time_ms: time.as_millis() }.encode_to_vec());
}
