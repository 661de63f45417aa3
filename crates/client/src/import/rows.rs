//! Lines as commands.

use std::{collections::HashMap, str::FromStr};

use custos_core::{
    UnknownName,
    law::{
        Classification, LawCommand, OpenCase, Party, Person, RecordKind, Recorder, SetPerson,
        SetRecorder, SetStation, SetUnit, Station, Unit,
    },
};

use super::{
    Fault, ImportKind, Planned, Reference,
    sheet::{Cells, Sheet},
};

/// Between the entries of a list.
const SEPARATOR: char = ';';

pub(super) fn commands(kind: ImportKind, sheet: &Sheet, faults: &mut Vec<Fault>) -> Vec<Planned> {
    let mut lines_by_id: HashMap<&str, u64> = HashMap::new();
    let mut commands = Vec::new();
    for cells in sheet.lines() {
        let (line, id) = (cells.line(), cells.text("id"));
        if let Some(column) = cells.with_control_character() {
            let reason =
                "has an end of line or another control character; a quote may not be closed";
            faults.push(Fault::new(line, Some(column), reason));
            continue;
        }
        let mut row = Row { cells, faults, references: Vec::new() };
        let command = row.command(kind);
        let references = row.references;
        if let Some(first) = lines_by_id.get(id).filter(|_| !id.is_empty()) {
            faults.push(Fault::new(line, Some("id"), format!("{id} is on line {first} already")));
            continue;
        }
        lines_by_id.insert(id, line);
        if let Some(command) = command {
            commands.push(Planned { line, id: id.to_owned(), command, references });
        }
    }
    commands
}

/// Reads the cells of one line; what is wrong is named, and `None`.
struct Row<'s, 'f> {
    cells: Cells<'s>,
    faults: &'f mut Vec<Fault>,
    references: Vec<Reference>,
}

impl Row<'_, '_> {
    fn command(&mut self, kind: ImportKind) -> Option<LawCommand> {
        match kind {
            ImportKind::Units => self.unit().map(|unit| SetUnit { unit }.into()),
            ImportKind::Persons => self.person().map(|person| SetPerson { person }.into()),
            ImportKind::Recorders => {
                self.recorder().map(|recorder| SetRecorder { recorder }.into())
            }
            ImportKind::Stations => self.station().map(|station| SetStation { station }.into()),
            ImportKind::Cases => self.case().map(LawCommand::from),
        }
    }

    // Every cell is read before the first that is wrong ends it.

    fn unit(&mut self) -> Option<Unit> {
        let (id, title) = (self.text("id"), self.text("title"));
        let parent = self.optional("parent");
        self.refer("parent", RecordKind::Unit);
        let active = self.active();
        Some(Unit { id: id?, title: title?, parent, active: active? })
    }

    fn person(&mut self) -> Option<Person> {
        let (id, title) = (self.text("id"), self.optional("title"));
        let (role, unit) = (self.name("role"), self.unit_id());
        let certificate_no = self.optional("certificate_no");
        let (clearance, active) = (self.classification("clearance"), self.active());
        Some(Person {
            id: id?,
            title,
            role: role?,
            unit: unit?,
            certificate_no,
            clearance: clearance?,
            active: active?,
        })
    }

    fn recorder(&mut self) -> Option<Recorder> {
        let (id, model, unit) = (self.text("id"), self.optional("model"), self.unit_id());
        let (signing_key, issued_to) = (self.optional("signing_key"), self.optional("issued_to"));
        self.refer("issued_to", RecordKind::Person);
        let active = self.active();
        Some(Recorder { id: id?, model, unit: unit?, signing_key, issued_to, active: active? })
    }

    fn station(&mut self) -> Option<Station> {
        let (id, unit, active) = (self.text("id"), self.unit_id(), self.active());
        Some(Station { id: id?, unit: unit?, active: active? })
    }

    fn case(&mut self) -> Option<OpenCase> {
        let (case, act_type, unit) = (self.text("id"), self.name("act_type"), self.unit_id());
        let (title, place) = (self.optional("title"), self.optional("place"));
        let (officers, parties) = (self.list("officers"), self.parties());
        let custodian = self.text("custodian");
        self.refer("custodian", RecordKind::Person);
        let classification = self.classification("classification");
        Some(OpenCase {
            case: case?,
            act_type: act_type?,
            unit: unit?,
            title,
            place,
            officers: officers?,
            parties: parties?,
            custodian: custodian?,
            classification: classification?,
        })
    }

    fn fault(&mut self, column: &'static str, reason: impl Into<String>) {
        self.faults.push(Fault::new(self.cells.line(), Some(column), reason));
    }

    fn refer(&mut self, column: &'static str, kind: RecordKind) {
        if let Some(id) = self.optional(column) {
            self.references.push(Reference { column, kind, id });
        }
    }

    fn optional(&self, column: &'static str) -> Option<String> {
        Some(self.cells.text(column)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn text(&mut self, column: &'static str) -> Option<String> {
        let text = self.optional(column);
        if text.is_none() {
            self.fault(column, "is empty");
        }
        text
    }

    fn unit_id(&mut self) -> Option<String> {
        self.refer("unit", RecordKind::Unit);
        self.text("unit")
    }

    fn name<T: FromStr<Err = UnknownName>>(&mut self, column: &'static str) -> Option<T> {
        let name = self.text(column)?;
        name.parse().map_err(|error: UnknownName| self.fault(column, error.to_string())).ok()
    }

    fn classification(&mut self, column: &'static str) -> Option<Classification> {
        match self.cells.text(column).is_empty() {
            true => Some(Classification::Ordinary),
            false => self.name(column),
        }
    }

    fn active(&mut self) -> Option<bool> {
        let text = self.cells.text("active");
        match text.to_ascii_lowercase().as_str() {
            "" | "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => {
                let text: String = text.chars().take(80).collect();
                self.fault("active", format!("{text:?} is not one of yes, no, true, false"));
                None
            }
        }
    }

    fn list(&mut self, column: &'static str) -> Option<Vec<String>> {
        let text = self.cells.text(column);
        if text.is_empty() {
            return Some(Vec::new());
        }
        let entries: Vec<String> =
            text.split(SEPARATOR).map(|entry| entry.trim().to_owned()).collect();
        if entries.iter().any(String::is_empty) {
            self.fault(column, format!("has an empty entry; entries are separated by {SEPARATOR}"));
            return None;
        }
        Some(entries)
    }

    fn parties(&mut self) -> Option<Vec<Party>> {
        let entries = self.list("parties")?;
        let mut parties = Vec::new();
        for entry in entries {
            let (name, role) = entry.rsplit_once('=').unwrap_or_default();
            let (name, role) = (name.trim(), role.trim());
            if name.is_empty() || role.is_empty() {
                let entry: String = entry.chars().take(80).collect();
                self.fault("parties", format!("{entry:?} is not name=role"));
                return None;
            }
            parties.push(Party { name: name.to_owned(), role: role.to_owned() });
        }
        Some(parties)
    }
}
