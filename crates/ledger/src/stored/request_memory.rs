//! Memory of commands done lately, so that a repeated one has no second effect (invariant I6).
//!
//! - `0x42 ‖ request id` → `RememberedRequest`: what was asked and what came of it.
//! - `0x43 ‖ number (u64)` → cluster time (i64) ‖ request id: the order in which they are
//!   forgotten. The clock's record says which numbers are there, so that neither end of the order
//!   is ever looked for.

use custos_core::{Epoch, ErrorKind, LogIndex, Refusal, Rule, Timestamp, law::RecordKind};
use prost::Message;

use super::{clock::Clock, law_record, own, prefix};
use crate::{
    DecodeError, Kv, KvRead, Outcome, REQUEST_MEMORY_ITEMS_MAX, REQUEST_MEMORY_MS,
    convert::{fixed, need, parse},
    proto::{self, remembered_request::Done},
};

/// Most requests that are forgotten when one is remembered: more than one, so that the memory
/// shrinks again after a rush.
const FORGOTTEN_AT_ONCE_MAX: usize = 4;

/// A command that was done.
pub(crate) struct RememberedRequest {
    /// What makes it the same command.
    pub(crate) digest: [u8; 32],
    /// What came of it.
    pub(crate) done: Result<Outcome, Refusal>,
}

pub(crate) fn load(kv: &impl KvRead, request_id: &[u8; 16]) -> Option<RememberedRequest> {
    kv.get(&key(request_id)).map(|bytes| own(decode(kv, &bytes)))
}

/// Remembers a request that is not remembered yet, at the clock's time, and forgets some of the
/// oldest if their time or their number is over. The caller saves the clock.
///
/// An outcome that a repeated command finds again by its content, for ever, is not remembered.
pub(crate) fn remember(
    kv: &mut impl Kv,
    clock: &mut Clock,
    request_id: &[u8; 16],
    digest: impl FnOnce() -> [u8; 32],
    done: &Result<Outcome, Refusal>,
) {
    let Some(done) = stored_done(done) else { return };
    let stored = proto::RememberedRequest { request_digest: digest().to_vec(), done: Some(done) };
    kv.put(&key(request_id), stored.encode_to_vec());
    let place = [&clock.time.as_millis().to_be_bytes()[..], request_id].concat();
    kv.put(&order_key(clock.remembered.end), place);
    clock.remembered.end += 1;
    forget(kv, clock);
}

fn forget(kv: &mut impl Kv, clock: &mut Clock) {
    for _ in 0..FORGOTTEN_AT_ONCE_MAX {
        let Some(oldest) = clock.remembered.clone().next() else { return };
        let (time, request_id) = place(kv, oldest);
        let count = clock.remembered.end - clock.remembered.start;
        let age_ms = clock.time.as_millis().saturating_sub(time.as_millis());
        if count <= REQUEST_MEMORY_ITEMS_MAX && age_ms < REQUEST_MEMORY_MS {
            return;
        }
        kv.delete(&key(&request_id));
        kv.delete(&order_key(oldest));
        clock.remembered.start += 1;
    }
}

/// When the request of this number was remembered, and its id.
fn place(kv: &impl KvRead, number: u64) -> (Timestamp, [u8; 16]) {
    let bytes = kv.get(&order_key(number)).expect("the clock says which numbers are there");
    let (time, id) = bytes.split_first_chunk().expect("a place was stored as 24 bytes");
    let id = id.try_into().expect("a place was stored as 24 bytes");
    (Timestamp::from_millis(i64::from_be_bytes(*time)), id)
}

/// Exhaustive, so that whoever adds an outcome decides. What is not stored here:
///
/// - a cluster begins once, and the same beginning finds it;
/// - an upload key names its upload for ever, and opening again tells where that upload is now,
///   which is what whoever goes on with it has to know;
/// - sealed evidence never changes, and the same parts find the same record;
/// - an upload is given up once, and giving it up again finds the entry;
/// - the first key is the cluster's for good.
fn stored_done(done: &Result<Outcome, Refusal>) -> Option<Done> {
    match done {
        Ok(
            Outcome::Initialised
            | Outcome::UploadOpen(_)
            | Outcome::AlreadySealed(_)
            | Outcome::Sealed(_)
            | Outcome::Aborted(_)
            | Outcome::KeyAdopted(_)
            | Outcome::TimeKept,
        ) => None,
        Ok(Outcome::ViewRecorded(index)) => Some(Done::ViewRecorded(index.0)),
        Ok(Outcome::MapChanged(epoch)) => Some(Done::MapChanged(epoch.0)),
        Ok(Outcome::DamageNoted) => Some(Done::DamageNoted(true)),
        Ok(Outcome::MetaAdmitted(member)) => Some(Done::MetaAdmitted(member.into())),
        Ok(Outcome::MetaRetired(member)) => Some(Done::MetaRetired(member.into())),
        Ok(Outcome::LawDone { log_index, record }) => Some(Done::LawDone(proto::LawDone {
            log_index: log_index.0,
            kind: record.as_ref().map(|it| it.record.kind().name().to_owned()),
            id: record.as_ref().map(|it| it.record.id().to_owned()),
            version: record.as_ref().map_or(0, |it| it.version),
        })),
        Ok(Outcome::BackupRecorded(index)) => Some(Done::BackupRecorded(index.0)),
        Err(refusal) => Some(Done::Refused(proto::RememberedRefusal {
            kind: refusal.kind.name().to_owned(),
            rule: refusal.rule.name().to_owned(),
            field: refusal.field.clone(),
            reason: refusal.reason.clone(),
        })),
    }
}

