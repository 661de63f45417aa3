//! The lawful end of evidence (rules R10, R11, invariants I3, I8): proposed, agreed to by two, left
//! time to be stopped, ordered, carried out, recorded.

use custos_core::{
    Act, EvidenceId, EvidenceRecord, Refusal, Rule,
    law::{
        Disposition, DispositionState, Filing, ProposeDisposition, Record, RecordKind, RecordName,
        Struck, Tombstone,
    },
};

use super::{
    acting::{
        Acting, check_reason, effective_classification, filing_of, find_disposition, known, sealed,
    },
    keeping,
    rights::Right,
};
use crate::{
    Kv, KvRead, Outcome, Policy,
    custody::actor_name,
    stored::{
        evidence::{self, EndedEvidence, Life},
        law_index::{self, Order},
        law_record, listing,
    },
};

/// Most evidence items of one disposition.
const ITEMS_MAX: usize = 256;
/// Persons who must agree, beside who proposes.
const APPROVALS: usize = 2;

pub(super) fn propose(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    genesis: &Policy,
    asked: &ProposeDisposition,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Propose, acting.who.unit.as_deref())?;
    check_reason(&asked.reason)?;
    let refused = |rule, reason: String| Err(Refusal::refused(rule, "evidence", reason));
    if !(1..=ITEMS_MAX).contains(&asked.evidence.len()) {
        let reason = format!("{} items, 1 to {ITEMS_MAX} are allowed", asked.evidence.len());
        return refused(Rule::I8, reason);
    }
    let mut unit: Option<Option<String>> = None;
    for (place, id) in asked.evidence.iter().enumerate() {
        if asked.evidence[..place].contains(id) {
            return refused(Rule::I8, format!("{id} is named twice"));
        }
        let record = sealed(kv, *id)?;
        let filing = filing_of(kv, &record);
        acting.who.check(kv, Right::Propose, filing.unit.as_deref())?;
        acting.who.check_cleared(effective_classification(kv, &filing))?;
        if unit.as_ref().is_some_and(|unit| *unit != filing.unit) {
            return refused(Rule::R26, "the items belong to several units".to_owned());
        }
        if let Some(other) = law_index::all(kv, &Order::DispositionOf(*id)).first() {
            return refused(Rule::I3, format!("{id} is under disposition {other} already"));
        }
        if let Some((rule, why)) = keeps(kv, acting, genesis, &record, &filing) {
            return refused(rule, format!("{id} {why}"));
        }
        unit = Some(filing.unit);
    }
    let id = law_record::next_id(kv, RecordKind::Disposition);
    let disposition = Disposition {
        id: id.clone(),
        unit: unit.flatten(),
        evidence: asked.evidence.clone(),
        proposed: acting.sign(&asked.reason),
        approvals: Vec::new(),
        state: DispositionState::Proposed,
        grace_until: None,
        stopped: None,
        ordered_at: None,
        ended: Vec::new(),
        struck: Vec::new(),
    };
    let detail = format!("disposition {id} of {} items: {}", asked.evidence.len(), asked.reason);
    let about = only(&asked.evidence);
    Ok(acting.done(kv, Act::DispositionProposed, about, detail, Record::Disposition(disposition)))
}

/// What keeps evidence from ending now, and by which rule.
fn keeps(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    genesis: &Policy,
    record: &EvidenceRecord,
    filing: &Filing,
) -> Option<(Rule, String)> {
    let (until, why) = keeping::retain_until(kv, genesis, record, filing);
    let retained = (acting.settled < until).then(|| format!("is kept until {until} ({why})"));
    let holds = keeping::holds(kv, record);
    let names: Vec<_> = holds.iter().map(|hold| hold.record.id()).collect();
    if names.is_empty() {
        return retained.map(|why| (Rule::R10, why));
    }
    // What is both is told first of what does not pass by itself.
    let held = format!("is held by {}", names.join(", "));
    Some((Rule::R11, retained.map_or(held.clone(), |why| format!("{held}, and {why}"))))
}

