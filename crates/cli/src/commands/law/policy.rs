use std::fs;

use custos_client::policy_file;
use custos_core::{
    ErrorKind,
    law::{LawPolicy, RecordKind, ReportRefusal, SetPolicy},
};

use super::Session;
use crate::{
    args::{PolicyCommand, PolicyFileArgs},
    error::CliError,
    output::{Console, OutputFormat},
    printable,
};

/// What was attempted when a policy file is refused before it can become a command.
const ATTEMPT: &str = "set_policy";

/// Reads a policy file and says what is wrong with it.
pub(super) fn check(args: &PolicyFileArgs, console: &Console) -> Result<(), CliError> {
    let policy = read(args)?;
    match console.format() {
        OutputFormat::Json => console.object(&policy),
        OutputFormat::Human => {
            let path = printable::line(&args.file.display().to_string());
            console.lines([format!(
                "{path}: can be read; whether it may be set is judged by the cluster"
            )])
        }
    }
}

pub(super) async fn run(session: Session<'_>, command: PolicyCommand) -> Result<(), CliError> {
    match command {
        PolicyCommand::Show => show(session).await,
        PolicyCommand::Check(args) => check(&args, session.console),
        PolicyCommand::Set(args) => set(session, &args).await,
    }
}

async fn show(session: Session<'_>) -> Result<(), CliError> {
    session.show(RecordKind::Policy, LawPolicy::ID).await
}

async fn set(session: Session<'_>, args: &PolicyFileArgs) -> Result<(), CliError> {
    let policy = match read(args) {
        Ok(policy) => policy,
        Err(error) => {
            if let CliError::PolicyFile { source, .. } = &error {
                session.report_refusal(source.to_string()).await;
            }
            return Err(error);
        }
    };
    // The policy that the cluster began with is version 0, whether or not there is a record of it.
    let based_on = match session.client.record(RecordKind::Policy, LawPolicy::ID).await {
        Ok(stands) => stands.version,
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    session.act(SetPolicy { policy, based_on }).await
}

fn read(args: &PolicyFileArgs) -> Result<LawPolicy, CliError> {
    let path = args.file.clone();
    let text = fs::read_to_string(&path)
        .map_err(|source| custos_client::ClientError::File { path: path.clone(), source })?;
    policy_file::parse(&text).map_err(|source| CliError::PolicyFile { path, source })
}

impl Session<'_> {
    /// That somebody tried is on record even when the file cannot be read as a policy.
    async fn report_refusal(self, what: String) {
        let report = ReportRefusal { attempt: ATTEMPT.to_owned(), what };
        if let Err(error) = self.client.act(report).await {
            self.console.warn(&format!("the attempt is not on record: {error}"));
        }
    }
}
