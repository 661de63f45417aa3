//! What can be said on the command line, and the help that teaches it.

mod backup;
mod byte_range;
mod byte_size;
mod cluster;
mod damage;
mod disk;
mod disk_name;
mod get;
mod import;
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
pub(crate) use import::ImportArgs;
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

The `descriptor` of the JSON object, as it was sealed, is what `custos put
--descriptor` takes. `filing` is the record of how it is filed, classified and
described now; `custos hold why` says what keeps it.";

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
    /// Brings registers and cases from tables that the agency keeps
    Import(ImportArgs),
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
            Self::Import(args) if !args.dry_run => {
                "the lines that were named are done; the same command goes on with the others"
            }
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

    fn law(line: &str) -> LawCommands {
        match Cli::try_parse_from(line.split(' ')).expect(line).command {
            Command::Law(command) => command,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn r1_a_case_names_its_officers_and_parties_one_by_one() {
        let line = "custos case open C-1 --act-type penalty --unit u --custodian li.na \
                    --officer 1 --officer 2 --party Wei=Ming=respondent";
        let LawCommands::Case(CaseCommand::Open(args)) = law(line) else { panic!("a case") };
        assert_eq!(args.officers, ["1", "2"]);
        let party = &args.parties[0];
        assert_eq!((party.name.as_str(), party.role.as_str()), ("Wei=Ming", "respondent"));
    }

    #[test]
    fn r18_a_grant_is_of_evidence_or_of_a_case() {
        let id = "0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20";
        let line = format!("custos grant apply --scope copy --purpose p --evidence {id} {id}");
        let LawCommands::Grant(GrantCommand::Apply(args)) = law(&line) else { panic!("a grant") };
        assert_eq!((args.what.evidence.len(), args.what.case), (2, None));
        let case =
            "custos grant apply --scope view --purpose p --case C-1 --for W --standing party";
        let LawCommands::Grant(GrantCommand::Apply(args)) = law(case) else { panic!("a grant") };
        assert_eq!((args.outside.as_deref(), args.standing.as_deref()), (Some("W"), Some("party")));
    }

    #[test]
    fn an_offset_of_a_clock_may_be_negative() {
        let line = "custos put f --device-ahead-ms -250 --recording R --sequence 0";
        let Command::Put(put) = Cli::try_parse_from(line.split(' ')).expect(line).command else {
            panic!("a put")
        };
        assert_eq!(put.described.correctable.device_ahead_ms, Some(-250));
        assert_eq!(put.described.sequence, Some(0));
    }

    #[test]
    fn an_order_that_is_interrupted_may_have_been_obeyed() {
        let said = |line: &str| {
            Cli::try_parse_from(line.split(' ')).expect(line).command.when_interrupted()
        };
        assert!(said("custos disk remove 0a1b").contains("unknown"));
        assert!(said("custos scrub pause").contains("unknown"));
        assert!(said("custos meta lead meta-2").contains("unknown"));
        assert!(said("custos hold release H1 --reason r").contains("unknown"));
        assert!(said("custos cluster clock confirm --reason r").contains("unknown"));
        for line in ["custos hold ls", "custos case show C-1", "custos today", "custos policy show"]
        {
            assert_eq!(said(line), "nothing was changed");
        }
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
            "custos import",
            "custos import units",
            "custos import people people.csv",
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
            "custos put f --sequence 4",
            "custos put f --classification secret",
            "custos ls --case C-1 --recording R-1",
            "custos log show 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --record case/C-1",
            "custos get 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --scope steal",
            "custos unit add traffic",
            "custos person add li.na --role station --unit u",
            "custos person set li.na --active perhaps",
            "custos recorder issue BWC-1",
            "custos case open C-1 --unit u --custodian c",
            "custos case open C-1 --act-type penalty --unit u --custodian c --party Wei",
            "custos case close C-1",
            "custos case reopen C-1 --reason r",
            "custos case ls --state lost",
            "custos file 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --case C-1",
            "custos note add 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20",
            "custos describe 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --clear kind --reason r",
            "custos describe 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --case C --reason r",
            "custos relate 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 near to",
            "custos retain extend 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20 --until soon --reason r",
            "custos hold place --reason complaint",
            "custos hold place --reason boredom --case C-1",
            "custos hold release H1",
            "custos grant apply --scope copy --purpose p",
            "custos grant apply --scope view --purpose p --case C-1 --for W",
            "custos grant apply --scope view --purpose p --case C-1 --bytes 0-9",
            "custos grant approve G1 --reason r --uses 0",
            "custos dispose propose --reason r",
            "custos today --list all",
            "custos recording check",
            "custos cluster clock confirm",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
