//! Views as they were remembered before there was a memory of all requests. Written no more, but
//! read, so that a view that is retried across the change of versions is entered once.
//!
//! - `0x40 ‖ request id` → `ViewRetry`.
//! - `0x41 ‖ slot (u16)` → the request id that held the slot; not read. Of each there are 65,536
//!   at most.

use custos_core::LogIndex;

use super::{own, prefix};
use crate::{
    KvRead,
    convert::{fixed, parse},
    proto,
};

/// A view that was entered under a request id.
pub(crate) struct ViewRetry {
    pub(crate) log_index: LogIndex,
    pub(crate) request_digest: [u8; 32],
}

pub(crate) fn load(kv: &impl KvRead, request_id: &[u8; 16]) -> Option<ViewRetry> {
    let key = [&[prefix::VIEW_RETRY], &request_id[..]].concat();
    let stored: proto::ViewRetry = own(parse("ViewRetry", &kv.get(&key)?));
    let digest = own(fixed("ViewRetry", "request_digest", &stored.request_digest));
    Some(ViewRetry { log_index: LogIndex(stored.log_index), request_digest: digest })
}
