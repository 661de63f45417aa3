use std::num::NonZeroU32;

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use custos_core::{ErasureProfile, FailureDomain};

use super::BackupArgs;

const STATUS_HELP: &str = "\
Examples:
  custos cluster status
  custos cluster status --json | jq -r '.troubles[].message'
  custos cluster status --json | jq -e .healthy

What is wrong stands first: meta nodes that do not answer, have a wrong clock or
are too few to lose one, nodes that do not answer, disks that are out of service,
suspect or full, copies of disks that were refused, damaged shards.
The exit code is 0 whatever the status says; `jq -e .healthy` makes one of it.

JSON, one object: origin, epoch, time, healthy, troubles (severity: wrong or
notice, kind, node, disk_id, message), vaults (profile, level, vaults),
damaged_shards, ledger_groups (id, system, virtual_shards, endpoints), meta (as
`custos meta ls` shows them), nodes (as `custos node ls` shows them).";

const CREATE_HELP: &str = "\
Examples:
  custos cluster vaults create --profile 4+2
  custos cluster vaults create --profile 8+3 --level rack
  custos cluster vaults create --profile 4+2 --count 12

A vault is k+m slots, each on a disk of another failure domain; evidence lives
in one vault. Apart by host, a vault of 4+2 outlives the loss of any two hosts.
Without --level the widest level is taken at which the cluster has k+m failure
domains: zone before rack before host before disk. A profile that the cluster
cannot satisfy is refused. Disks that are full or out of service, or whose node
does not answer, are left out and named.

Run it again after nodes or disks were added: new evidence spreads over all
vaults.

JSON, one object: profile, created, level, epoch, left_out (in words).";

const CLOCK_HELP: &str = "\
Examples:
  custos cluster clock show
  custos cluster clock confirm --reason \"compared with the radio clock in the control room\"

Retention and grace are judged by settled time: cluster time less every step of more
than an hour that two persons of different roles did not confirm.

JSON of show: time, settled, unconfirmed_ms, confirmed_by (by, role, at, reason; or
null). JSON of confirm: log_index.";

/// The commands of `custos cluster`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// Shows what is wrong, and all nodes, disks and vaults
    #[command(after_help = STATUS_HELP)]
    Status,
    /// Takes a backup of the ledger
    Backup(BackupArgs),
    /// Creates vaults: what evidence is spread over
    #[command(subcommand)]
    Vaults(VaultsCommand),
    /// Shows cluster time, and confirms it after it moved far at once
    #[command(subcommand)]
    Clock(ClockCommand),
}

/// The commands of `custos cluster clock`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Shows cluster time, and how much of it counts for retention
    #[command(after_help = CLOCK_HELP)]
    Show,
    /// Confirms that cluster time is right: two persons of different roles must (rule R3)
    #[command(after_help = CLOCK_HELP)]
    Confirm {
        /// How it was checked; goes on the custody log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// The commands of `custos cluster vaults`.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultsCommand {
    /// Plans vaults over the disks in service and creates them
    Create(CreateVaultsArgs),
}

/// Arguments of `custos cluster vaults create`.
#[derive(Debug, Args)]
#[command(after_help = CREATE_HELP)]
pub(crate) struct CreateVaultsArgs {
    /// Erasure profile, data + parity shards: 2+1, 4+2, 8+3 or 10+4
    #[arg(long, value_name = "K+M")]
    pub(crate) profile: ErasureProfile,
    /// What must not hold two slots of one vault [default: the widest that the cluster can satisfy]
    #[arg(long, value_parser = levels())]
    pub(crate) level: Option<FailureDomain>,
    /// How many [default: as many as spread the load evenly]
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<NonZeroU32>,
}

fn levels() -> impl TypedValueParser<Value = FailureDomain> {
    PossibleValuesParser::new(FailureDomain::ALL.iter().map(|level| level.name()))
        .map(|name| name.parse().expect("only known names are possible"))
}
