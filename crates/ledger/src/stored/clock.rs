//! `0x02` → `Clock`: cluster time, which only moves forward, and which requests are remembered.
//! Both change with almost every command, so they are one record.

use std::ops::Range;

use custos_core::Timestamp;
use prost::Message;

use super::{own, prefix};
use crate::{Kv, KvRead, convert::parse, proto};

const KEY: [u8; 1] = [prefix::CLOCK];

/// What changes with almost every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Cluster time.
    pub(crate) time: Timestamp,
    /// Numbers of the remembered requests.
    pub(crate) remembered: Range<u64>,
}

impl Clock {
    /// The clock of a cluster that begins.
    pub(crate) fn starting_at(time: Timestamp) -> Self {
        Self { time, remembered: 0..0 }
    }
}

/// `None` before the cluster began.
pub(crate) fn load(kv: &impl KvRead) -> Option<Clock> {
    let clock: proto::Clock = own(parse("Clock", &kv.get(&KEY)?));
    let time = Timestamp::from_millis(clock.time_ms);
    Some(Clock { time, remembered: clock.first_request..clock.next_request })
}

pub(crate) fn save(kv: &mut impl Kv, clock: &Clock) {
    let stored = proto::Clock {
        time_ms: clock.time.as_millis(),
        first_request: clock.remembered.start,
        next_request: clock.remembered.end,
    };
    kv.put(&KEY, stored.encode_to_vec());
}
