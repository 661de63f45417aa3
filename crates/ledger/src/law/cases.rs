//! Cases: opened, changed, moved from stage to stage, closed, archived, opened again.

use custos_core::{
    Act, Refusal, Role, Rule, Stage,
    law::{Case, CaseState, ClassifyCase, OpenCase, Party, Record, ReopenCase, UpdateCase},
};

use super::{
    acting::{
        Acting, CASE_BYTES_MAX, ID_BYTES_MAX, TITLE_BYTES_MAX, active_unit, check_count, check_id,
        check_not_archived, check_optional, check_reason, check_said, find_case, find_person,
        is_within, known_case, top_of,
    },
    case_report, classify, registers,
    rights::Right,
};
use crate::{Kv, KvRead, Outcome};

/// Most officers of a case.
const OFFICERS_MAX: usize = 32;
/// Most parties of a case.
const PARTIES_MAX: usize = 64;
/// Certified officers without whom a case does not leave its first stage (rule R7).
const OFFICERS_MIN: usize = 2;

pub(super) fn open(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &OpenCase,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::RunCase, Some(&asked.unit))?;
    check_id("case", &asked.case, CASE_BYTES_MAX)?;
    if find_case(kv, &asked.case).is_some() {
        let reason = format!("there is a case {} already", asked.case);
        return Err(Refusal::refused(Rule::R26, "case", reason));
    }
    active_unit(kv, "unit", &asked.unit)?;
    check_optional("title", asked.title.as_deref(), TITLE_BYTES_MAX)?;
    check_optional("place", asked.place.as_deref(), TITLE_BYTES_MAX)?;
    check_officers(kv, "officers", &asked.officers, &asked.unit)?;
    check_parties(&asked.parties)?;
    check_custodian(kv, &asked.custodian, &asked.unit)?;
    if asked.classification > acting.who.clearance() {
        return Err(classify::above_clearance(acting, "classification"));
    }
    let stages = acting.policy.stages_of(asked.act_type);
    let case = Case {
        id: asked.case.clone(),
        act_type: asked.act_type,
        unit: asked.unit.clone(),
        title: asked.title.clone(),
        place: asked.place.clone(),
        officers: asked.officers.clone(),
        parties: asked.parties.clone(),
        custodian: asked.custodian.clone(),
        classification: asked.classification,
        lower_to: None,
        lower_asked: None,
        stage: stages.first().copied().unwrap_or(Stage::Initiation),
        state: CaseState::Open,
        opened_at: acting.now,
        closed_at: None,
        archive_due: None,
        archived_at: None,
        reason: None,
    };
    let detail = format!("case {}: {} of {}", case.id, case.act_type, case.unit);
    Ok(acting.done(kv, Act::CaseOpened, None, detail, Record::Case(case)))
}

pub(super) fn update(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &UpdateCase,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::RunCase, &asked.case)?;
    check_not_archived(&case, "case")?;
    check_reason(&asked.reason)?;
    check_optional("title", asked.title.as_deref(), TITLE_BYTES_MAX)?;
    check_optional("place", asked.place.as_deref(), TITLE_BYTES_MAX)?;
    let before = case.clone();
    if let Some(custodian) = &asked.custodian {
        check_custodian(kv, custodian, &case.unit)?;
        case.custodian.clone_from(custodian);
    }
    case.title = asked.title.clone().or(case.title);
    case.place = asked.place.clone().or(case.place);
    change_officers(kv, acting, &mut case, asked)?;
    check_parties(&asked.add_parties)?;
    case.parties.extend(asked.add_parties.iter().cloned());
    check_count("add_parties", case.parties.len(), PARTIES_MAX)?;
    if case == before {
        let reason = "nothing would change";
        return Err(Refusal::refused(Rule::R26, "case", reason));
    }
    case.reason = Some(asked.reason.clone());
    let detail = format!("case {} changed: {}", case.id, asked.reason);
    Ok(acting.done(kv, Act::CaseChanged, None, detail, Record::Case(case)))
}

/// A case on which somebody acts, who has the right to and the clearance.
fn open_to(kv: &impl KvRead, acting: &Acting<'_>, right: Right, id: &str) -> Result<Case, Refusal> {
    let case = known_case(kv, id)?;
    acting.who.check(kv, right, Some(&case.unit))?;
    acting.who.check_cleared(case.classification)?;
    Ok(case)
}