fn decode(kv: &impl KvRead, bytes: &[u8]) -> Result<RememberedRequest, DecodeError> {
    const M: &str = "RememberedRequest";
    let stored: proto::RememberedRequest = parse(M, bytes)?;
    let done = match need(M, "done", stored.done)? {
        Done::ViewRecorded(index) => Ok(Outcome::ViewRecorded(LogIndex(index))),
        Done::MapChanged(epoch) => Ok(Outcome::MapChanged(Epoch(epoch))),
        Done::DamageNoted(_) => Ok(Outcome::DamageNoted),
        Done::MetaAdmitted(member) => Ok(Outcome::MetaAdmitted(member.try_into()?)),
        Done::MetaRetired(member) => Ok(Outcome::MetaRetired(member.try_into()?)),
        Done::LawDone(it) => Ok(Outcome::LawDone {
            log_index: LogIndex(it.log_index),
            record: match (it.kind, it.id) {
                // What ended since is not told again.
                (Some(kind), Some(id)) => {
                    let kind = need(M, "kind", RecordKind::from_name(&kind))?;
                    law_record::version(kv, kind, &id, it.version).map(Box::new)
                }
                _ => None,
            },
        }),
        Done::BackupRecorded(index) => Ok(Outcome::BackupRecorded(LogIndex(index))),
        Done::Refused(refusal) => Err(refusal_of(refusal)?),
    };
    Ok(RememberedRequest { digest: fixed(M, "request_digest", &stored.request_digest)?, done })
}

fn refusal_of(stored: proto::RememberedRefusal) -> Result<Refusal, DecodeError> {
    const M: &str = "RememberedRefusal";
    Ok(Refusal {
        kind: need(M, "kind", ErrorKind::from_name(&stored.kind))?,
        rule: need(M, "rule", Rule::from_name(&stored.rule))?,
        field: stored.field,
        reason: stored.reason,
    })
}

fn key(request_id: &[u8; 16]) -> Vec<u8> {
    [&[prefix::REQUEST][..], request_id].concat()
}

fn order_key(number: u64) -> Vec<u8> {
    [&[prefix::REQUEST_ORDER][..], &number.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryKv;

    const HOUR_MS: i64 = 3_600_000;

    fn at(time_ms: i64) -> Clock {
        Clock::starting_at(Timestamp::from_millis(time_ms))
    }

    fn note(kv: &mut MemoryKv, clock: &mut Clock, number: u8) {
        let done = Ok(Outcome::ViewRecorded(LogIndex(number.into())));
        remember(kv, clock, &[number; 16], || [number; 32], &done);
    }

    fn remembered(kv: &MemoryKv) -> Vec<u8> {
        (0..=u8::MAX).filter(|number| load(kv, &[*number; 16]).is_some()).collect()
    }

    #[test]
    fn i10_a_request_is_forgotten_a_day_later_when_the_next_ones_come() {
        let (mut kv, mut clock) = (MemoryKv::new(), at(0));
        for number in 0..10 {
            note(&mut kv, &mut clock, number);
        }
        clock.time = Timestamp::from_millis(24 * HOUR_MS - 1);
        note(&mut kv, &mut clock, 10);
        assert_eq!(remembered(&kv), (0..=10).collect::<Vec<_>>());
        clock.time = Timestamp::from_millis(24 * HOUR_MS);
        note(&mut kv, &mut clock, 11);
        assert_eq!(remembered(&kv), (4..=11).collect::<Vec<_>>(), "four at once");
        note(&mut kv, &mut clock, 12);
        note(&mut kv, &mut clock, 13);
        assert_eq!(remembered(&kv), (10..=13).collect::<Vec<_>>());
        assert_eq!(clock.remembered, 10..14);
        assert_eq!(kv.len(), 8, "two keys each");
    }

    #[test]
    fn i10_no_more_requests_are_remembered_than_the_limit() {
        let (mut kv, mut clock) = (MemoryKv::new(), at(0));
        for number in 0..3 {
            note(&mut kv, &mut clock, number);
        }
        // As if the memory were full; only its oldest are looked at.
        clock.remembered.end = REQUEST_MEMORY_ITEMS_MAX;
        note(&mut kv, &mut clock, 3);
        assert_eq!(remembered(&kv), [1, 2, 3]);
        note(&mut kv, &mut clock, 4);
        assert_eq!(remembered(&kv), [2, 3, 4]);
        assert_eq!(clock.remembered, 2..REQUEST_MEMORY_ITEMS_MAX + 2);
    }
}