fn only(evidence: &[EvidenceId]) -> Option<EvidenceId> {
    match evidence {
        [one] => Some(*one),
        _ => None,
    }
}

fn open(kv: &impl KvRead, id: &str) -> Result<Disposition, Refusal> {
    known(find_disposition(kv, id), Rule::I3, "disposition", RecordKind::Disposition, id)
}

fn check_state(it: &Disposition, allowed: &[DispositionState]) -> Result<(), Refusal> {
    if allowed.contains(&it.state) {
        return Ok(());
    }
    let reason = format!("disposition {} is {}", it.id, it.state);
    Err(Refusal::refused(Rule::I3, "disposition", reason))
}

pub(super) fn approve(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut it = open(kv, id)?;
    acting.who.check(kv, Right::Approve, it.unit.as_deref())?;
    check_reason(reason)?;
    check_state(&it, &[DispositionState::Proposed])?;
    let refused = |reason: String| Err(Refusal::refused(Rule::I8, "actor", reason));
    if it.proposed.by == acting.who.name() {
        return refused(format!("{} proposed it: somebody else must agree", it.proposed.by));
    }
    if let Some(before) = it.approvals.iter().find(|sign| sign.by == acting.who.name()) {
        return refused(format!("{} has agreed already", before.by));
    }
    if let Some(before) = it.approvals.iter().find(|sign| sign.role == acting.who.role()) {
        return refused(format!("{} of the same role has agreed: another role must", before.by));
    }
    // Nobody agrees to the end of what they may not know.
    for evidence in &it.evidence {
        let filing = filing_of(kv, &sealed(kv, *evidence)?);
        acting.who.check_cleared(effective_classification(kv, &filing))?;
    }
    it.approvals.push(acting.sign(reason));
    let mut detail = format!("disposition {id} agreed to: {reason}");
    if it.approvals.len() >= APPROVALS {
        // From cluster time, judged by settled time: confirming the clock never shortens it.
        let until = acting.now.plus_days(acting.policy.grace_days);
        it.state = DispositionState::Approved;
        it.grace_until = Some(until);
        detail.push_str(&format!("; may be stopped until {until}"));
    }
    let about = only(&it.evidence);
    Ok(acting.done(kv, Act::DispositionApproved, about, detail, Record::Disposition(it)))
}

pub(super) fn stop(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut it = open(kv, id)?;
    acting.who.check(kv, Right::Stop, it.unit.as_deref())?;
    check_reason(reason)?;
    check_state(&it, &[DispositionState::Proposed, DispositionState::Approved])?;
    it.state = DispositionState::Stopped;
    it.stopped = Some(acting.sign(reason));
    let about = only(&it.evidence);
    let detail = format!("disposition {id} stopped: {reason}");
    Ok(acting.done(kv, Act::DispositionStopped, about, detail, Record::Disposition(it)))
}

