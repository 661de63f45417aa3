//! Registers and cases from a table.

mod outcome;
mod table_file;

use std::collections::{HashMap, HashSet};

use custos_client::{
    Client, ClientError,
    import::{self, Fault, Plan, Planned, Reference, Step},
};
use custos_core::{
    ErrorKind,
    law::{Record, RecordKind},
};
use futures::{Stream, StreamExt, stream};

use self::outcome::{Outcome, Outcomes};
pub(crate) use self::table_file::ImportError;
use super::connect;
use crate::{
    args::{GlobalArgs, ImportArgs},
    error::CliError,
    output::Console,
};

/// Records that are asked for at once, ahead of the line that is done.
const LOOKUPS_AHEAD: usize = 16;

/// Imports a file, or says what an import would do.
pub(super) async fn run(
    args: &ImportArgs,
    global: &GlobalArgs,
    console: &Console,
) -> Result<(), CliError> {
    let text = table_file::read(&args.file)?;
    let Plan { commands, faults } = import::plan(args.kind, &text);
    let mut outcomes = Outcomes::new(args, console);
    if !faults.is_empty() {
        return outcomes.bad(&faults);
    }
    let client = &connect(global)?;
    let progress = console.progress().count(&args.file.display().to_string(), commands.len());
    let mut known = Known::of(args.kind.record_kind(), &commands);
    let mut standing = std::pin::pin!(standing(client, args.kind.record_kind(), &commands));
    while let Some((planned, standing)) = standing.next().await {
        let done = match standing {
            Ok(standing) => {
                let step = import::step(planned, standing.as_ref(), &args.reason);
                if args.dry_run {
                    rehearse(client, planned, step, &mut known).await
                } else {
                    act(client, step).await
                }
            }
            Err(error) => Err(error),
        };
        let outcome = match done {
            Ok(outcome) => outcome,
            Err(error) if is_about_the_line(&error) => Outcome::Refused(error),
            Err(error) => {
                outcomes.summary()?;
                let subject = format!("line {}", planned.line);
                return Err(CliError::About { subject, source: Box::new(error.into()) });
            }
        };
        outcomes.take(planned, outcome)?;
        progress.advance();
    }
    drop(progress);
    outcomes.finish()
}

/// The record of each line as it stands.
fn standing<'a>(
    client: &'a Client,
    kind: RecordKind,
    commands: &'a [Planned],
) -> impl Stream<Item = (&'a Planned, Result<Option<Record>, ClientError>)> {
    let lookups = commands
        .iter()
        .map(move |planned| async move { (planned, look_up(client, kind, &planned.id).await) });
    stream::iter(lookups).buffered(LOOKUPS_AHEAD)
}

async fn look_up(
    client: &Client,
    kind: RecordKind,
    id: &str,
) -> Result<Option<Record>, ClientError> {
    match client.record(kind, id).await {
        Ok(versioned) => Ok(Some(versioned.record)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the other lines may still be done.
fn is_about_the_line(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Refused | ErrorKind::Invalid | ErrorKind::NotFound)
}

async fn act(client: &Client, step: Step) -> Result<Outcome, ClientError> {
    Ok(match step {
        Step::Add(command) => Outcome::Added(Some(client.act(command).await?.0)),
        Step::Change { command, columns } => {
            Outcome::Changed { columns, entry: Some(client.act(command).await?.0) }
        }
        Step::Same => Outcome::Same,
        Step::Cannot(fault) => Outcome::Cannot(fault),
    })
}

/// What would be done, as far as can be told without doing it: what the line names must be there.
async fn rehearse(
    client: &Client,
    planned: &Planned,
    step: Step,
    known: &mut Known,
) -> Result<Outcome, ClientError> {
    let outcome = match step {
        Step::Add(_) => Outcome::Added(None),
        Step::Change { columns, .. } => Outcome::Changed { columns, entry: None },
        Step::Same => return Ok(Outcome::Same),
        Step::Cannot(fault) => return Ok(Outcome::Cannot(fault)),
    };
    for reference in &planned.references {
        if !known.has(client, reference).await? {
            let Reference { column, kind, id } = reference;
            return Ok(Outcome::Cannot(Fault {
                line: planned.line,
                column: Some((*column).to_owned()),
                reason: format!("no {kind} on record has the id {id}"),
            }));
        }
    }
    Ok(outcome)
}

/// What is there, or will be when the lines before are done.
struct Known {
    in_file: HashSet<(RecordKind, String)>,
    asked: HashMap<(RecordKind, String), bool>,
}

impl Known {
    fn of(kind: RecordKind, commands: &[Planned]) -> Self {
        let in_file = commands.iter().map(|planned| (kind, planned.id.clone()));
        Self { in_file: in_file.collect(), asked: HashMap::new() }
    }

    async fn has(&mut self, client: &Client, reference: &Reference) -> Result<bool, ClientError> {
        let name = (reference.kind, reference.id.clone());
        if self.in_file.contains(&name) {
            return Ok(true);
        }
        if let Some(is_there) = self.asked.get(&name) {
            return Ok(*is_there);
        }
        let is_there = look_up(client, reference.kind, &reference.id).await?.is_some();
        self.asked.insert(name, is_there);
        Ok(is_there)
    }
}
