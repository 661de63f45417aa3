//! What each command does that acts under the law or reads its records.

mod acts;
mod case;
mod certificate;
mod dispose;
mod evidence;
mod grant;
mod hold;
mod listing;
mod policy;
mod recording;
mod register;

use custos_client::Client;

use crate::{
    args::{GlobalArgs, LawCommands, PolicyCommand, RecordingCommand},
    commands::connect,
    error::CliError,
    output::Console,
};

/// Does what the command line says.
pub(super) async fn run(
    command: LawCommands,
    global: &GlobalArgs,
    console: &Console,
) -> Result<(), CliError> {
    // A file is looked at without a cluster.
    if let LawCommands::Policy(PolicyCommand::Check(args)) = &command {
        return policy::check(args, console);
    }
    let session = Session { client: &connect(global)?, console };
    match command {
        LawCommands::Unit(command) => register::unit(session, command).await,
        LawCommands::Person(command) => register::person(session, command).await,
        LawCommands::Recorder(command) => register::recorder(session, command).await,
        LawCommands::Station(command) => register::station(session, command).await,
        LawCommands::Case(command) => case::run(session, command).await,
        LawCommands::File(args) => evidence::file(session, args).await,
        LawCommands::Note(command) => evidence::note(session, command).await,
        LawCommands::Describe(args) => evidence::describe(session, *args).await,
        LawCommands::Relate(args) => evidence::relate(session, args).await,
        LawCommands::Classify(args) => evidence::classify(session, args).await,
        LawCommands::Retain(command) => evidence::retain(session, command).await,
        LawCommands::Copy(command) => evidence::copy(session, command).await,
        LawCommands::Hold(command) => hold::run(session, command).await,
        LawCommands::Grant(command) => grant::run(session, command).await,
        LawCommands::Dispose(command) => dispose::run(session, command).await,
        LawCommands::Policy(command) => policy::run(session, command).await,
        LawCommands::Today(args) => listing::today(session, &args).await,
        LawCommands::Recording(RecordingCommand::Check { recording }) => {
            recording::check(session, &recording).await
        }
    }
}

/// Whom a command talks to: the cluster, and whoever reads the result.
#[derive(Clone, Copy)]
struct Session<'a> {
    client: &'a Client,
    console: &'a Console,
}
