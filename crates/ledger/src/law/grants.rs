//! Grants: applied for, answered by somebody else, used within their bounds, taken back (rules R18,
//! R19, R20, R27). Who may look at evidence without one is decided here too.

use std::ops::Range;

use custos_core::{
    Act, EvidenceId, EvidenceRecord, Refusal, Role, Rule,
    law::{
        ApplyForGrant, DecideGrant, Filing, Grant, GrantScope, GrantState, Record, RecordKind,
        Versioned,
    },
};

use super::{
    acting::{
        Acting, ID_BYTES_MAX, REASON_BYTES_MAX, TITLE_BYTES_MAX, check_optional, check_reason,
        check_said, effective_classification, filing_of, find_case, find_grant, find_person, known,
        known_case, sealed,
    },
    filing::check_not_ending,
    reading::is_own,
    rights::Right,
};
use crate::{
    Kv, KvRead, Outcome,
    stored::{
        law_index::{self, Order},
        law_record,
    },
};

/// Most evidence items of one grant.
const ITEMS_MAX: usize = 64;
/// Most uses of a grant.
const USES_MAX: u32 = 1000;

pub(super) fn apply(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &ApplyForGrant,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Apply, acting.who.unit.as_deref())?;
    check_said(Rule::R18, "purpose", &asked.purpose, REASON_BYTES_MAX)?;
    if let Some(outside) = &asked.outside {
        check_said(Rule::R26, "outside", &outside.name, TITLE_BYTES_MAX)?;
        check_said(Rule::R26, "outside", &outside.standing, ID_BYTES_MAX)?;
        check_optional("outside", outside.contact.as_deref(), TITLE_BYTES_MAX)?;
    }
    let unit = check_subject(kv, acting, asked)?;
    let id = law_record::next_id(kv, RecordKind::Grant);
    let grant = Grant {
        id: id.clone(),
        holder: acting.who.name().to_owned(),
        outside: asked.outside.clone(),
        scope: asked.scope,
        evidence: asked.evidence.clone(),
        case: asked.case.clone(),
        range: asked.range,
        purpose: asked.purpose.clone(),
        unit,
        applied: acting.sign(&asked.purpose),
        answer_due: acting.now.plus_days(acting.policy.answer_days),
        state: GrantState::Applied,
        decided: None,
        revoked: None,
        valid_until: None,
        uses_max: 0,
        uses: 0,
    };
    let what = match &asked.case {
        Some(case) => format!("case {case}"),
        None => format!("{} items", asked.evidence.len()),
    };
    let detail = format!("grant {id}: {} of {what}: {}", asked.scope, asked.purpose);
    let about = only(&asked.evidence);
    Ok(acting.done(kv, Act::GrantApplied, about, detail, Record::Grant(grant)))
}

/// The evidence that a grant is about, if it is about one item.
fn only(evidence: &[EvidenceId]) -> Option<EvidenceId> {
    match evidence {
        [one] => Some(*one),
        _ => None,
    }
}

