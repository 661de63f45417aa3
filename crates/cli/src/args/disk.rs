use clap::{Args, Subcommand};

use super::DiskName;

/// What a DISK is, for the help of every command that takes one.
pub(super) const DISK_HELP: &str = "\
DISK is the id of a disk, the first 4 or more of its digits if no other disk's
id begins with them, or NODE/DISK, the names of its node and its own:
\"store-1/disk 2\".";

const LS_HELP: &str = "\
Examples:
  custos disk ls
  custos disk ls --node store-1
  custos disk ls --json | jq -r 'select(.report.offline) | .disk_id'

JSON, one line a disk: node, node_id, disk_id, name, state (in-service,
released or removed), weight, generation, slots, report. The report is what the disk says of
itself, null when its node does not answer: kind, offline, suspect, shards,
payload_bytes, stored_bytes, total_bytes, free_bytes, fullness, io_errors,
quarantined, scrub (as `custos scrub status` shows it).";

const ADD_HELP: &str = "\
Examples:
  custos disk add --node store-1 /srv/custos/disk-7
  custos disk add --node store-1 /srv/custos/disk-7 --create

PATH is a folder on the node, and best a mount point. Without --create it must
hold a disk of this cluster: a mount that is missing is not taken for a new,
empty disk. A copy of a disk that is in service elsewhere is refused.

The node forgets the folder when it stops unless it stands in its configuration
file too. New vaults use the disk: `custos cluster vaults create`.

JSON, one object: node, path, disk_id.";

const REMOVE_HELP: &str = "\
Examples:
  custos disk remove \"store-1/disk 2\"
  custos disk remove 0a1b2c3d --for-good --reason \"reads fail, replaced\"

Without --for-good the disk is out of service until its node starts again, for
example to change a cable. What is on it stays on it in either case; evidence is
read from the other disks of its vaults meanwhile.";

const RELEASE_HELP: &str = "\
Examples:
  custos disk release \"store-1/disk 2\" --reason \"moves to store-4\"

A disk is taken into service by another node only after it was released: what
turns up elsewhere without that is refused as a copy. So, to move a disk:
release it, move it, and `custos disk add` it where it is now.

It is out of service until a node takes it, the one that had it included, and
keeps its places in the vaults; evidence is read from their other disks
meanwhile. The node that has it need not answer. Keep copies of the disk out
until then: the first of them to be added would be the disk.";

const QUARANTINE_HELP: &str = "\
Examples:
  custos disk quarantine \"store-1/disk 2\"
  custos disk quarantine 0a1b2c3d --json

What a disk does not know, such as a record that was cut off or a file of
someone else, is kept and never touched.

JSON, one line an item: place, len (bytes), reason.";

/// The commands of `custos disk`.
#[derive(Debug, Subcommand)]
pub(crate) enum DiskCommand {
    /// Lists the disks, how full they are and why one is not used
    Ls(DiskLsArgs),
    /// Takes a disk into service on a running node
    Add(DiskAddArgs),
    /// Takes a disk out of service, or out of the cluster for good
    #[command(after_help = format!("{REMOVE_HELP}\n\n{DISK_HELP}\n\nJSON, one object: disk_id, for_good."))]
    Remove(DiskRemoveArgs),
    /// Gives a disk up for its node, so that another node may take it
    #[command(after_help = format!("{RELEASE_HELP}\n\n{DISK_HELP}\n\nJSON, one object: disk_id."))]
    Release(DiskReleaseArgs),
    /// Lists what lies on a disk that nobody knows
    #[command(after_help = format!("{QUARANTINE_HELP}\n\n{DISK_HELP}"))]
    Quarantine(DiskQuarantineArgs),
}

/// Arguments of `custos disk ls`.
#[derive(Debug, Args)]
#[command(after_help = LS_HELP)]
pub(crate) struct DiskLsArgs {
    /// Only disks of this node, by name or id
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
}

/// Arguments of `custos disk add`.
#[derive(Debug, Args)]
#[command(after_help = ADD_HELP)]
pub(crate) struct DiskAddArgs {
    /// Node that has the folder, by name or id
    #[arg(long, value_name = "NODE")]
    pub(crate) node: String,
    /// Folder on the node, an absolute path
    #[arg(value_name = "PATH", value_parser = absolute_path)]
    pub(crate) path: String,
    /// Makes a disk there if the folder is empty or missing
    #[arg(long)]
    pub(crate) create: bool,
}

/// Arguments of `custos disk remove`.
#[derive(Debug, Args)]
pub(crate) struct DiskRemoveArgs {
    /// Which disk
    #[arg(value_name = "DISK")]
    pub(crate) disk: DiskName,
    /// Out of the cluster: it never comes back under its id
    #[arg(long, requires = "reason")]
    pub(crate) for_good: bool,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT", requires = "for_good")]
    pub(crate) reason: Option<String>,
}

/// Arguments of `custos disk release`.
#[derive(Debug, Args)]
pub(crate) struct DiskReleaseArgs {
    /// Which disk
    #[arg(value_name = "DISK")]
    pub(crate) disk: DiskName,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos disk quarantine`.
#[derive(Debug, Args)]
pub(crate) struct DiskQuarantineArgs {
    /// Which disk
    #[arg(value_name = "DISK")]
    pub(crate) disk: DiskName,
    /// Lists at most this many
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

// The node has its own idea of where relative paths begin.
fn absolute_path(text: &str) -> Result<String, &'static str> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("write a path that begins with /") }
}