/// Orders what is approved, item by item. What is kept by then is struck off.
pub(super) fn order(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    genesis: &Policy,
    id: &str,
) -> Result<Outcome, Refusal> {
    let mut it = open(kv, id)?;
    acting.who.check(kv, Right::Order, it.unit.as_deref())?;
    check_state(&it, &[DispositionState::Approved])?;
    if let Some(until) = it.grace_until.filter(|until| acting.settled < *until) {
        let reason = format!("it may be stopped until {until}");
        return Err(Refusal::refused(Rule::I8, "disposition", reason));
    }
    let mut ordered = Vec::new();
    for evidence in it.evidence.clone() {
        let record = sealed(kv, evidence)?;
        let filing = filing_of(kv, &record);
        acting.who.check_cleared(effective_classification(kv, &filing))?;
        match keeps(kv, acting, genesis, &record, &filing) {
            Some((_, why)) => it.struck.push(Struck { evidence, why }),
            None => ordered.push((evidence, filing)),
        }
    }
    let struck = it.struck.len();
    let name = RecordName { kind: RecordKind::Disposition, id: id.to_owned() };
    let detail = format!("disposition {id}: {} items to end, {struck} kept", ordered.len());
    let index =
        acting.enter(kv, Act::DispositionOrdered, None, Some(name.clone()), detail.clone(), 0);
    for (part, (evidence, mut filing)) in (1..).zip(ordered) {
        let detail = format!("to end, by disposition {id}");
        let order = Act::DispositionOrdered;
        let at = acting.enter(kv, order, Some(evidence), Some(name.clone()), detail, part);
        filing.disposition = Some(id.to_owned());
        filing.ordered_at = Some(at);
        let by = actor_name(&acting.envelope.actor);
        law_record::save(kv, Record::Filing(filing), acting.now, by, at);
    }
    it.ordered_at = Some(index);
    it.state = match struck == it.evidence.len() {
        true => DispositionState::Done,
        false => DispositionState::Ordered,
    };
    let by = actor_name(&acting.envelope.actor);
    let saved = law_record::save(kv, Record::Disposition(it), acting.now, by, index);
    Ok(Outcome::LawDone { log_index: index, record: Some(Box::new(saved)) })
}

/// Ends evidence in the ledger: its key, its descriptor and what was written on it go, a tombstone
/// stays.
pub(super) fn record_disposal(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    evidence_id: EvidenceId,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Execute, None)?;
    let mut it = open(kv, id)?;
    check_state(&it, &[DispositionState::Ordered])?;
    let record = sealed(kv, evidence_id)?;
    let filing = filing_of(kv, &record);
    let order_index = match (&filing.disposition, filing.ordered_at) {
        (Some(by), Some(at)) if by == id => at,
        _ => {
            let reason = format!("disposition {id} has not ordered the end of {evidence_id}");
            return Err(Refusal::refused(Rule::I3, "evidence", reason));
        }
    };
    let name = RecordName { kind: RecordKind::Disposition, id: id.to_owned() };
    let detail = format!("ended, by disposition {id} and its order in entry {order_index}");
    let end_index = acting.enter(kv, Act::Disposed, Some(evidence_id), Some(name), detail, 0);
    let classification = effective_classification(kv, &filing);
    listing::leave(kv, evidence_id, &listing_of(&record, &filing));
    law_index::set_unfiled(kv, evidence_id, false);
    let text = evidence_id.to_string();
    law_record::forget(kv, RecordKind::Filing, &text);
    for kind in [RecordKind::Note, RecordKind::Relation] {
        let prefix = format!("{text}/");
        for one in law_record::page(kv, kind, &prefix, None, usize::MAX) {
            law_record::forget(kv, kind, one.record.id());
        }
    }
    let tombstone = Tombstone {
        evidence: evidence_id,
        size: record.parts.size,
        blake3: record.parts.blake3,
        sha256: record.parts.sha256,
        sealed_at: record.sealed_at,
        seal_index: record.seal_index,
        disposition: id.to_owned(),
        order_index,
        ended_at: acting.now,
        end_index,
    };
    let (actor, unit) = (record.actor, filing.unit);
    let ended = EndedEvidence { actor, unit, classification, tombstone };
    evidence::save(kv, evidence_id, &Life::Ended(Box::new(ended)));
    it.ended.push(evidence_id);
    if it.ended.len() + it.struck.len() == it.evidence.len() {
        it.state = DispositionState::Done;
    }
    let by = actor_name(&acting.envelope.actor);
    let saved = law_record::save(kv, Record::Disposition(it), acting.now, by, end_index);
    Ok(Outcome::LawDone { log_index: end_index, record: Some(Box::new(saved)) })
}

/// Every listing that evidence is in.
fn listing_of(record: &EvidenceRecord, filing: &Filing) -> listing::Listed {
    listing::Listed {
        case: filing.case.clone().or_else(|| record.descriptor.case.clone()),
        recording: record.descriptor.recording.clone(),
    }
}
