//! Orders in which sealed evidence is listed; the values are empty.
//!
//! - `0x20 ‖ evidence id`: all of it.
//! - `0x21 ‖ length of case (u16) ‖ case ‖ evidence id`: that of one case.
//! - `0x22 ‖ length of recording (u16) ‖ recording ‖ evidence id`: the segments of one recording.

use custos_core::EvidenceId;

use super::prefix;
use crate::{Kv, KvRead};

const ID_BYTES: usize = 16;

/// The listings that evidence is in, beside that of all.
pub(crate) struct Listed {
    pub(crate) case: Option<String>,
    pub(crate) recording: Option<String>,
}

impl Listed {
    fn starts(&self) -> impl Iterator<Item = Vec<u8>> {
        let case = self.case.as_deref().map(of_case);
        let recording = self.recording.as_deref().map(of_recording);
        [Some(vec![prefix::LIST_BY_ID]), case, recording].into_iter().flatten()
    }
}

/// Enters sealed evidence in every listing that it belongs to.
pub(crate) fn enter(kv: &mut impl Kv, id: EvidenceId, listed: &Listed) {
    for start in listed.starts() {
        kv.put(&key(&start, id), Vec::new());
    }
}

/// Takes evidence that has ended out of every listing.
pub(crate) fn leave(kv: &mut impl Kv, id: EvidenceId, listed: &Listed) {
    for start in listed.starts() {
        kv.delete(&key(&start, id));
    }
}

/// Takes evidence from the listing of one case to that of another.
pub(crate) fn move_to_case(kv: &mut impl Kv, id: EvidenceId, from: Option<&str>, to: &str) {
    if let Some(from) = from {
        kv.delete(&key(&of_case(from), id));
    }
    kv.put(&key(&of_case(to), id), Vec::new());
}

/// Up to `limit` ids after `after`, in order; of one case, or of all.
pub(crate) fn page(
    kv: &impl KvRead,
    case: Option<&str>,
    after: Option<EvidenceId>,
    limit: usize,
) -> Vec<EvidenceId> {
    page_of(kv, &case.map_or_else(|| vec![prefix::LIST_BY_ID], of_case), after, limit)
}

/// Up to `limit` segments of a recording after `after`, in order.
pub(crate) fn page_of_recording(
    kv: &impl KvRead,
    recording: &str,
    after: Option<EvidenceId>,
    limit: usize,
) -> Vec<EvidenceId> {
    page_of(kv, &of_recording(recording), after, limit)
}

fn page_of(
    kv: &impl KvRead,
    listing: &[u8],
    after: Option<EvidenceId>,
    limit: usize,
) -> Vec<EvidenceId> {
    let from = match after {
        // The least key that is greater than the one of `after`.
        Some(id) => [&key(listing, id)[..], &[0]].concat(),
        None => listing.to_vec(),
    };
    // No id is longer than 16 bytes, so this is past the last one.
    let end = [listing, &[0xff; ID_BYTES + 1]].concat();
    kv.scan(&from, &end, limit)
        .into_iter()
        .map(|(key, _)| {
            let id = EvidenceId::from_slice(&key[listing.len()..]);
            id.expect("a listing's key ends in an id")
        })
        .collect()
}

fn of_case(case: &str) -> Vec<u8> {
    named(prefix::LIST_BY_CASE, case)
}

fn of_recording(recording: &str) -> Vec<u8> {
    named(prefix::LIST_BY_RECORDING, recording)
}

fn named(first: u8, name: &str) -> Vec<u8> {
    // A longer name than any that can be stored lists nothing.
    let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
    [&[first][..], &len.to_be_bytes(), name.as_bytes()].concat()
}

fn key(listing: &[u8], id: EvidenceId) -> Vec<u8> {
    [listing, id.as_bytes()].concat()
}
