//! What each command does.

mod completions;
mod get;
mod log;
mod ls;
mod put;
mod show;

use custos_client::{Client, ClientConfig};

use crate::{
    args::{Cli, Command, GlobalArgs, LogCommand},
    error::CliError,
    output::Console,
};

/// Does what the command line says.
///
/// Dropped before it is done, it leaves no half-written output file.
pub(crate) async fn run(cli: Cli, console: &Console) -> Result<(), CliError> {
    let global = &cli.global;
    match cli.command {
        // Connects by itself: what is wrong with the arguments is found before that.
        Command::Put(args) => put::run(&args, global, console).await,
        Command::Get(args) => get::run(&connect(global)?, &args, console).await,
        Command::Ls(args) => ls::run(&connect(global)?, &args, console).await,
        Command::Show { evidence_id } => show::run(&connect(global)?, evidence_id, console).await,
        Command::Log(LogCommand::Checkpoint) => log::checkpoint(&connect(global)?, console).await,
        Command::Log(LogCommand::Show(args)) => log::show(&connect(global)?, &args, console).await,
        Command::Log(LogCommand::Prove(args)) => {
            log::prove(&connect(global)?, &args, console).await
        }
        Command::Completions { shell } => completions::run(shell, console),
    }
}

fn connect(global: &GlobalArgs) -> Result<Client, CliError> {
    let config = ClientConfig::load(&ClientConfig::locate(global.config.as_deref()))?;
    Ok(Client::connect(&config)?)
}
