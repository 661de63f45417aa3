//! What can be said on the command line, and the help that teaches it.

mod backup;
mod byte_range;
mod byte_size;
mod cluster;
mod damage;
mod disk;
mod disk_name;
mod get;
mod law;
mod log;
mod ls;
mod meta;
mod node;
mod put;
mod scrub;
mod time_span;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;
use custos_core::EvidenceId;

pub(crate) use backup::{BackupArgs, BackupCommand, BackupFromArgs, BackupVerifyArgs};
pub(crate) use byte_range::ByteRange;
pub(crate) use cluster::{ClockCommand, ClusterCommand, CreateVaultsArgs, VaultsCommand};
pub(crate) use damage::{DamageCommand, DamageLsArgs};
pub(crate) use disk::{
    DiskAddArgs, DiskCommand, DiskLsArgs, DiskQuarantineArgs, DiskReleaseArgs, DiskRemoveArgs,
};
pub(crate) use disk_name::{DiskName, ID_DIGITS_MIN};
pub(crate) use get::GetArgs;
pub(crate) use law::{
    CaseCommand, CaseOpenArgs, CaseUpdateArgs, ClassifyArgs, CopyCommand, CopyRegisterArgs,
    DescribeArgs, DisposeCommand, DisposeProposeArgs, FileArgs, GrantApplyArgs, GrantCommand,
    HoldCommand, HoldPlaceArgs, LawCommands, NoteCommand, PersonAddArgs, PersonCommand,
    PersonSetArgs, PolicyCommand, PolicyFileArgs, RecordLsArgs, RecorderCommand, RecordingCommand,
    RelateArgs, RetainCommand, StationAddArgs, StationCommand, TodayArgs, UnitCommand,
};
pub(crate) use log::{LogCommand, LogProveArgs, LogShowArgs};
pub(crate) use ls::LsArgs;
pub(crate) use meta::{MetaCommand, MetaLeadArgs, MetaRemoveArgs};
pub(crate) use node::NodeCommand;
pub(crate) use put::{CorrectionArgs, DescriptorArgs, PutArgs};
pub(crate) use scrub::{ScrubCommand, ScrubPace, ScrubSetArgs, ScrubTarget};

use crate::output::OutputFormat;

/// Heading of the options that every command has.
const GLOBAL: &str = "Options of every command";

const HELP: &str = "\
Examples:
  custos put clip.mp4 --case C-2026-17 --stage investigation
  custos case open C-2026-17 --act-type penalty --unit traffic --custodian li.na
  custos case show C-2026-17
  custos today
  custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 -o copy.mp4
  custos log show 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos cluster status

Configuration: --config FILE, else $CUSTOS_CONFIG, else custos/client.toml in
$XDG_CONFIG_HOME or ~/.config. `custosd dev --data DIR` writes DIR/client.toml.
$CUSTOS_LOG is a log filter such as `debug`.

Exit codes: 0 done, 1 internal fault, 2 usage or bad input, 3 refused by a rule
or for want of permission, 4 not found, 5 integrity failure, 6 unavailable or
unknown outcome, 130 Ctrl-C.";

const SHOW_HELP: &str = "\
Examples:
  custos show 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos show 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --json

The `descriptor` of the JSON object is what `custos put --descriptor` takes.";

const COMPLETIONS_HELP: &str = "\
Examples:
  custos completions bash > ~/.local/share/bash-completion/completions/custos
  custos completions zsh > ~/.zfunc/_custos
  custos completions fish > ~/.config/fish/completions/custos.fish";

/// Puts evidence into a Custos store, gets it back with every byte verified, reads the record of
/// all that was done to it, and operates the cluster that keeps it.
#[derive(Debug, Parser)]
#[command(name = "custos", version, after_help = HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct GlobalArgs {
    /// Where the server is and who you are [default: $CUSTOS_CONFIG, else the user's own]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Prints one JSON object a line, errors too (on standard error)
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Shows no progress, only results, warnings and errors
    #[arg(short, long, global = true, help_heading = GLOBAL, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Shows what the client does; twice, what its libraries do
    #[arg(short, long, global = true, help_heading = GLOBAL, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl GlobalArgs {
    /// For whom results are printed.
    pub(crate) fn format(&self) -> OutputFormat {
        if self.json { OutputFormat::Json } else { OutputFormat::Human }
    }
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Puts files as evidence: uploaded, made durable, sealed
    Put(Box<PutArgs>),
    /// Gets evidence, or a range of it, with every byte verified
    Get(GetArgs),
    /// Lists evidence in the order in which it was opened
    Ls(LsArgs),
    /// Shows all that the catalogue says about one evidence item
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Which evidence
        #[arg(value_name = "ID")]
        evidence_id: EvidenceId,
    },
    /// Reads and proves the custody log: all that was ever done to evidence
    #[command(subcommand)]
    Log(LogCommand),
    #[command(flatten)]
    Law(LawCommands),
    /// Shows the cluster, creates its vaults, backs its ledger up
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Shows the meta nodes: the group that keeps the ledger, who leads it and who leaves it
    #[command(subcommand)]
    Meta(MetaCommand),
    /// Shows the storage nodes
    #[command(subcommand)]
    Node(NodeCommand),
    /// Shows disks, takes them into service and out of it
    #[command(subcommand)]
    Disk(DiskCommand),
    /// Shows and paces the scrub: the check of every shard on every disk
    #[command(subcommand)]
    Scrub(ScrubCommand),
    /// Shows the damaged shards on record
    #[command(subcommand)]
    Damage(DamageCommand),
    /// Prints a script that completes `custos` commands in your shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