/// What is applied for is there, of one agency, the applicant's; gives the unit that it belongs to.
fn check_subject(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    asked: &ApplyForGrant,
) -> Result<Option<String>, Refusal> {
    let refused = |field: &str, reason: String| Err(Refusal::refused(Rule::R18, field, reason));
    if asked.evidence.is_empty() == asked.case.is_none() {
        return refused("evidence", "name evidence or a case, one of them".to_owned());
    }
    if asked.evidence.len() > ITEMS_MAX {
        let count = asked.evidence.len();
        return refused("evidence", format!("{count} items, at most {ITEMS_MAX} are allowed"));
    }
    if let Some(range) = asked.range {
        let [id] = asked.evidence[..] else {
            return refused("range", "a range is one of a single item".to_owned());
        };
        let size = sealed(kv, id)?.parts.size;
        if range.start >= range.end || range.end > size {
            let reason = format!("{}..{} is not within {size} bytes", range.start, range.end);
            return refused("range", reason);
        }
    }
    if let Some(case) = &asked.case {
        let case = known_case(kv, case)?;
        acting.who.check_agency(kv, "case", Some(&case.unit))?;
        return Ok(Some(case.unit));
    }
    let mut units: Vec<Option<String>> = Vec::new();
    for id in &asked.evidence {
        let record = sealed(kv, *id)?;
        let unit = filing_of(kv, &record).unit;
        acting.who.check_agency(kv, "evidence", unit.as_deref())?;
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    match &units[..] {
        [one] => Ok(one.clone()),
        _ => {
            let reason = "the items belong to several units: apply for each unit's alone";
            Err(Refusal::refused(Rule::R23, "evidence", reason))
        }
    }
}

pub(super) fn decide(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &DecideGrant,
) -> Result<Outcome, Refusal> {
    let id = &asked.grant;
    let mut grant = known(find_grant(kv, id), Rule::R18, "grant", RecordKind::Grant, id)?;
    acting.who.check(kv, Right::Decide, grant.unit.as_deref())?;
    check_reason(&asked.reason)?;
    if grant.state != GrantState::Applied {
        let reason = format!("grant {id} is {} already", grant.state);
        return Err(Refusal::refused(Rule::R18, "grant", reason));
    }
    if grant.applied.by == acting.who.name() {
        let reason = "nobody answers an application of one's own";
        return Err(Refusal::refused(Rule::I8, "actor", reason));
    }
    grant.decided = Some(acting.sign(&asked.reason));
    let about = only(&grant.evidence);
    if !asked.approve {
        grant.state = GrantState::Refused;
        let detail = format!("grant {id} not agreed to: {}", asked.reason);
        return Ok(acting.done(kv, Act::GrantRefused, about, detail, Record::Grant(grant)));
    }
    check_cleared(kv, acting, &grant)?;
    let latest = acting.now.plus_days(acting.policy.grant_days_max);
    let until = asked.valid_until.unwrap_or(latest);
    if until <= acting.now || until > latest {
        let reason = format!("{until} is not between now and {latest}");
        return Err(Refusal::refused(Rule::R18, "valid_until", reason));
    }
    if asked.uses_max > USES_MAX {
        let reason = format!("{} uses, at most {USES_MAX} are allowed", asked.uses_max);
        return Err(Refusal::refused(Rule::I10, "uses_max", reason));
    }
    grant.uses_max = if asked.uses_max == 0 { USES_MAX } else { asked.uses_max };
    grant.valid_until = Some(until);
    grant.state = GrantState::Approved;
    let detail = format!("grant {id} agreed to until {until}: {}", asked.reason);
    Ok(acting.done(kv, Act::GrantApproved, about, detail, Record::Grant(grant)))
}

/// Who decides about evidence must be cleared for it.
fn check_cleared(kv: &impl KvRead, acting: &Acting<'_>, grant: &Grant) -> Result<(), Refusal> {
    let mut highest =
        grant.case.as_deref().and_then(|case| find_case(kv, case)).map(|case| case.classification);
    for id in &grant.evidence {
        let record = sealed(kv, *id)?;
        highest = highest.max(Some(effective_classification(kv, &filing_of(kv, &record))));
    }
    highest.map_or(Ok(()), |highest| acting.who.check_cleared(highest))
}

pub(super) fn revoke(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut grant = known(find_grant(kv, id), Rule::R18, "grant", RecordKind::Grant, id)?;
    if !is_holder(acting, &grant) {
        acting.who.check(kv, Right::Revoke, grant.unit.as_deref())?;
    }
    check_reason(reason)?;
    if matches!(grant.state, GrantState::Refused | GrantState::Revoked) {
        let reason = format!("grant {id} is {} already", grant.state);
        return Err(Refusal::refused(Rule::R18, "grant", reason));
    }
    grant.state = GrantState::Revoked;
    grant.revoked = Some(acting.sign(reason));
    let about = only(&grant.evidence);
    let detail = format!("grant {id} taken back: {reason}");
    Ok(acting.done(kv, Act::GrantRevoked, about, detail, Record::Grant(grant)))
}

/// What is asked for of evidence.
pub(super) struct Use<'a> {
    pub(super) range: &'a Range<u64>,
    pub(super) scope: GrantScope,
    pub(super) grant: Option<&'a str>,
}

/// Judges whether the actor may have the bytes, and counts the use of the grant that it is under.
pub(super) fn check_use(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    record: &EvidenceRecord,
    asked: &Use<'_>,
) -> Result<(), Refusal> {
    let filing = filing_of(kv, record);
    check_not_ending(&filing)
        .map_err(|refusal| Refusal { field: "evidence_id".into(), ..refusal })?;
    acting.who.check_cleared(effective_classification(kv, &filing))?;
    match asked.grant {
        Some(id) => use_grant(kv, acting, record, &filing, asked, id),
        None => check_ungranted(kv, acting, record, &filing, asked.scope),
    }
}

