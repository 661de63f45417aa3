//! `0x02` → `Clock`: cluster time, which only moves forward, and which requests are remembered.
//! Both change with almost every command, so they are one record.

use std::ops::Range;

use custos_core::{Mirror, Timestamp, law::Sign};
use prost::Message;

use super::{own, prefix};
use crate::{
    Kv, KvRead,
    convert::{mirrored, parse},
    proto,
};

const KEY: [u8; 1] = [prefix::CLOCK];

/// What changes with almost every command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Cluster time.
    pub(crate) time: Timestamp,
    /// How far it moved in steps that nobody confirmed, in milliseconds: that does not count for
    /// retention.
    pub(crate) unconfirmed_ms: i64,
    /// Who has confirmed it; a second person must.
    pub(crate) confirmed_by: Option<Sign>,
    /// Numbers of the remembered requests.
    pub(crate) remembered: Range<u64>,
}

impl Clock {
    /// The clock of a cluster that begins.
    pub(crate) fn starting_at(time: Timestamp) -> Self {
        Self { time, unconfirmed_ms: 0, confirmed_by: None, remembered: 0..0 }
    }

    /// The time that retention and grace are judged by.
    pub(crate) fn settled(&self) -> Timestamp {
        Timestamp::from_millis(self.time.as_millis().saturating_sub(self.unconfirmed_ms))
    }
}

/// `None` before the cluster began.
pub(crate) fn load(kv: &impl KvRead) -> Option<Clock> {
    let clock: proto::Clock = own(parse("Clock", &kv.get(&KEY)?));
    let time = Timestamp::from_millis(clock.time_ms);
    let confirmed_by = clock.confirmed_by.map(|sign| own(mirrored("Sign", sign)));
    let remembered = clock.first_request..clock.next_request;
    Some(Clock { time, unconfirmed_ms: clock.unconfirmed_ms, confirmed_by, remembered })
}

pub(crate) fn save(kv: &mut impl Kv, clock: &Clock) {
    let stored = proto::Clock {
        time_ms: clock.time.as_millis(),
        first_request: clock.remembered.start,
        next_request: clock.remembered.end,
        unconfirmed_ms: clock.unconfirmed_ms,
        confirmed_by: clock.confirmed_by.as_ref().map(Mirror::to_message),
    };
    kv.put(&KEY, stored.encode_to_vec());
}
