use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};
use custos_core::{Role, law::Classification};

use super::{RecordArgs, RecordLsArgs, help, named};

const UNIT_HELP: &str = help!(
    "custos unit add city --title \"City enforcement bureau\"",
    "custos unit add traffic --title \"Traffic squad\" --parent city",
    "custos unit set traffic --active false",
    "custos unit ls --json | jq -r .id",
);

/// The commands of `custos unit`.
#[derive(Debug, Subcommand)]
pub(crate) enum UnitCommand {
    /// Registers an agency, or a department of one
    #[command(after_help = UNIT_HELP)]
    Add(UnitAddArgs),
    /// Changes what is on record of a unit; its parent never changes
    #[command(after_help = UNIT_HELP)]
    Set(UnitSetArgs),
    /// Lists the units
    #[command(after_help = UNIT_HELP)]
    Ls(RecordLsArgs),
    /// Shows a unit
    #[command(after_help = UNIT_HELP)]
    Show(RecordArgs),
}

/// Arguments of `custos unit add`.
#[derive(Debug, Args)]
pub(crate) struct UnitAddArgs {
    /// Short name, such as traffic
    #[arg(value_name = "UNIT")]
    pub(crate) id: String,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: String,
    /// The unit that it is a department of [default: none: it is an agency]
    #[arg(long, value_name = "UNIT")]
    pub(crate) parent: Option<String>,
}

/// Arguments of `custos unit set`.
#[derive(Debug, Args)]
pub(crate) struct UnitSetArgs {
    /// Which unit
    #[arg(value_name = "UNIT")]
    pub(crate) id: String,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) active: ActiveArg,
}

/// Whether somebody or something is in use; what is not given stays.
#[derive(Debug, Args)]
pub(crate) struct ActiveArg {
    /// Whether it is in use: true or false
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub(crate) active: Option<bool>,
}

const PERSON_HELP: &str = help!(
    "custos person add li.na --role custodian --unit traffic --title \"Li Na\"",
    "custos person add zhao.min --role officer --unit traffic --certificate-no 110421 \\",
    "    --out ~/keys/zhao.min.toml",
    "custos person set zhao.min --clearance privacy",
    "custos person history zhao.min",
);

/// The commands of `custos person`.
#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Registers a person; with --out also makes a key and a certificate
    #[command(after_help = PERSON_HELP)]
    Add(PersonAddArgs),
    /// Changes what is on record of a person
    #[command(after_help = PERSON_HELP)]
    Set(PersonSetArgs),
    /// Lists the persons
    #[command(after_help = PERSON_HELP)]
    Ls(RecordLsArgs),
    /// Shows a person
    #[command(after_help = PERSON_HELP)]
    Show(RecordArgs),
    /// Lists every version of what is on record of a person
    #[command(after_help = PERSON_HELP)]
    History(RecordArgs),
}

/// Arguments of `custos person add`.
#[derive(Debug, Args)]
pub(crate) struct PersonAddArgs {
    /// Common name of the person's certificate, such as li.na
    #[arg(value_name = "NAME")]
    pub(crate) id: String,
    /// What the person may do
    #[arg(long, value_parser = person_role())]
    pub(crate) role: Role,
    /// The unit that the person belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: String,
    /// Number of the law-enforcement certificate: officers need one (rule R7)
    #[arg(long, value_name = "NUMBER")]
    pub(crate) certificate_no: Option<String>,
    /// The highest classification that the person may see
    #[arg(long, default_value = "ordinary",
        value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) clearance: Classification,
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    /// Makes a key here, has it certified, and writes a configuration file for `custos --config`
    /// with its PEM files beside it; in a folder, the file is client.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `custos person set`.
#[derive(Debug, Args)]
pub(crate) struct PersonSetArgs {
    /// Which person
    #[arg(value_name = "NAME")]
    pub(crate) id: String,
    /// What the person may do
    #[arg(long, value_parser = person_role())]
    pub(crate) role: Option<Role>,
    /// The unit that the person belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Number of the law-enforcement certificate; empty for none
    #[arg(long, value_name = "NUMBER")]
    pub(crate) certificate_no: Option<String>,
    /// The highest classification that the person may see
    #[arg(long, value_parser = named(Classification::ALL, Classification::name))]
    pub(crate) clearance: Option<Classification>,
    /// Name for people; empty for none
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,
    #[command(flatten)]
    pub(crate) active: ActiveArg,
}

