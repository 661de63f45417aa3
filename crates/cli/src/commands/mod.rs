//! What each command does.

mod backup;
mod cluster;
mod completions;
mod damage;
mod disk;
mod get;
mod import;
mod law;
mod log;
mod ls;
mod meta;
mod node;
mod put;
mod scrub;
mod show;

use custos_client::{Client, ClientConfig};

pub(crate) use import::ImportError;

use crate::{
    args::{
        Cli, ClockCommand, ClusterCommand, Command, DamageCommand, DiskCommand, GlobalArgs,
        LogCommand, MetaCommand, NodeCommand, ScrubCommand, VaultsCommand,
    },
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
        Command::Law(command) => law::run(command, global, console).await,
        // Connects by itself: what is wrong with the table is found before that.
        Command::Import(args) => import::run(&args, global, console).await,
        // What is kept is looked at without a cluster.
        Command::Cluster(ClusterCommand::Backup(args)) => backup::run(&args, global, console).await,
        Command::Cluster(command) => operate_cluster(&connect(global)?, command, console).await,
        Command::Meta(command) => operate_group(&connect(global)?, command, console).await,
        Command::Node(NodeCommand::Ls) => node::ls(&connect(global)?, console).await,
        Command::Disk(command) => operate_disk(&connect(global)?, command, console).await,
        Command::Scrub(command) => operate_scrub(&connect(global)?, command, console).await,
        Command::Damage(DamageCommand::Ls(args)) => {
            damage::ls(&connect(global)?, &args, console).await
        }
        Command::Completions { shell } => completions::run(shell, console),
    }
}

async fn operate_cluster(
    client: &Client,
    command: ClusterCommand,
    console: &Console,
) -> Result<(), CliError> {
    match command {
        ClusterCommand::Status => cluster::status(client, console).await,
        ClusterCommand::Backup(_) => unreachable!("it connects by itself"),
        ClusterCommand::Clock(ClockCommand::Show) => cluster::show_clock(client, console).await,
        ClusterCommand::Clock(ClockCommand::Confirm { reason }) => {
            cluster::confirm_clock(client, reason, console).await
        }
        ClusterCommand::Vaults(VaultsCommand::Create(args)) => {
            cluster::create_vaults(client, &args, console).await
        }
    }
}

async fn operate_group(
    client: &Client,
    command: MetaCommand,
    console: &Console,
) -> Result<(), CliError> {
    match command {
        MetaCommand::Ls => meta::ls(client, console).await,
        MetaCommand::Remove(args) => meta::remove(client, &args, console).await,
        MetaCommand::Lead(args) => meta::lead(client, &args, console).await,
    }
}

async fn operate_disk(
    client: &Client,
    command: DiskCommand,
    console: &Console,
) -> Result<(), CliError> {
    match command {
        DiskCommand::Ls(args) => disk::ls(client, &args, console).await,
        DiskCommand::Add(args) => disk::add(client, &args, console).await,
        DiskCommand::Remove(args) => disk::remove(client, &args, console).await,
        DiskCommand::Release(args) => disk::release(client, &args, console).await,
        DiskCommand::Quarantine(args) => disk::quarantine(client, &args, console).await,
    }
}

async fn operate_scrub(
    client: &Client,
    command: ScrubCommand,
    console: &Console,
) -> Result<(), CliError> {
    match command {
        ScrubCommand::Status => scrub::status(client, console).await,
        ScrubCommand::Set(args) => scrub::set(client, &args, console).await,
        ScrubCommand::Start(target) => scrub::start(client, &target, console).await,
        ScrubCommand::Pause(target) => scrub::pause(client, &target, console).await,
        ScrubCommand::Resume(target) => scrub::resume(client, &target, console).await,
    }
}

fn connect(global: &GlobalArgs) -> Result<Client, CliError> {
    let config = ClientConfig::load(&ClientConfig::locate(global.config.as_deref()))?;
    Ok(Client::connect(&config)?)
}
