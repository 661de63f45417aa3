//! The commands that act under the law and read its records.

mod case;
mod dispose;
mod evidence;
mod grant;
mod hold;
mod policy;
mod register;
mod today;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};

pub(crate) use case::{CaseCommand, CaseOpenArgs, CaseUpdateArgs};
pub(crate) use dispose::{DisposeCommand, DisposeProposeArgs};
pub(crate) use evidence::{
    ClassifyArgs, CopyCommand, CopyRegisterArgs, DescribeArgs, FileArgs, NoteCommand, RelateArgs,
    RetainCommand,
};
pub(crate) use grant::{GrantApplyArgs, GrantCommand};
pub(crate) use hold::{HoldCommand, HoldPlaceArgs};
pub(crate) use policy::{PolicyCommand, PolicyFileArgs};
pub(crate) use register::{
    PersonAddArgs, PersonCommand, PersonSetArgs, RecorderCommand, StationAddArgs, StationCommand,
    UnitCommand,
};
pub(crate) use today::{RecordingCommand, TodayArgs};

/// The help of a group of commands: its examples, and what records are.
macro_rules! help {
    ($($line:literal),+ $(,)?) => {
        concat!(
            "Examples:\n", $("  ", $line, "\n",)+ "\n",
            "JSON, one line a record: version, changed_at, changed_by, log_index (entry of the\n",
            "custody log about the last change), kind, id and the other fields of its kind. An\n",
            "act prints the record as it left it."
        )
    };
}
use help;

/// What is done to cases, evidence, holds, grants, dispositions and the registers.
#[derive(Debug, Subcommand)]
pub(crate) enum LawCommands {
    /// Registers agencies and their departments
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Registers persons: who may act, in which role, for which unit
    #[command(subcommand)]
    Person(PersonCommand),
    /// Registers recorders, issues them and takes them back
    #[command(subcommand)]
    Recorder(RecorderCommand),
    /// Registers collection stations
    #[command(subcommand)]
    Station(StationCommand),
    /// Opens cases, leads them from stage to stage, closes and archives them
    #[command(subcommand)]
    Case(CaseCommand),
    /// Files evidence under a stage of a case
    File(FileArgs),
    /// Writes and reads notes on evidence: added and superseded, never changed
    #[command(subcommand)]
    Note(NoteCommand),
    /// Describes evidence anew; what it was described as stays visible
    Describe(Box<DescribeArgs>),
    /// Relates evidence to other evidence
    Relate(RelateArgs),
    /// Classifies evidence: higher at once, lower when a second person agrees
    Classify(ClassifyArgs),
    /// Lengthens the retention of evidence
    #[command(subcommand)]
    Retain(RetainCommand),
    /// Registers copies of evidence on media of their own
    #[command(subcommand)]
    Copy(CopyCommand),
    /// Places and releases holds: reasons why evidence must be kept
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Applies for the right to see, copy or take out evidence, and decides on it
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Ends evidence whose retention is over: proposed, approved twice, ordered
    #[command(subcommand)]
    Dispose(DisposeCommand),
    /// Shows, checks and sets the parameters of the rules
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Lists what is to be done: due, overdue, waiting, silent, unfiled
    Today(TodayArgs),
    /// Checks recordings for gaps and other faults of continuity
    #[command(subcommand)]
    Recording(RecordingCommand),
}

impl LawCommands {
    /// Whether it changes something, so that a signal leaves its outcome unknown.
    pub(crate) fn is_act(&self) -> bool {
        match self {
            Self::Unit(command) => {
                matches!(command, UnitCommand::Add(_) | UnitCommand::Set(_))
            }
            Self::Person(command) => {
                matches!(command, PersonCommand::Add(_) | PersonCommand::Set(_))
            }
            Self::Recorder(command) => !matches!(
                command,
                RecorderCommand::Ls(_) | RecorderCommand::Show(_) | RecorderCommand::History(_)
            ),
            Self::Station(command) => {
                matches!(command, StationCommand::Add(_) | StationCommand::Set(_))
            }
            Self::Case(command) => !matches!(
                command,
                CaseCommand::Ls(_)
                    | CaseCommand::Show(_)
                    | CaseCommand::Report(_)
                    | CaseCommand::History(_)
            ),
            Self::File(_)
            | Self::Describe(_)
            | Self::Relate(_)
            | Self::Classify(_)
            | Self::Retain(_) => true,
            Self::Note(command) => matches!(command, NoteCommand::Add(_)),
            Self::Copy(command) => matches!(command, CopyCommand::Register(_)),
            Self::Hold(command) => {
                matches!(command, HoldCommand::Place(_) | HoldCommand::Release(_))
            }
            Self::Grant(command) => !matches!(command, GrantCommand::Ls(_) | GrantCommand::Show(_)),
            Self::Dispose(command) => !matches!(
                command,
                DisposeCommand::Ls(_)
                    | DisposeCommand::Show(_)
                    | DisposeCommand::Certificate { .. }
            ),
            Self::Policy(command) => matches!(command, PolicyCommand::Set(_)),
            Self::Today(_) | Self::Recording(_) => false,
        }
    }
}

/// Names one record.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Which one
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// Names one record that is acted on, and why.
#[derive(Debug, Args)]
pub(crate) struct ReasonedArgs {
    /// Which one
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Which records are listed.
#[derive(Debug, Default, Args)]
pub(crate) struct RecordLsArgs {
    /// Only those of this unit and its departments
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Lists at most this many [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Parses one of the stable names of an enum, and shows them all in the help.
pub(super) fn named<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(move |value| name(*value))).map(move |given| {
        let found = all.iter().copied().find(|value| name(*value) == given);
        found.expect("only known names are possible")
    })
}
