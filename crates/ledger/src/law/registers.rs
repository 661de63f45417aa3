//! Units, persons, recorders and stations.

use custos_core::{
    Act, Refusal, Role, Rule,
    law::{Person, Record, Recorder, Station, Unit},
};

use super::{
    acting::{
        Acting, ID_BYTES_MAX, TITLE_BYTES_MAX, UNIT_LEVELS_MAX, active_unit, check_id,
        check_optional, check_said, find_person, find_recorder, find_unit, line_of,
    },
    rights::Right,
};
use crate::{
    Kv, KvRead, Outcome,
    stored::law_index::{self, Order},
};

pub(super) fn set_unit(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    unit: &Unit,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Register, None)?;
    check_id("id", &unit.id, ID_BYTES_MAX)?;
    check_said(Rule::R26, "title", &unit.title, TITLE_BYTES_MAX)?;
    match find_unit(kv, &unit.id) {
        Some(before) if before.parent != unit.parent => {
            let reason = "a unit stays where it is in the tree";
            return Err(Refusal::refused(Rule::R26, "parent", reason));
        }
        Some(_) => {}
        None => {
            if let Some(parent) = &unit.parent {
                active_unit(kv, "parent", parent)?;
                if line_of(kv, parent).len() >= UNIT_LEVELS_MAX {
                    let reason = format!("units have at most {UNIT_LEVELS_MAX} levels");
                    return Err(Refusal::refused(Rule::I10, "parent", reason));
                }
            }
        }
    }
    let detail = format!("unit {}: {}{}", unit.id, unit.title, in_use(unit.active));
    Ok(acting.done(kv, Act::RegisterChanged, None, detail, Record::Unit(unit.clone())))
}

pub(super) fn set_person(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    person: &Person,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Register, None)?;
    check_id("id", &person.id, ID_BYTES_MAX)?;
    check_optional("title", person.title.as_deref(), TITLE_BYTES_MAX)?;
    if !person.role.is_person() {
        let reason = format!("{} is not a role of a person", person.role);
        return Err(Refusal::refused(Rule::R26, "role", reason));
    }
    if acting.who.person.as_ref().is_some_and(|own| own.id == person.id) {
        let reason = "nobody changes what is on record of oneself";
        return Err(Refusal::refused(Rule::I8, "person", reason));
    }
    active_unit(kv, "unit", &person.unit)?;
    check_certificate(kv, person)?;
    let Person { id, role, unit, clearance, .. } = person;
    let detail =
        format!("person {id}: {role} of {unit}, clearance {clearance}{}", in_use(person.active));
    Ok(acting.done(kv, Act::RegisterChanged, None, detail, Record::Person(person.clone())))
}

fn check_certificate(kv: &impl KvRead, person: &Person) -> Result<(), Refusal> {
    const FIELD: &str = "certificate_no";
    match (&person.certificate_no, person.role) {
        (None, Role::Officer) => {
            let reason = "an officer has a certificate number";
            return Err(Refusal::refused(Rule::R7, FIELD, reason));
        }
        (Some(_), Role::Auxiliary) => {
            let reason = "an auxiliary has no law-enforcement certificate";
            return Err(Refusal::refused(Rule::R7, FIELD, reason));
        }
        (None, _) => return Ok(()),
        (Some(number), _) => check_id(FIELD, number, ID_BYTES_MAX)?,
    }
    let number = person.certificate_no.as_deref().unwrap_or_default();
    let holders = law_index::all(kv, &Order::Certificate(number));
    match holders.into_iter().find(|holder| *holder != person.id) {
        None => Ok(()),
        Some(holder) => {
            let reason = format!("certificate {number} is that of {holder}");
            Err(Refusal::refused(Rule::R26, FIELD, reason))
        }
    }
}

/// The person who has a certificate number.
pub(super) fn holder_of(kv: &impl KvRead, certificate_no: &str) -> Option<Person> {
    let holders = law_index::all(kv, &Order::Certificate(certificate_no));
    holders.first().and_then(|id| find_person(kv, id))
}

pub(super) fn set_recorder(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    recorder: &Recorder,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Issue, Some(&recorder.unit))?;
    if let Some(before) = find_recorder(kv, &recorder.id) {
        acting.who.check(kv, Right::Issue, Some(&before.unit))?;
    }
    check_id("id", &recorder.id, ID_BYTES_MAX)?;
    check_optional("model", recorder.model.as_deref(), TITLE_BYTES_MAX)?;
    active_unit(kv, "unit", &recorder.unit)?;
    if let Some(key) = &recorder.signing_key
        && !(key.len() == 64 && key.bytes().all(|c| c.is_ascii_hexdigit()))
    {
        let reason = "an Ed25519 key is 64 hexadecimal digits";
        return Err(Refusal::refused(Rule::R6, "signing_key", reason));
    }
    if let Some(holder) = &recorder.issued_to
        && !find_person(kv, holder).is_some_and(|person| person.active)
    {
        let reason = format!("{holder:?} is no active person on the register");
        return Err(Refusal::refused(Rule::R26, "issued_to", reason));
    }
    let holder = recorder.issued_to.as_deref().unwrap_or("nobody");
    let detail = format!(
        "recorder {} of {}, issued to {holder}{}",
        recorder.id,
        recorder.unit,
        in_use(recorder.active)
    );
    Ok(acting.done(kv, Act::RegisterChanged, None, detail, Record::Recorder(recorder.clone())))
}

pub(super) fn set_station(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    station: &Station,
) -> Result<Outcome, Refusal> {
    acting.who.check(kv, Right::Register, None)?;
    check_id("id", &station.id, ID_BYTES_MAX)?;
    active_unit(kv, "unit", &station.unit)?;
    let detail = format!("station {} of {}{}", station.id, station.unit, in_use(station.active));
    Ok(acting.done(kv, Act::RegisterChanged, None, detail, Record::Station(station.clone())))
}

fn in_use(active: bool) -> &'static str {
    if active { "" } else { ", out of use" }
}
