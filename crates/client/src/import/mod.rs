//! Registers and cases from tables that people keep: CSV files (RFC 4180).
//!
//! [`plan`] reads a whole file and names everything that is wrong with it, line by line; [`step`]
//! compares one planned line with the record that stands, so that a file that is imported again
//! does nothing. Neither talks to the store: whether a command is lawful is the ledger's to judge.
//!
//! # Files
//!
//! UTF-8, with or without a byte order mark, any ends of line, separated by commas. The first line
//! names the columns, in any order: those of the records, all of them, and no others.
//!
//! | kind | columns |
//! | --- | --- |
//! | units | id, title, parent, active |
//! | persons | id, title, role, unit, certificate_no, clearance, active |
//! | recorders | id, model, unit, signing_key, issued_to, active |
//! | stations | id, unit, active |
//! | cases | id, act_type, unit, title, place, officers, parties, custodian, classification |
//!
//! Space around a text is no part of it. Every line says all of its record: an empty cell is a
//! field without a value, for `active` it is yes, for `clearance` and `classification` it is
//! ordinary. Officers and parties are separated by `;`, a party is `name=role`. A line without any
//! text is skipped. Units may stand in any order: the plan has parents first.

mod order;
mod rows;
mod sheet;
mod step;

use std::{fmt, str::FromStr};

use custos_core::{
    UnknownName,
    law::{LawCommand, RecordKind},
};
use serde::Serialize;

use sheet::Sheet;

pub use step::{Step, step};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportKind {
    /// Agencies and their departments.
    Units,
    /// Persons.
    Persons,
    /// Recorders.
    Recorders,
    /// Collection stations.
    Stations,
    /// Cases that are under way.
    Cases,
}

impl ImportKind {
    /// Every kind, in the order in which an agency imports them.
    pub const ALL: &[Self] =
        &[Self::Units, Self::Persons, Self::Recorders, Self::Stations, Self::Cases];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Units => "units",
            Self::Persons => "persons",
            Self::Recorders => "recorders",
            Self::Stations => "stations",
            Self::Cases => "cases",
        }
    }

    /// What each line is about.
    #[must_use]
    pub fn record_kind(self) -> RecordKind {
        match self {
            Self::Units => RecordKind::Unit,
            Self::Persons => RecordKind::Person,
            Self::Recorders => RecordKind::Recorder,
            Self::Stations => RecordKind::Station,
            Self::Cases => RecordKind::Case,
        }
    }

    /// Names of the columns, as the records name their fields.
    #[must_use]
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Units => &["id", "title", "parent", "active"],
            Self::Persons => {
                &["id", "title", "role", "unit", "certificate_no", "clearance", "active"]
            }
            Self::Recorders => &["id", "model", "unit", "signing_key", "issued_to", "active"],
            Self::Stations => &["id", "unit", "active"],
            Self::Cases => &[
                "id",
                "act_type",
                "unit",
                "title",
                "place",
                "officers",
                "parties",
                "custodian",
                "classification",
            ],
        }
    }
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ImportKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|kind| kind.name() == text).ok_or_else(|| UnknownName {
            given: text.chars().take(80).collect(),
            known: names(Self::ALL.iter().map(|kind| kind.name())),
        })
    }
}

/// What is to be done about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// A command for every good line, in the order in which they are to be done: that of the file,
    /// but for units, whose parents come first. Complete only if there are no faults.
    pub commands: Vec<Planned>,
    /// Everything that is wrong, in order of line.
    pub faults: Vec<Fault>,
}

/// One line of a file as a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// Id of the record.
    pub id: String,
    /// What makes the record as the line says it, where it is not there.
    pub command: LawCommand,
    /// Other records that must be there, by column.
    pub references: Vec<Reference>,
}

/// A record that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The column.
    pub column: &'static str,
    /// What is named.
    pub kind: RecordKind,
    /// Its id.
    pub id: String,
}

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong and what would be right, one line without a full stop.
    pub reason: String,
}

impl Fault {
    fn new(line: u64, column: Option<&str>, reason: impl Into<String>) -> Self {
        Self { line, column: column.map(str::to_owned), reason: reason.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

/// Reads a file. Every fault of every line is named, not only the first.
#[must_use]
pub fn plan(kind: ImportKind, text: &str) -> Plan {
    let mut faults = Vec::new();
    let Some(sheet) = Sheet::read(kind.columns(), text, &mut faults) else {
        return Plan { commands: Vec::new(), faults };
    };
    let mut commands = rows::commands(kind, &sheet, &mut faults);
    if kind == ImportKind::Units {
        commands = order::parents_first(commands, &mut faults);
    }
    faults.sort_by_key(|fault| fault.line);
    Plan { commands, faults }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
