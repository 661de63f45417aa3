use custos_core::{
    LogIndex,
    law::{LawCommand, RecordKind, Versioned},
};

use super::Session;
use crate::{
    error::CliError,
    json::ActObject,
    output::OutputFormat,
    printable,
    records::{self, state},
    table,
};

impl Session<'_> {
    /// Does an act and says what it left behind.
    pub(super) async fn act(self, command: impl Into<LawCommand>) -> Result<(), CliError> {
        let (entry, record) = self.client.act(command).await?;
        match record {
            Some(record) => self.tell(&record),
            None => self.tell_entry(entry, "done"),
        }
    }

    /// Says how a record stands after an act.
    pub(super) fn tell(self, record: &Versioned) -> Result<(), CliError> {
        match self.console.format() {
            OutputFormat::Json => self.console.object(record),
            OutputFormat::Human => self.console.lines([line(record)]),
        }
    }

    /// Says that an act without a record was done.
    pub(super) fn tell_entry(self, entry: LogIndex, what: &str) -> Result<(), CliError> {
        match self.console.format() {
            OutputFormat::Json => self.console.object(&ActObject { log_index: entry.0 }),
            OutputFormat::Human => self.console.lines([format!("{what}; custody entry {entry}")]),
        }
    }

    /// Shows one record field by field.
    pub(super) async fn show(self, kind: RecordKind, id: &str) -> Result<(), CliError> {
        let record = self.client.record(kind, id).await?;
        match self.console.format() {
            OutputFormat::Json => self.console.object(&record),
            OutputFormat::Human => self.console.lines(table::fields("", &records::fields(&record))),
        }
    }
}

/// One line about a record: `hold H1: stands …; custody entry 17`.
pub(super) fn line(record: &Versioned) -> String {
    let (kind, id) = (record.record.kind(), record.record.id());
    let name = if kind == RecordKind::Policy {
        format!("policy version {}", record.version)
    } else {
        format!("{kind} {id}")
    };
    let state = state(&record.record);
    printable::line(&format!("{name}: {state}; custody entry {}", record.log_index))
}
