use clap::{Args, Subcommand};

use super::{DiskName, byte_size, disk::DISK_HELP};

const STATUS_HELP: &str = "\
Examples:
  custos scrub status
  custos scrub status --json | jq 'select(.scrub.damaged > 0)'

The scrub reads every shard of every disk within its period and verifies it.
What it finds damaged is listed by `custos damage ls`.

JSON, one line a disk: node, disk_id, name, scrub (null when the disk does not
answer: pass_started, pass_ended, under_way, shards_checked, bytes_checked,
damaged, damaged_ever, progress_permille, bytes_per_second, period_days,
paused).";

const SET_HELP: &str = "\
Examples:
  custos scrub set --rate 50MiB
  custos scrub set --period-days 14
  custos scrub set --disk 0a1b2c3d --rate 5MiB

It holds at once, for all disks or the named one. Nodes that do not answer do
not hear of it.";

const START_HELP: &str = "\
Examples:
  custos scrub start
  custos scrub start --disk \"store-1/disk 2\"

A pass that is under way begins anew. A scrub that is paused stays so until
`custos scrub resume`.";

const PAUSE_HELP: &str = "\
Examples:
  custos scrub pause
  custos scrub pause --disk \"store-1/disk 2\"";

const RESUME_HELP: &str = "\
Examples:
  custos scrub resume
  custos scrub resume --disk \"store-1/disk 2\"

It goes on where it was paused.";

const JSON_HELP: &str = "JSON, one object: disk_id (null for all), disks (how many follow).";

/// The commands of `custos scrub`.
#[derive(Debug, Subcommand)]
pub(crate) enum ScrubCommand {
    /// Shows how far the scrub of each disk is and what it found
    #[command(after_help = STATUS_HELP)]
    Status,
    /// Changes the pace while it runs
    #[command(after_help = format!("{SET_HELP}\n\n{DISK_HELP}\n\n{JSON_HELP}"))]
    Set(ScrubSetArgs),
    /// Begins a new pass at once
    #[command(after_help = format!("{START_HELP}\n\n{DISK_HELP}\n\n{JSON_HELP}"))]
    Start(ScrubTarget),
    /// Lets it rest until it is resumed
    #[command(after_help = format!("{PAUSE_HELP}\n\n{DISK_HELP}\n\n{JSON_HELP}"))]
    Pause(ScrubTarget),
    /// Goes on after a pause
    #[command(after_help = format!("{RESUME_HELP}\n\n{DISK_HELP}\n\n{JSON_HELP}"))]
    Resume(ScrubTarget),
}

/// Which disks are meant.
#[derive(Debug, Args)]
pub(crate) struct ScrubTarget {
    /// Only this disk [default: all]
    #[arg(long, value_name = "DISK")]
    pub(crate) disk: Option<DiskName>,
}

/// Arguments of `custos scrub set`.
#[derive(Debug, Args)]
pub(crate) struct ScrubSetArgs {
    #[command(flatten)]
    pub(crate) target: ScrubTarget,
    #[command(flatten)]
    pub(crate) pace: ScrubPace,
}

/// What can be set: at least one of it.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ScrubPace {
    /// Reads at most this much a second on each disk, such as 50MiB
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) rate: Option<u64>,
    /// Checks every shard within this many days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) period_days: Option<u32>,
}