fn change_officers(
    kv: &impl KvRead,
    acting: &Acting<'_>,
    case: &mut Case,
    asked: &UpdateCase,
) -> Result<(), Refusal> {
    check_officers(kv, "officers", &asked.add_officers, &case.unit)?;
    for officer in &asked.add_officers {
        if case.officers.contains(officer) {
            let reason = format!("{officer} is an officer of it already");
            return Err(Refusal::refused(Rule::R7, "officers", reason));
        }
        case.officers.push(officer.clone());
    }
    for officer in &asked.remove_officers {
        if asked.add_officers.contains(officer) {
            let reason = format!("{officer} is both added and removed");
            return Err(Refusal::refused(Rule::R7, "officers", reason));
        }
        let Some(place) = case.officers.iter().position(|one| one == officer) else {
            let reason = format!("{officer} is no officer of it");
            return Err(Refusal::refused(Rule::R7, "officers", reason));
        };
        case.officers.remove(place);
    }
    check_count("officers", case.officers.len(), OFFICERS_MAX)?;
    let is_past_first = Some(&case.stage) != acting.policy.stages_of(case.act_type).first();
    if !asked.remove_officers.is_empty()
        && is_past_first
        && certified(kv, &case.officers) < OFFICERS_MIN
    {
        let reason = format!("fewer than {OFFICERS_MIN} certified officers would be left");
        return Err(Refusal::refused(Rule::R7, "remove_officers", reason));
    }
    Ok(())
}

pub(super) fn r#move(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    stage: Stage,
    reason: Option<&str>,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::RunCase, id)?;
    check_state(&case, &[CaseState::Open])?;
    check_optional("reason", reason, super::acting::REASON_BYTES_MAX)?;
    let stages = acting.policy.stages_of(case.act_type);
    let refused = |rule, field, reason: String| Err(Refusal::refused(rule, field, reason));
    if stage == Stage::Archiving {
        let reason = "a case comes to archiving by being closed".to_owned();
        return refused(Rule::R13, "stage", reason);
    }
    let Some(to) = stages.iter().position(|one| *one == stage) else {
        return refused(Rule::R1, "stage", format!("a {} has no stage {stage}", case.act_type));
    };
    // A policy may have taken the stage away that the case is at: then any stage is ahead.
    let from = stages.iter().position(|one| *one == case.stage);
    match from {
        Some(from) if to == from => {
            return refused(Rule::R1, "stage", format!("the case is at {stage} already"));
        }
        Some(from) if to > from + 1 => {
            let next = stages[from + 1];
            return refused(Rule::R1, "stage", format!("{next} comes next, then {stage}"));
        }
        Some(from) if to < from && reason.is_none() => {
            let reason = "going back needs a reason".to_owned();
            return refused(Rule::R26, "reason", reason);
        }
        _ => {}
    }
    if from.is_none_or(|from| from == 0) {
        check_two_officers(kv, &case)?;
    }
    let detail = match reason {
        Some(reason) => format!("case {} from {} to {stage}: {reason}", case.id, case.stage),
        None => format!("case {} from {} to {stage}", case.id, case.stage),
    };
    case.stage = stage;
    case.reason = reason.map(str::to_owned);
    Ok(acting.done(kv, Act::CaseChanged, None, detail, Record::Case(case)))
}

pub(super) fn close(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::RunCase, id)?;
    check_state(&case, &[CaseState::Open])?;
    check_reason(reason)?;
    check_two_officers(kv, &case)?;
    let due = acting.now.plus_days(acting.policy.archive_days);
    case.stage = Stage::Archiving;
    case.state = CaseState::Closed;
    case.closed_at = Some(acting.now);
    case.archive_due = Some(due);
    case.reason = Some(reason.to_owned());
    let detail = format!("case {} closed, to be filed by {due}: {reason}", case.id);
    Ok(acting.done(kv, Act::CaseClosed, None, detail, Record::Case(case)))
}

pub(super) fn archive(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    id: &str,
    despite: Option<&str>,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::Archive, id)?;
    check_state(&case, &[CaseState::Closed])?;
    check_optional("despite", despite, super::acting::REASON_BYTES_MAX)?;
    let lacks = case_report::lacks(kv, &acting.policy, &case);
    if let (Some(rule), None) = (lacks.rule(), despite) {
        let reason = format!("say why it is archived although {}", lacks.lines().join("; "));
        return Err(Refusal::refused(rule, "despite", reason));
    }
    case.state = CaseState::Archived;
    case.archived_at = Some(acting.now);
    case.reason = despite.map(str::to_owned);
    let mut detail = format!("case {} archived", case.id);
    if case.archive_due.is_some_and(|due| due < acting.now) {
        detail.push_str(" late");
    }
    if let Some(despite) = despite {
        detail.push_str(&format!(", lacks {}: {despite}", lacks.lines().join("; ")));
    }
    Ok(acting.done(kv, Act::CaseArchived, None, detail, Record::Case(case)))
}

