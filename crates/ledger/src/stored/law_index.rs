//! Orders in which records of the law are looked up: `0x72 ‖ order (u8) ‖ … ‖ id` → id. Times in
//! keys are big-endian with the sign bit flipped, so that they sort.
//!
//! - 1, certificate number ‖ 00: persons.
//! - 2, due time: closed cases whose papers are not filed.
//! - 3, review time: holds that stand.
//! - 4, evidence id; 5, case ‖ 00; 6, recording ‖ 00; 7: holds that stand, by the narrowest thing
//!   that they name.
//! - 8, due time: applications without an answer.
//! - 9: dispositions that are neither done nor stopped.
//! - 10, evidence id: dispositions that are under way.
//! - 11: evidence that is filed under no case; the values are empty.
//! - 12, evidence id: copies.

use custos_core::{
    EvidenceId, Timestamp,
    law::{CaseState, DispositionState, EvidenceFilter, GrantState, Record},
};

use super::prefix;
use crate::{Kv, KvRead};

/// An order with its first part.
pub(crate) enum Order<'a> {
    Certificate(&'a str),
    ArchiveDue,
    HoldReview,
    HoldsOfEvidence(EvidenceId),
    HoldsOfCase(&'a str),
    HoldsOfRecording(&'a str),
    HoldsByFilter,
    Waiting,
    Pending,
    DispositionOf(EvidenceId),
    Unfiled,
    CopiesOf(EvidenceId),
}

impl Order<'_> {
    fn start(&self) -> Vec<u8> {
        let text = |order: u8, text: &str| {
            [&[prefix::LAW_INDEX, order][..], text.as_bytes(), &[0]].concat()
        };
        let evidence =
            |order: u8, id: &EvidenceId| [&[prefix::LAW_INDEX, order][..], id.as_bytes()].concat();
        match self {
            Self::Certificate(number) => text(1, number),
            Self::ArchiveDue => vec![prefix::LAW_INDEX, 2],
            Self::HoldReview => vec![prefix::LAW_INDEX, 3],
            Self::HoldsOfEvidence(id) => evidence(4, id),
            Self::HoldsOfCase(case) => text(5, case),
            Self::HoldsOfRecording(recording) => text(6, recording),
            Self::HoldsByFilter => vec![prefix::LAW_INDEX, 7],
            Self::Waiting => vec![prefix::LAW_INDEX, 8],
            Self::Pending => vec![prefix::LAW_INDEX, 9],
            Self::DispositionOf(id) => evidence(10, id),
            Self::Unfiled => vec![prefix::LAW_INDEX, 11],
            Self::CopiesOf(id) => evidence(12, id),
        }
    }
}

/// Up to `limit` ids in an order, after the position `after`, each with its position.
pub(crate) fn page(
    kv: &impl KvRead,
    order: &Order<'_>,
    after: Option<&[u8]>,
    limit: usize,
) -> Vec<(Vec<u8>, String)> {
    let begin = order.start();
    let end = [&begin[..], &[0xff; 32]].concat();
    let start = after.map_or_else(|| begin.clone(), |after| [&begin[..], after, &[0]].concat());
    let found = kv.scan(&start, &end, limit);
    let place = |(key, id): (Vec<u8>, Vec<u8>)| {
        (key[begin.len()..].to_vec(), String::from_utf8(id).expect("an id was stored as text"))
    };
    found.into_iter().map(place).collect()
}

/// Every id in an order. Only for orders with a named limit.
pub(crate) fn all(kv: &impl KvRead, order: &Order<'_>) -> Vec<String> {
    page(kv, order, None, usize::MAX).into_iter().map(|(_, id)| id).collect()
}

/// The time at the head of a position in an order by time.
pub(crate) fn time_of(position: &[u8]) -> Option<Timestamp> {
    let bytes = position.first_chunk::<8>()?;
    let sortable = u64::from_be_bytes(*bytes);
    Some(Timestamp::from_millis((sortable ^ (1 << 63)).cast_signed()))
}

/// Enters evidence among what is filed under no case, or takes it out.
pub(crate) fn set_unfiled(kv: &mut impl Kv, id: EvidenceId, unfiled: bool) {
    let key = [&Order::Unfiled.start()[..], id.as_bytes()].concat();
    if unfiled {
        kv.put(&key, Vec::new());
    } else {
        kv.delete(&key);
    }
}

/// Moves a record from the orders that it was in to those that it is in now.
pub(super) fn replace(kv: &mut impl Kv, before: Option<&Record>, now: Option<&Record>) {
    let (old, new) = (before.map_or_else(Vec::new, keys), now.map_or_else(Vec::new, keys));
    for key in old.iter().filter(|key| !new.contains(key)) {
        kv.delete(key);
    }
    if let Some(now) = now {
        for key in new.iter().filter(|key| !old.contains(key)) {
            kv.put(key, now.id().as_bytes().to_vec());
        }
    }
}

fn keys(record: &Record) -> Vec<Vec<u8>> {
    let at = |order: Order<'_>, time: Timestamp, id: &str| {
        let sortable = time.as_millis().cast_unsigned() ^ (1 << 63);
        [&order.start()[..], &sortable.to_be_bytes(), &shortlex(id)].concat()
    };
    let under = |order: Order<'_>, id: &str| [&order.start()[..], &shortlex(id)].concat();
    match record {
        Record::Person(person) => {
            let number = person.certificate_no.as_deref();
            number.map(|number| under(Order::Certificate(number), &person.id)).into_iter().collect()
        }
        Record::Case(case) => match (case.state, case.archive_due) {
            (CaseState::Closed, Some(due)) => vec![at(Order::ArchiveDue, due, &case.id)],
            _ => Vec::new(),
        },
        Record::Hold(hold) if hold.released.is_none() => vec![
            at(Order::HoldReview, hold.review_at, &hold.id),
            under(narrowest(&hold.target), &hold.id),
        ],
        Record::Grant(grant) if grant.state == GrantState::Applied => {
            vec![at(Order::Waiting, grant.answer_due, &grant.id)]
        }
        Record::Disposition(it) => match it.state {
            DispositionState::Done | DispositionState::Stopped => Vec::new(),
            DispositionState::Proposed | DispositionState::Approved | DispositionState::Ordered => {
                let struck = |id: &&EvidenceId| it.struck.iter().any(|one| one.evidence == **id);
                let items = it.evidence.iter().filter(|id| !struck(id) && !it.ended.contains(id));
                let mut keys = vec![under(Order::Pending, &it.id)];
                keys.extend(items.map(|id| under(Order::DispositionOf(*id), &it.id)));
                keys
            }
        },
        Record::Copy(copy) => vec![under(Order::CopiesOf(copy.evidence), &copy.id)],
        Record::Hold(_)
        | Record::Grant(_)
        | Record::Unit(_)
        | Record::Recorder(_)
        | Record::Station(_)
        | Record::Filing(_)
        | Record::Note(_)
        | Record::Relation(_)
        | Record::Policy(_) => Vec::new(),
    }
}

/// The order of a hold's target: whoever asks what holds an item looks into those of the item
/// alone, and into the last.
fn narrowest(target: &EvidenceFilter) -> Order<'_> {
    match target {
        EvidenceFilter { evidence: Some(id), .. } => Order::HoldsOfEvidence(*id),
        EvidenceFilter { recording: Some(recording), .. } => Order::HoldsOfRecording(recording),
        EvidenceFilter { case: Some(case), .. } => Order::HoldsOfCase(case),
        _ => Order::HoldsByFilter,
    }
}

/// An id after its length, so that numbers sort as such.
fn shortlex(id: &str) -> Vec<u8> {
    let len = u8::try_from(id.len()).unwrap_or(u8::MAX);
    [&[len][..], id.as_bytes()].concat()
}
