//! Records of the law, in every version.
//!
//! - `0x70 ‖ kind (u8) ‖ id ‖ 0x00` → `VersionedRecord`: as it is now. Where ids are numbers after a
//!   letter (holds, grants, dispositions, copies), the id is preceded by its length (u8), so that
//!   `H10` comes after `H9`.
//! - `0x71 ‖ kind (u8) ‖ id ‖ 0x00 ‖ version (u32)` → `VersionedRecord`: as it was.
//! - `0x73 ‖ kind (u8)` → u64: the last number that was given.

use custos_core::{
    LogIndex, Mirror, Timestamp,
    law::{Record, RecordKind, Versioned},
};
use prost::Message;

use super::{law_index, own, prefix};
use crate::{
    Kv, KvRead,
    convert::{mirrored, parse},
    proto,
};

/// Longest id of a numbered record: a letter and 20 digits.
const NUMBERED_BYTES_MAX: u8 = 21;

/// As it is now.
pub(crate) fn load(kv: &impl KvRead, kind: RecordKind, id: &str) -> Option<Versioned> {
    kv.get(&key(kind, id)).map(|bytes| decode(&bytes))
}

/// As it was in one version, from 1 on.
pub(crate) fn version(
    kv: &impl KvRead,
    kind: RecordKind,
    id: &str,
    version: u32,
) -> Option<Versioned> {
    match kv.get(&earlier_key(kind, id, version)) {
        Some(bytes) => Some(decode(&bytes)),
        None => load(kv, kind, id).filter(|now| now.version == version),
    }
}

/// Up to `limit` versions after `after`, the oldest first, the one that stands last.
pub(crate) fn history(
    kv: &impl KvRead,
    kind: RecordKind,
    id: &str,
    after: u32,
    limit: usize,
) -> Vec<Versioned> {
    let end = [&earlier_key(kind, id, u32::MAX)[..], &[0]].concat();
    let start = earlier_key(kind, id, after.saturating_add(1));
    let mut found: Vec<_> =
        kv.scan(&start, &end, limit).into_iter().map(|(_, bytes)| decode(&bytes)).collect();
    // An id that ends in zeros names a range of another one's keys.
    found.retain(|it| it.record.id() == id);
    if found.len() < limit {
        found.extend(load(kv, kind, id).filter(|now| now.version > after));
    }
    found
}

/// Saves the next version of a record, made by an act at `time`, and gives it back.
pub(crate) fn save(
    kv: &mut impl Kv,
    record: Record,
    time: Timestamp,
    by: String,
    log_index: LogIndex,
) -> Versioned {
    let (kind, id) = (record.kind(), record.id().to_owned());
    let before = load(kv, kind, &id);
    let version = before.as_ref().map_or(1, |before| before.version + 1);
    if let Some(before) = &before {
        kv.put(&earlier_key(kind, &id, before.version), encode(before));
    }
    law_index::replace(kv, before.as_ref().map(|it| &it.record), Some(&record));
    let now = Versioned { version, changed_at: time, changed_by: by, log_index, record };
    kv.put(&key(kind, &id), encode(&now));
    now
}

/// Saves what changes of a record without being a version of its own, such as a count of uses.
pub(crate) fn save_in_place(kv: &mut impl Kv, changed: &Versioned) {
    kv.put(&key(changed.record.kind(), changed.record.id()), encode(changed));
}

/// Removes what is kept of a record for good, its earlier versions too.
pub(crate) fn forget(kv: &mut impl Kv, kind: RecordKind, id: &str) {
    let Some(now) = load(kv, kind, id) else { return };
    law_index::replace(kv, Some(&now.record), None);
    for version in 1..now.version {
        kv.delete(&earlier_key(kind, id, version));
    }
    kv.delete(&key(kind, id));
}

/// Up to `limit` records of one kind in order of id, those whose ids begin with `prefix`, after the
/// id `after`.
pub(crate) fn page(
    kv: &impl KvRead,
    kind: RecordKind,
    id_prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Vec<Versioned> {
    let after = after.map(|id| [&key(kind, id)[..], &[0]].concat());
    let mut found = Vec::new();
    for begin in beginnings(kind, id_prefix) {
        let end = [&begin[..], &[0xff; 3]].concat();
        let start = after.as_ref().map_or(&begin, |after| after.max(&begin));
        if *start < end && found.len() < limit {
            found.extend(kv.scan(start, &end, limit - found.len()));
        }
    }
    found.into_iter().map(|(_, bytes)| decode(&bytes)).collect()
}

/// What the keys begin with, in order, of records whose ids begin with a text: numbered ones are in
/// order of the length of their ids.
fn beginnings(kind: RecordKind, id_prefix: &str) -> Vec<Vec<u8>> {
    let of_kind = [prefix::LAW_RECORD, number(kind)];
    match (id_prefix, letter(kind)) {
        ("", _) => vec![of_kind.to_vec()],
        (text, None) => vec![[&of_kind, text.as_bytes()].concat()],
        (text, Some(_)) => (0..=NUMBERED_BYTES_MAX)
            .filter(|len| usize::from(*len) >= text.len())
            .map(|len| [&of_kind, &[len][..], text.as_bytes()].concat())
            .collect(),
    }
}

/// A new id of a kind that is numbered: `H1`, `H2` …
pub(crate) fn next_id(kv: &mut impl Kv, kind: RecordKind) -> String {
    let key = [prefix::LAW_NUMBER, number(kind)];
    let last = kv.get(&key).map_or(0, |bytes| {
        u64::from_be_bytes(bytes.try_into().expect("a number was stored as 8 bytes"))
    });
    kv.put(&key, (last + 1).to_be_bytes().to_vec());
    let letter = letter(kind).expect("only numbered kinds are asked for");
    format!("{letter}{}", last + 1)
}

fn letter(kind: RecordKind) -> Option<char> {
    match kind {
        RecordKind::Hold => Some('H'),
        RecordKind::Grant => Some('G'),
        RecordKind::Disposition => Some('D'),
        RecordKind::Copy => Some('X'),
        _ => None,
    }
}

/// Pinned: a number is never used again for something else.
fn number(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Unit => 1,
        RecordKind::Person => 2,
        RecordKind::Recorder => 3,
        RecordKind::Station => 4,
        RecordKind::Case => 5,
        RecordKind::Filing => 6,
        RecordKind::Note => 7,
        RecordKind::Relation => 8,
        RecordKind::Copy => 9,
        RecordKind::Hold => 10,
        RecordKind::Grant => 11,
        RecordKind::Disposition => 12,
        RecordKind::Policy => 13,
    }
}

fn key(kind: RecordKind, id: &str) -> Vec<u8> {
    keyed(prefix::LAW_RECORD, kind, id)
}

fn earlier_key(kind: RecordKind, id: &str, version: u32) -> Vec<u8> {
    [&keyed(prefix::LAW_EARLIER, kind, id)[..], &version.to_be_bytes()].concat()
}

fn keyed(first: u8, kind: RecordKind, id: &str) -> Vec<u8> {
    let mut key = vec![first, number(kind)];
    if letter(kind).is_some() {
        key.push(u8::try_from(id.len()).unwrap_or(u8::MAX));
    }
    key.extend(id.as_bytes());
    key.push(0);
    key
}

fn encode(record: &Versioned) -> Vec<u8> {
    let stored: proto::VersionedRecord = record.to_message();
    stored.encode_to_vec()
}

fn decode(bytes: &[u8]) -> Versioned {
    const M: &str = "VersionedRecord";
    own(parse::<proto::VersionedRecord>(M, bytes).and_then(|stored| mirrored(M, stored)))
}
