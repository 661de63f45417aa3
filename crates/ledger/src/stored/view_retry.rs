//! Memory of views entered lately, so that a retried command is not entered twice (invariant I6).
//!
//! - `0x40 ‖ request id` → `ViewRetry`.
//! - `0x41 ‖ slot (u16)` → the request id that holds the slot. The slot is the log index modulo
//!   [`SLOTS`]: a view is remembered for at least that many log entries, and the memory never
//!   grows past that many views.

use custos_core::LogIndex;
use prost::Message;

use super::{own, prefix};
use crate::{
    Kv, KvRead,
    convert::{fixed, parse},
    proto,
};

/// Views remembered at most.
const SLOTS: u64 = 1 << 16;

/// A view that was entered under a request id.
pub(crate) struct ViewRetry {
    pub(crate) log_index: LogIndex,
    pub(crate) request_digest: [u8; 32],
}

pub(crate) fn load(kv: &impl KvRead, request_id: &[u8; 16]) -> Option<ViewRetry> {
    let stored: proto::ViewRetry = own(parse("ViewRetry", &kv.get(&key(request_id))?));
    let digest = own(fixed("ViewRetry", "request_digest", &stored.request_digest));
    Some(ViewRetry { log_index: LogIndex(stored.log_index), request_digest: digest })
}

/// Remembers a view in place of the one that holds its slot.
pub(crate) fn save(kv: &mut impl Kv, request_id: &[u8; 16], view: &ViewRetry) {
    let slot = slot_key(view.log_index);
    if let Some(forgotten) = kv.get(&slot) {
        kv.delete(&key(&forgotten));
    }
    kv.put(&slot, request_id.to_vec());
    let stored = proto::ViewRetry {
        log_index: view.log_index.0,
        request_digest: view.request_digest.to_vec(),
    };
    kv.put(&key(request_id), stored.encode_to_vec());
}

fn key(request_id: &[u8]) -> Vec<u8> {
    [&[prefix::VIEW_RETRY], request_id].concat()
}

fn slot_key(index: LogIndex) -> Vec<u8> {
    let slot = u16::try_from(index.0 % SLOTS).expect("less than 65,536");
    [&[prefix::VIEW_RETRY_SLOT][..], &slot.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryKv;

    fn entered(index: u64) -> ViewRetry {
        ViewRetry { log_index: LogIndex(index), request_digest: [0; 32] }
    }

    #[test]
    fn i10_the_memory_of_views_keeps_one_per_slot() {
        let mut kv = MemoryKv::new();
        save(&mut kv, &[1; 16], &entered(5));
        save(&mut kv, &[2; 16], &entered(6));
        save(&mut kv, &[3; 16], &entered(5 + SLOTS));
        assert!(load(&kv, &[1; 16]).is_none());
        assert_eq!(load(&kv, &[2; 16]).expect("kept").log_index, LogIndex(6));
        assert_eq!(load(&kv, &[3; 16]).expect("kept").log_index, LogIndex(5 + SLOTS));
        assert_eq!(kv.len(), 4);
    }
}
