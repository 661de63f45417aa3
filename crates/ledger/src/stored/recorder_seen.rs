//! `0x74 ‖ serial` → cluster time (i64): when evidence of a registered recorder was sealed last, to
//! the hour, so that a busy recorder costs no write for each item.

use custos_core::Timestamp;

use super::prefix;
use crate::{Kv, KvRead};

/// How exact the time is: 1 hour.
const STEP_MS: i64 = 3_600_000;

/// `None` when nothing came from it yet.
pub(crate) fn load(kv: &impl KvRead, serial: &str) -> Option<Timestamp> {
    let bytes = kv.get(&key(serial))?;
    let millis = bytes.try_into().expect("a time was stored as 8 bytes");
    Some(Timestamp::from_millis(i64::from_be_bytes(millis)))
}

/// Notes that something came from it.
pub(crate) fn save(kv: &mut impl Kv, serial: &str, now: Timestamp) {
    let last = load(kv, serial).map_or(i64::MIN, Timestamp::as_millis);
    if now.as_millis().saturating_sub(last) >= STEP_MS {
        kv.put(&key(serial), now.as_millis().to_be_bytes().to_vec());
    }
}

fn key(serial: &str) -> Vec<u8> {
    [&[prefix::RECORDER_SEEN][..], serial.as_bytes()].concat()
}
