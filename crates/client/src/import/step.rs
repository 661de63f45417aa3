//! What a planned line changes of the record that stands.

use custos_core::law::{
    Case, LawCommand, OpenCase, Party, Person, Record, Recorder, Station, Unit, UpdateCase,
};

use super::{Fault, Planned};

/// What is to be done about one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The record is not there: this makes it.
    Add(LawCommand),
    /// The record says otherwise: this changes it.
    Change {
        /// Does it.
        command: LawCommand,
        /// Columns that differ.
        columns: Vec<&'static str>,
    },
    /// The record says the same.
    Same,
    /// The record says otherwise, and no command changes that.
    Cannot(Fault),
}

macro_rules! differing {
    ($standing:expr, $wanted:expr, $($field:ident),+) => {{
        let mut columns: Vec<&'static str> = Vec::new();
        $(if $standing.$field != $wanted.$field {
            columns.push(stringify!($field));
        })+
        columns
    }};
}

/// Compares a line with the record of its kind and id as it stands. `reason` is why a case is
/// changed.
#[must_use]
pub fn step(planned: &Planned, standing: Option<&Record>, reason: &str) -> Step {
    let Some(standing) = standing else { return Step::Add(planned.command.clone()) };
    let columns = match (&planned.command, standing) {
        (LawCommand::SetUnit(set), Record::Unit(unit)) => {
            if unit.parent != set.unit.parent {
                return moved_unit(planned.line, unit);
            }
            unit_columns(unit, &set.unit)
        }
        (LawCommand::SetPerson(set), Record::Person(it)) => person_columns(it, &set.person),
        (LawCommand::SetRecorder(set), Record::Recorder(it)) => recorder_columns(it, &set.recorder),
        (LawCommand::SetStation(set), Record::Station(it)) => station_columns(it, &set.station),
        (LawCommand::OpenCase(open), Record::Case(it)) => {
            return case_step(planned.line, open, it, reason);
        }
        (_, other) => {
            let reason = format!("the record that stands is a {}", other.kind());
            return Step::Cannot(Fault::new(planned.line, Some("id"), reason));
        }
    };
    match columns.is_empty() {
        true => Step::Same,
        false => Step::Change { command: planned.command.clone(), columns },
    }
}

fn unit_columns(standing: &Unit, wanted: &Unit) -> Vec<&'static str> {
    differing!(standing, wanted, title, active)
}

fn moved_unit(line: u64, standing: &Unit) -> Step {
    let stands = match &standing.parent {
        Some(parent) => format!("the unit is in {parent}"),
        None => "the unit is an agency".to_owned(),
    };
    Step::Cannot(Fault::new(line, Some("parent"), format!("{stands}, and that never changes")))
}

fn person_columns(standing: &Person, wanted: &Person) -> Vec<&'static str> {
    differing!(standing, wanted, title, role, unit, certificate_no, clearance, active)
}

fn recorder_columns(standing: &Recorder, wanted: &Recorder) -> Vec<&'static str> {
    differing!(standing, wanted, model, unit, signing_key, issued_to, active)
}

fn station_columns(standing: &Station, wanted: &Station) -> Vec<&'static str> {
    differing!(standing, wanted, unit, active)
}

/// A case that stands is changed as far as a case can be: by name of what is not.
fn case_step(line: u64, wanted: &OpenCase, standing: &Case, reason: &str) -> Step {
    let cannot = |column, reason: String| Step::Cannot(Fault::new(line, Some(column), reason));
    let fixed = differing!(standing, wanted, act_type, unit, classification);
    if let Some(column) = fixed.first() {
        let stands = match *column {
            "act_type" => standing.act_type.to_string(),
            "unit" => standing.unit.clone(),
            _ => standing.classification.to_string(),
        };
        return cannot(column, format!("the case is {stands}, which an import does not change"));
    }
    for (column, old, new) in
        [("title", &standing.title, &wanted.title), ("place", &standing.place, &wanted.place)]
    {
        if old.is_some() && new.is_none() {
            return cannot(column, "the case has one, which cannot be taken away".to_owned());
        }
    }
    let gone = lacking(&standing.parties, &wanted.parties);
    if let Some(Party { name, role }) = gone.first() {
        return cannot("parties", format!("{name}={role} is on record and cannot be taken away"));
    }
    let mut columns = differing!(standing, wanted, title, place, custodian);
    let add_officers = lacking(&wanted.officers, &standing.officers);
    let remove_officers = lacking(&standing.officers, &wanted.officers);
    let add_parties = lacking(&wanted.parties, &standing.parties);
    if !add_officers.is_empty() || !remove_officers.is_empty() {
        columns.push("officers");
    }
    if !add_parties.is_empty() {
        columns.push("parties");
    }
    if columns.is_empty() {
        return Step::Same;
    }
    let changed =
        |column, value: &Option<String>| value.clone().filter(|_| columns.contains(&column));
    let command = UpdateCase {
        case: wanted.case.clone(),
        title: changed("title", &wanted.title),
        place: changed("place", &wanted.place),
        custodian: changed("custodian", &Some(wanted.custodian.clone())),
        add_officers,
        remove_officers,
        add_parties,
        reason: reason.to_owned(),
    };
    Step::Change { command: command.into(), columns }
}

/// What of `these` is not among `those`, each once.
fn lacking<T: Clone + PartialEq>(these: &[T], those: &[T]) -> Vec<T> {
    let mut lacking = Vec::new();
    for it in these {
        if !those.contains(it) && !lacking.contains(it) {
            lacking.push(it.clone());
        }
    }
    lacking
}