fn check_ungranted(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    record: &EvidenceRecord,
    filing: &Filing,
    scope: GrantScope,
) -> Result<(), Refusal> {
    if acting.who.role() == Role::Developer {
        return Ok(());
    }
    if scope != GrantScope::View {
        let reason = "the head of the unit must have agreed: apply for a grant";
        return Err(Refusal::refused(Rule::R18, "grant", reason));
    }
    if is_own(kv, &acting.who, record, filing) {
        return Ok(());
    }
    if matches!(acting.who.role(), Role::Officer | Role::Auxiliary) {
        let reason = format!("{} may view only what is of the own work", acting.who.name());
        return Err(Refusal::refused(Rule::R23, "unit", reason));
    }
    acting.who.check(kv, Right::View, filing.unit.as_deref())
}

/// Whether the actor is who applied. As everywhere in the law, name and role make an actor.
fn is_holder(acting: &Acting<'_>, grant: &Grant) -> bool {
    grant.holder == acting.who.name() && grant.applied.role == acting.who.role()
}

/// Whoever streams for the holder may see all; the holder may not, and nothing at all once the
/// holder may not act any more.
fn check_holder(kv: &impl KvRead, grant: &Grant, filing: &Filing) -> Result<(), Refusal> {
    let role = grant.applied.role;
    if !role.is_person() {
        return Ok(());
    }
    let holder = find_person(kv, &grant.holder).filter(|it| it.active && it.role == role);
    let Some(holder) = holder else {
        let reason =
            format!("{} ({role}), who holds grant {}, may not act", grant.holder, grant.id);
        return Err(Refusal::refused(Rule::R18, "grant", reason));
    };
    let classification = effective_classification(kv, filing);
    if classification <= holder.clearance {
        return Ok(());
    }
    let reason = format!("it is above the clearance of {}", grant.holder);
    Err(Refusal::refused(Rule::R19, "clearance", reason))
}

fn use_grant(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    record: &EvidenceRecord,
    filing: &Filing,
    asked: &Use<'_>,
    id: &str,
) -> Result<(), Refusal> {
    let refused = |reason: String| Err(Refusal::refused(Rule::R18, "grant", reason));
    let found = law_record::load(kv, RecordKind::Grant, id);
    let Some(Versioned { record: Record::Grant(grant), .. }) = &found else {
        return Err(Refusal::not_found(Rule::R18, "grant", format!("there is no grant {id:?}")));
    };
    if !is_holder(acting, grant) && acting.who.role() != Role::Playback {
        return refused(format!("grant {id} is somebody else's"));
    }
    check_holder(kv, grant, filing)?;
    if grant.state != GrantState::Approved {
        return refused(format!("grant {id} is {}", grant.state));
    }
    if grant.valid_until.is_none_or(|until| acting.now >= until) {
        return refused(format!("the time of grant {id} is over"));
    }
    if grant.uses >= grant.uses_max {
        return refused(format!("grant {id} was used {} times, as often as it may", grant.uses));
    }
    let covers = match &grant.case {
        Some(case) => filing.case.as_ref() == Some(case),
        None => grant.evidence.contains(&record.evidence_id),
    };
    if !covers {
        return refused(format!("grant {id} is for other evidence"));
    }
    if asked.scope > grant.scope {
        return refused(format!("grant {id} is to {}, not to {}", grant.scope, asked.scope));
    }
    if let Some(span) = grant.range
        && (asked.range.start < span.start || asked.range.end > span.end)
    {
        let reason = format!("grant {id} is for bytes {}..{}", span.start, span.end);
        return Err(Refusal::refused(Rule::R18, "range", reason));
    }
    if asked.scope == GrantScope::Original
        && law_index::all(kv, &Order::CopiesOf(record.evidence_id)).is_empty()
    {
        let reason = "a copy must be made and registered before the original goes out";
        return Err(Refusal::refused(Rule::R20, "grant", reason));
    }
    let mut used = found.expect("matched above");
    if let Record::Grant(grant) = &mut used.record {
        grant.uses += 1;
    }
    law_record::save_in_place(kv, &used);
    Ok(())
}
