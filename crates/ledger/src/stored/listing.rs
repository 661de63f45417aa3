//! Orders in which sealed evidence is listed; the values are empty.
//!
//! - `0x20 ‖ evidence id`: all of it.
//! - `0x21 ‖ length of case (u16) ‖ case ‖ evidence id`: that of one case.

use custos_core::EvidenceId;

use super::prefix;
use crate::{Kv, KvRead};

const ID_BYTES: usize = 16;

/// Enters sealed evidence in every listing that it belongs to.
pub(crate) fn enter(kv: &mut impl Kv, id: EvidenceId, case: Option<&str>) {
    kv.put(&key(&start_of(None), id), Vec::new());
    if case.is_some() {
        kv.put(&key(&start_of(case), id), Vec::new());
    }
}

/// Up to `limit` ids after `after`, in order; of one case, or of all.
pub(crate) fn page(
    kv: &impl KvRead,
    case: Option<&str>,
    after: Option<EvidenceId>,
    limit: usize,
) -> Vec<EvidenceId> {
    let listing = start_of(case);
    let from = match after {
        // The least key that is greater than the one of `after`.
        Some(id) => [&key(&listing, id)[..], &[0]].concat(),
        None => listing.clone(),
    };
    // No id is longer than 16 bytes, so this is past the last one.
    let end = [&listing[..], &[0xff; ID_BYTES + 1]].concat();
    kv.scan(&from, &end, limit)
        .into_iter()
        .map(|(key, _)| {
            let id = EvidenceId::from_slice(&key[listing.len()..]);
            id.expect("a listing's key ends in an id")
        })
        .collect()
}

fn start_of(case: Option<&str>) -> Vec<u8> {
    let Some(case) = case else { return vec![prefix::LIST_BY_ID] };
    // A longer case than any that can be stored lists nothing.
    let len = u16::try_from(case.len()).unwrap_or(u16::MAX);
    let mut start = vec![prefix::LIST_BY_CASE];
    start.extend(len.to_be_bytes());
    start.extend(case.as_bytes());
    start
}

fn key(listing: &[u8], id: EvidenceId) -> Vec<u8> {
    [listing, id.as_bytes()].concat()
}
