//! Holds: named reasons why evidence is kept whatever its retention says (rule R11).

use custos_core::{
    Act, Refusal, Role, Rule,
    law::{EvidenceFilter, Hold, HoldReason, PlaceHold, Record, RecordKind},
};

use super::{
    acting::{
        Acting, REASON_BYTES_MAX, TITLE_BYTES_MAX, active_unit, check_optional, check_reason,
        filing_of, find_hold, known, known_case, sealed,
    },
    filing::check_not_ending,
    keeping::FILTER_HOLDS_MAX,
    rights::Right,
};
use crate::{
    Kv, KvRead, Outcome,
    stored::{
        law_index::{self, Order},
        law_record,
    },
};

/// Latest review of a hold after it was placed: 3,660 days.
const REVIEW_DAYS_MAX: u32 = 3660;

pub(super) fn place(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &PlaceHold,
) -> Result<Outcome, Refusal> {
    let unit = check_target(kv, acting, &asked.target)?;
    check_optional("text", asked.text.as_deref(), REASON_BYTES_MAX)?;
    check_optional("reference", asked.reference.as_deref(), TITLE_BYTES_MAX)?;
    if asked.reason == HoldReason::Other && asked.text.is_none() {
        let reason = "another reason than those of the rule must be named";
        return Err(Refusal::refused(Rule::R11, "text", reason));
    }
    let review_at =
        asked.review_at.unwrap_or_else(|| acting.now.plus_days(acting.policy.hold_review_days));
    if review_at <= acting.now || review_at > acting.now.plus_days(REVIEW_DAYS_MAX) {
        let reason = format!("{review_at} is not within the next {REVIEW_DAYS_MAX} days");
        return Err(Refusal::refused(Rule::R11, "review_at", reason));
    }
    let id = law_record::next_id(kv, RecordKind::Hold);
    let hold = Hold {
        id: id.clone(),
        reason: asked.reason,
        text: asked.text.clone(),
        reference: asked.reference.clone(),
        target: asked.target.clone(),
        unit: unit.or_else(|| acting.who.unit.clone()),
        placed: acting.sign(asked.reason.name()),
        review_at,
        release_asked: None,
        released: None,
    };
    let mut detail = format!("hold {id}: {}", asked.reason);
    if let Some(text) = &asked.text {
        detail.push_str(&format!(", {text}"));
    }
    Ok(acting.done(kv, Act::HoldPlaced, asked.target.evidence, detail, Record::Hold(hold)))
}

/// What a hold names is there and within reach; gives the unit that it belongs to.
fn check_target(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    target: &EvidenceFilter,
) -> Result<Option<String>, Refusal> {
    acting.who.check(kv, Right::Hold, acting.who.unit.as_deref())?;
    if target.is_empty() {
        return Err(Refusal::refused(Rule::R11, "target", "names nothing"));
    }
    if let (Some(from), Some(until)) = (target.from, target.until)
        && until <= from
    {
        let reason = format!("{until} is not after {from}: nothing is between them");
        return Err(Refusal::refused(Rule::R11, "target", reason));
    }
    let texts = [
        &target.recording,
        &target.case,
        &target.unit,
        &target.recorder,
        &target.officer,
        &target.place,
    ];
    for text in texts {
        check_optional("target", text.as_deref(), TITLE_BYTES_MAX)?;
    }
    let mut unit = None;
    if let Some(named) = &target.unit {
        active_unit(kv, "target", named).or_else(|refusal| match refusal.kind {
            custos_core::ErrorKind::NotFound => Err(refusal),
            // What is out of use is held all the same.
            _ => super::acting::known(
                super::acting::find_unit(kv, named),
                Rule::R11,
                "target",
                RecordKind::Unit,
                named,
            ),
        })?;
        acting.who.check(kv, Right::Hold, Some(named))?;
        unit = Some(named.clone());
    }
    if let Some(case) = &target.case {
        let case = known_case(kv, case)?;
        acting.who.check(kv, Right::Hold, Some(&case.unit))?;
        unit = Some(case.unit);
    }
    if let Some(id) = target.evidence {
        let record = sealed(kv, id)?;
        let filing = filing_of(kv, &record);
        acting.who.check(kv, Right::Hold, filing.unit.as_deref())?;
        // Removal may have begun: a hold would promise what nobody can keep.
        check_not_ending(&filing)?;
        unit = filing.unit.or(unit);
    }
    let by_filter =
        target.evidence.is_none() && target.case.is_none() && target.recording.is_none();
    if by_filter && law_index::all(kv, &Order::HoldsByFilter).len() >= FILTER_HOLDS_MAX {
        let reason = format!("{FILTER_HOLDS_MAX} holds on what is searched for stand already");
        return Err(Refusal::refused(Rule::I10, "target", reason));
    }
    Ok(unit)
}

pub(super) fn release(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut hold = known(find_hold(kv, id), Rule::R11, "hold", RecordKind::Hold, id)?;
    acting.who.check(kv, Right::Release, hold.unit.as_deref())?;
    check_reason(reason)?;
    if let Some(released) = &hold.released {
        let reason = format!("hold {id} was released by {}", released.by);
        return Err(Refusal::refused(Rule::R11, "hold", reason));
    }
    if hold.placed.role == Role::Auditor && acting.who.role() != Role::Auditor {
        let reason = format!("an auditor placed hold {id}: an auditor releases it");
        return Err(Refusal::refused(Rule::R11, "actor", reason));
    }
    let by_two = acting.policy.release_by_two.contains(&hold.reason);
    let evidence = hold.target.evidence;
    match &hold.release_asked {
        None if by_two => {
            hold.release_asked = Some(acting.sign(reason));
            let detail =
                format!("hold {id}: release asked for, somebody else must agree: {reason}");
            Ok(acting.done(kv, Act::HoldReleaseAsked, evidence, detail, Record::Hold(hold)))
        }
        Some(asked) if asked.by == acting.who.name() => {
            let reason = format!("{} has asked for it: somebody else must agree", asked.by);
            Err(Refusal::refused(Rule::I8, "actor", reason))
        }
        _ => {
            hold.released = Some(acting.sign(reason));
            let detail = format!("hold {id} released: {reason}");
            Ok(acting.done(kv, Act::HoldReleased, evidence, detail, Record::Hold(hold)))
        }
    }
}