pub(super) fn reopen(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &ReopenCase,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::Reopen, &asked.case)?;
    check_state(&case, &[CaseState::Closed, CaseState::Archived])?;
    check_reason(&asked.reason)?;
    let has_stage = acting.policy.stages_of(case.act_type).contains(&asked.stage);
    if !has_stage || asked.stage == Stage::Archiving {
        let reason = format!("a {} cannot go on at {}", case.act_type, asked.stage);
        return Err(Refusal::refused(Rule::R1, "stage", reason));
    }
    case.stage = asked.stage;
    case.state = CaseState::Open;
    case.archive_due = None;
    case.reason = Some(asked.reason.clone());
    let detail = format!("case {} opened again at {}: {}", case.id, asked.stage, asked.reason);
    Ok(acting.done(kv, Act::CaseReopened, None, detail, Record::Case(case)))
}

pub(super) fn classify(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    asked: &ClassifyCase,
) -> Result<Outcome, Refusal> {
    let mut case = open_to(kv, acting, Right::Classify, &asked.case)?;
    check_reason(&asked.reason)?;
    let held = classify::Held {
        classification: &mut case.classification,
        lower_to: &mut case.lower_to,
        lower_asked: &mut case.lower_asked,
    };
    let said = classify::classify(kv, acting, held, asked.to, Some(&case.unit), &asked.reason)?;
    case.reason = Some(asked.reason.clone());
    let detail = format!("case {}: {said}: {}", case.id, asked.reason);
    Ok(acting.done(kv, Act::Classified, None, detail, Record::Case(case)))
}

fn check_state(case: &Case, allowed: &[CaseState]) -> Result<(), Refusal> {
    if allowed.contains(&case.state) {
        return Ok(());
    }
    let reason = format!("case {} is {}", case.id, case.state);
    Err(Refusal::refused(Rule::R13, "case", reason))
}

/// Every officer is on the register, of the same agency.
fn check_officers(
    kv: &impl KvRead,
    field: &str,
    officers: &[String],
    unit: &str,
) -> Result<(), Refusal> {
    check_count(field, officers.len(), OFFICERS_MAX)?;
    for (place, officer) in officers.iter().enumerate() {
        let refused = |reason: String| Err(Refusal::refused(Rule::R7, field, reason));
        if officers[..place].contains(officer) {
            return refused(format!("{officer} is named twice"));
        }
        match registers::holder_of(kv, officer) {
            Some(person) if person.active && person.role == Role::Officer => {
                if top_of(kv, &person.unit) != top_of(kv, unit) {
                    return refused(format!("{officer} is of another agency"));
                }
            }
            _ => return refused(format!("{officer:?} is no certificate of an active officer")),
        }
    }
    Ok(())
}

fn certified(kv: &impl KvRead, officers: &[String]) -> usize {
    let is_active = |officer: &&String| {
        registers::holder_of(kv, officer)
            .is_some_and(|person| person.active && person.role == Role::Officer)
    };
    officers.iter().filter(is_active).count()
}

fn check_two_officers(kv: &impl KvRead, case: &Case) -> Result<(), Refusal> {
    let count = certified(kv, &case.officers);
    if count >= OFFICERS_MIN {
        return Ok(());
    }
    let reason = format!("{count} certified officers, {OFFICERS_MIN} are needed to go on");
    Err(Refusal::refused(Rule::R7, "officers", reason))
}

fn check_parties(parties: &[Party]) -> Result<(), Refusal> {
    check_count("parties", parties.len(), PARTIES_MAX)?;
    for party in parties {
        check_said(Rule::R26, "parties", &party.name, TITLE_BYTES_MAX)?;
        check_said(Rule::R26, "parties", &party.role, ID_BYTES_MAX)?;
    }
    Ok(())
}

fn check_custodian(kv: &impl KvRead, custodian: &str, unit: &str) -> Result<(), Refusal> {
    let found = find_person(kv, custodian);
    let fits = found.is_some_and(|person| {
        person.active && person.role == Role::Custodian && is_within(kv, unit, &person.unit)
    });
    if fits {
        return Ok(());
    }
    let reason = format!("{custodian:?} is no active custodian who reaches unit {unit}");
    Err(Refusal::refused(Rule::R26, "custodian", reason))
}