impl Command {
    /// What became of the work when a signal ends this command.
    pub(crate) fn when_interrupted(&self) -> &'static str {
        match self {
            Self::Put(args) if args.again => "files without a receipt were not sealed",
            Self::Put(_) => {
                "files without a receipt were not sealed; the same command goes on where they stopped"
            }
            Self::Get(_) => "no output file was written",
            Self::Cluster(ClusterCommand::Backup(BackupArgs { command: None, .. })) => {
                "the backup does not count; the same command goes on with what came"
            }
            Self::Cluster(ClusterCommand::Vaults(_))
            | Self::Meta(MetaCommand::Remove(_) | MetaCommand::Lead(_))
            | Self::Disk(DiskCommand::Add(_) | DiskCommand::Remove(_) | DiskCommand::Release(_))
            | Self::Scrub(
                ScrubCommand::Set(_)
                | ScrubCommand::Start(_)
                | ScrubCommand::Pause(_)
                | ScrubCommand::Resume(_),
            ) => "whether it was done is unknown; `custos cluster status` shows it",
            Self::Law(command) if command.is_act() => {
                "whether it was done is unknown; the record and the custody log show it"
            }
            Self::Cluster(ClusterCommand::Clock(ClockCommand::Confirm { .. })) => {
                "whether it was done is unknown; `custos cluster clock show` shows it"
            }
            _ => "nothing was changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_of_the_arguments_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_suffix_range_is_no_option() {
        let id = "0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20";
        let cli = Cli::try_parse_from(["custos", "get", id, "--bytes", "-100", "-o", "x"]);
        let Command::Get(get) = cli.expect("parses").command else { panic!("a get") };
        assert_eq!(get.bytes, Some(ByteRange::Last { count: 100 }));
    }

    #[test]
    fn a_scrub_is_set_for_one_disk_or_for_all() {
        let parse = |line: &str| match Cli::try_parse_from(line.split(' ')).expect(line).command {
            Command::Scrub(ScrubCommand::Set(args)) => args,
            other => panic!("{other:?}"),
        };
        let all = parse("custos scrub set --rate 50MiB --period-days 14");
        assert_eq!((all.pace.rate, all.pace.period_days), (Some(50 << 20), Some(14)));
        assert_eq!(all.target.disk, None);
        let one = parse("custos scrub set --disk 0A1B --period-days 1");
        assert_eq!(one.target.disk, Some(DiskName::IdPrefix("0a1b".to_owned())));
    }

    #[test]
    fn an_order_that_is_interrupted_may_have_been_obeyed() {
        let said = |line: &str| {
            Cli::try_parse_from(line.split(' ')).expect(line).command.when_interrupted()
        };
        assert!(said("custos disk remove 0a1b").contains("unknown"));
        assert!(said("custos scrub pause").contains("unknown"));
        assert!(said("custos meta lead meta-2").contains("unknown"));
        assert_eq!(said("custos meta ls"), "nothing was changed");
        assert_eq!(said("custos disk ls"), "nothing was changed");
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        for line in [
            "custos",
            "custos fetch",
            "custos put",
            "custos put --colour red f",
            "custos put --stage afterwards f",
            "custos put --captured-at yesterday f",
            "custos put --profile 3+3 f",
            "custos put --jobs 0 f",
            "custos get",
            "custos get not-an-id",
            "custos ls --limit 0",
            "custos log",
            "custos log prove",
            "custos log prove 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --entry 3",
            "custos ls -q -v",
            "custos cluster",
            "custos cluster vaults create",
            "custos cluster backup",
            "custos cluster backup --to b --keep 0",
            "custos cluster backup ls",
            "custos cluster backup verify",
            "custos cluster vaults create --profile 3+3",
            "custos cluster vaults create --profile 4+2 --level planet",
            "custos cluster vaults create --profile 4+2 --count 0",
            "custos meta",
            "custos meta ls meta-1",
            "custos meta remove meta-1",
            "custos meta remove --reason broken",
            "custos meta lead",
            "custos disk ls 0a1b",
            "custos disk add /srv/disk",
            "custos disk add --node store-1",
            "custos disk add --node store-1 disk",
            "custos disk remove",
            "custos disk remove 0a1",
            "custos disk remove 0a1b --for-good",
            "custos disk remove 0a1b --reason broken",
            "custos disk quarantine 0a1b --limit 1001",
            "custos scrub set",
            "custos scrub set --disk 0a1b",
            "custos scrub set --rate 50",
            "custos scrub set --rate 0MiB",
            "custos scrub set --period-days 0",
            "custos scrub start --disk store-1",
            "custos damage ls --limit 0",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