/// Every role that a person can have.
const PERSON_ROLES: &[Role] = &[
    Role::Officer,
    Role::Auxiliary,
    Role::Custodian,
    Role::UnitHead,
    Role::Reviewer,
    Role::Auditor,
    Role::Administrator,
];

fn person_role() -> impl clap::builder::TypedValueParser<Value = Role> {
    named(PERSON_ROLES, Role::name)
}

const RECORDER_HELP: &str = help!(
    "custos recorder add BWC-00042 --unit traffic --model \"DSJ-X1\"",
    "custos recorder issue BWC-00042 --to zhao.min",
    "custos recorder return BWC-00042",
    "custos recorder history BWC-00042    # who had it when",
);

/// The commands of `custos recorder`.
#[derive(Debug, Subcommand)]
pub(crate) enum RecorderCommand {
    /// Registers a recorder
    #[command(after_help = RECORDER_HELP)]
    Add(RecorderAddArgs),
    /// Changes what is on record of a recorder
    #[command(after_help = RECORDER_HELP)]
    Set(RecorderSetArgs),
    /// Issues a recorder to a person
    #[command(after_help = RECORDER_HELP)]
    Issue(RecorderIssueArgs),
    /// Takes a recorder back
    #[command(after_help = RECORDER_HELP)]
    Return(RecordArgs),
    /// Lists the recorders
    #[command(after_help = RECORDER_HELP)]
    Ls(RecordLsArgs),
    /// Shows a recorder
    #[command(after_help = RECORDER_HELP)]
    Show(RecordArgs),
    /// Lists every version of what is on record of a recorder: who had it when
    #[command(after_help = RECORDER_HELP)]
    History(RecordArgs),
}

/// Arguments of `custos recorder add`.
#[derive(Debug, Args)]
pub(crate) struct RecorderAddArgs {
    /// Its serial
    #[arg(value_name = "SERIAL")]
    pub(crate) id: String,
    /// The unit that it belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: String,
    /// Its model
    #[arg(long, value_name = "TEXT")]
    pub(crate) model: Option<String>,
    /// Ed25519 key that it signs with, 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    pub(crate) signing_key: Option<String>,
}

/// Arguments of `custos recorder set`.
#[derive(Debug, Args)]
pub(crate) struct RecorderSetArgs {
    /// Which recorder
    #[arg(value_name = "SERIAL")]
    pub(crate) id: String,
    /// The unit that it belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    /// Its model
    #[arg(long, value_name = "TEXT")]
    pub(crate) model: Option<String>,
    /// Ed25519 key that it signs with, 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    pub(crate) signing_key: Option<String>,
    #[command(flatten)]
    pub(crate) active: ActiveArg,
}

/// Arguments of `custos recorder issue`.
#[derive(Debug, Args)]
pub(crate) struct RecorderIssueArgs {
    /// Which recorder
    #[arg(value_name = "SERIAL")]
    pub(crate) id: String,
    /// Who has it from now on
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
}

const STATION_HELP: &str = help!(
    "custos station add dock-1 --unit traffic --out /etc/custos/dock-1.toml",
    "custos station set dock-1 --active false",
    "custos station ls --unit traffic",
);

/// The commands of `custos station`.
#[derive(Debug, Subcommand)]
pub(crate) enum StationCommand {
    /// Registers a station; with --out also makes a key and a certificate
    #[command(after_help = STATION_HELP)]
    Add(StationAddArgs),
    /// Changes what is on record of a station
    #[command(after_help = STATION_HELP)]
    Set(StationSetArgs),
    /// Lists the stations
    #[command(after_help = STATION_HELP)]
    Ls(RecordLsArgs),
    /// Shows a station
    #[command(after_help = STATION_HELP)]
    Show(RecordArgs),
}

/// Arguments of `custos station add`.
#[derive(Debug, Args)]
pub(crate) struct StationAddArgs {
    /// Common name of its certificate
    #[arg(value_name = "NAME")]
    pub(crate) id: String,
    /// The unit that it belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: String,
    /// Makes a key here, has it certified, and writes a configuration file for `custos --config`
    /// with its PEM files beside it; in a folder, the file is client.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `custos station set`.
#[derive(Debug, Args)]
pub(crate) struct StationSetArgs {
    /// Which station
    #[arg(value_name = "NAME")]
    pub(crate) id: String,
    /// The unit that it belongs to
    #[arg(long, value_name = "UNIT")]
    pub(crate) unit: Option<String>,
    #[command(flatten)]
    pub(crate) active: ActiveArg,
}
