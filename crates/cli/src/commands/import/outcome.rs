use std::path::Path;

use custos_client::{
    ClientError,
    import::{Fault, ImportKind, Planned},
};
use custos_core::LogIndex;

use super::table_file::ImportError;
use crate::{
    args::ImportArgs,
    error::CliError,
    json::{ImportLineObject, ImportSummaryObject},
    output::{Console, OutputFormat},
    printable,
};

/// What became of one line; without an entry of the custody log, what would.
#[derive(Debug)]
pub(super) enum Outcome {
    Added(Option<LogIndex>),
    Changed { columns: Vec<&'static str>, entry: Option<LogIndex> },
    Same,
    Cannot(Fault),
    Refused(ClientError),
}

/// Says what becomes of each line, and counts.
pub(super) struct Outcomes<'a> {
    console: &'a Console,
    kind: ImportKind,
    file: &'a Path,
    summary: ImportSummaryObject,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(args: &'a ImportArgs, console: &'a Console) -> Self {
        let summary = ImportSummaryObject {
            file: args.file.display().to_string(),
            dry_run: args.dry_run,
            ..ImportSummaryObject::default()
        };
        Self { console, kind: args.kind, file: &args.file, summary }
    }

    /// Names everything that is wrong with the file: nothing of it is done.
    pub(super) fn bad(mut self, faults: &[Fault]) -> Result<(), CliError> {
        let mut last = None;
        for fault in faults {
            // A line may have several.
            if last.replace(fault.line) != Some(fault.line) {
                self.summary.bad += 1;
            }
            self.print(
                &ImportLineObject {
                    column: fault.column.as_deref(),
                    reason: Some(&fault.reason),
                    ..self.object(fault.line, None, "bad")
                },
                Some(fault.to_string()),
            )?;
        }
        self.summary()?;
        Err(ImportError::Faulty { path: self.file.to_owned(), faults: faults.len() }.into())
    }

    /// Says what became of a line.
    pub(super) fn take(&mut self, planned: &Planned, outcome: Outcome) -> Result<(), CliError> {
        let counted = match &outcome {
            Outcome::Added(_) => &mut self.summary.added,
            Outcome::Changed { .. } => &mut self.summary.changed,
            Outcome::Same => &mut self.summary.same,
            Outcome::Cannot(_) | Outcome::Refused(_) => &mut self.summary.refused,
        };
        *counted += 1;
        let (line, id) = (planned.line, planned.id.as_str());
        let named = format!("{} {id}", self.kind.record_kind());
        let would = if self.summary.dry_run { "would be " } else { "" };
        let object = |outcome| self.object(line, Some(id), outcome);
        match outcome {
            Outcome::Added(entry) => self.print(
                &ImportLineObject { log_index: entry.map(|it| it.0), ..object("added") },
                Some(format!("line {line}: {named}: {would}added{}", entry_text(entry))),
            ),
            Outcome::Changed { columns, entry } => {
                let text = format!(
                    "line {line}: {named}: {would}changed: {}{}",
                    columns.join(", "),
                    entry_text(entry)
                );
                let log_index = entry.map(|it| it.0);
                let object = ImportLineObject { columns, log_index, ..object("changed") };
                self.print(&object, Some(text))
            }
            // There may be thousands.
            Outcome::Same => self.print(&object("same"), None),
            Outcome::Cannot(fault) => self.print(
                &ImportLineObject {
                    column: fault.column.as_deref(),
                    reason: Some(&fault.reason),
                    ..object("refused")
                },
                Some(format!(
                    "line {line}: {named}: {would}refused: {}{}",
                    fault.column.as_ref().map(|it| format!("{it}: ")).unwrap_or_default(),
                    fault.reason
                )),
            ),
            Outcome::Refused(error) => {
                let reason = error.to_string();
                let text = format!("line {line}: {named}: {reason}");
                let object = ImportLineObject {
                    column: error.field(),
                    rule: error.rule().map(|rule| rule.name()),
                    reason: Some(&reason),
                    ..object("refused")
                };
                self.print(&object, Some(text))
            }
        }
    }

    /// Says how many lines were done, and fails if some were not.
    pub(super) fn finish(self) -> Result<(), CliError> {
        self.summary()?;
        let ImportSummaryObject { added, changed, same, refused, dry_run, .. } = self.summary;
        if refused == 0 {
            return Ok(());
        }
        let total = added + changed + same + refused;
        let path = self.file.to_owned();
        Err(ImportError::Refused { path, refused, total, is_dry: dry_run }.into())
    }

    /// Says how many lines were done so far.
    pub(super) fn summary(&self) -> Result<(), CliError> {
        match self.console.format() {
            OutputFormat::Json => self.console.object(&self.summary),
            OutputFormat::Human if self.summary.bad > 0 => Ok(()),
            OutputFormat::Human => {
                let ImportSummaryObject { added, changed, same, refused, .. } = self.summary;
                let would = if self.summary.dry_run { "would be " } else { "" };
                let line = format!(
                    "{}: {added} {would}added, {changed} {would}changed, {same} as they are, \
                     {refused} {would}refused",
                    self.summary.file
                );
                self.console.lines([printable::line(&line)])
            }
        }
    }

    fn object<'o>(
        &self,
        line: u64,
        id: Option<&'o str>,
        outcome: &'static str,
    ) -> ImportLineObject<'o> {
        ImportLineObject {
            line,
            kind: self.kind.record_kind().name(),
            id,
            outcome,
            columns: Vec::new(),
            column: None,
            rule: None,
            reason: None,
            log_index: None,
        }
    }

    fn print(&self, object: &ImportLineObject<'_>, text: Option<String>) -> Result<(), CliError> {
        let printed = match (self.console.format(), text) {
            (OutputFormat::Json, _) => self.console.object(object),
            (OutputFormat::Human, Some(text)) => self.console.lines([printable::line(&text)]),
            (OutputFormat::Human, None) => Ok(()),
        };
        match printed {
            // Nobody reads what is done; the other lines are still to be done.
            Err(CliError::StdoutClosed) if !self.summary.dry_run => Ok(()),
            printed => printed,
        }
    }
}

fn entry_text(entry: Option<LogIndex>) -> String {
    entry.map(|entry| format!("; custody entry {entry}")).unwrap_or_default()
}
