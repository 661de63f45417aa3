use std::path::PathBuf;

use clap::Args;
use custos_client::import::ImportKind;

use super::law::named;

const HELP: &str = "\
Examples:
  custos import units units.csv --dry-run
  custos import persons persons.csv
  custos import cases cases.csv --reason 'taken over from the old system'
  custos import recorders recorders.csv --json | jq 'select(.outcome == \"refused\")'

Columns, in any order, all of them:
  units      id, title, parent, active
  persons    id, title, role, unit, certificate_no, clearance, active
  recorders  id, model, unit, signing_key, issued_to, active
  stations   id, unit, active
  cases      id, act_type, unit, title, place, officers, parties, custodian,
             classification
Officers and parties are separated by `;`, a party is name=role. An empty cell is
a field without a value; active is yes then, a classification ordinary. Import
units first, then persons.

A file with a bad line is not imported at all: every bad line is named (exit code
2). A line that says what is on record already is left alone, so that the same
file can be imported again. Lines that the store refuses are named with the rule
and do not stop the others (exit code 3).

JSON, one line for each line of the file: line, kind, id, outcome (added, changed,
same, refused, bad), columns that change, column to blame, rule, reason, log_index.
With --dry-run added and changed are what would be done. The last line is the
summary: file, dry_run, and the number of each outcome.";

/// Arguments of `custos import`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ImportArgs {
    /// What the file holds
    #[arg(value_name = "KIND", value_parser = named(ImportKind::ALL, ImportKind::name))]
    pub(crate) kind: ImportKind,
    /// The table: CSV, UTF-8, the names of the columns first
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Says what would be done, line by line, and does nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Why cases that are on record are changed; goes on the custody log
    #[arg(long, value_name = "TEXT", default_value = "imported from a table")]
    pub(crate) reason: String,
}
