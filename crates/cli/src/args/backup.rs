use std::num::NonZeroUsize;

use clap::{Args, Subcommand};

const BACKUP_HELP: &str = "\
Examples:
  custos cluster backup --to /srv/backup/custos
  custos cluster backup --to /srv/backup/custos --keep 30
  AWS_ENDPOINT_URL=https://s3.example AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... \\
    custos cluster backup --to s3://backups/custos
  custos cluster backup ls --from /srv/backup/custos
  custos cluster backup verify --from /srv/backup/custos

Takes the whole ledger as it is now while the cluster serves: what was acknowledged
before is in it, and it is on the custody log that you took it. Only files that PLACE
does not hold yet are sent. A backup that is cut short does not count, and the same
command goes on with what came. Shards and the key file are not in it: keep a copy of
the key file apart from it.

`custosd restore` makes a ledger of a backup (deploy/README.md).

PLACE is a folder or s3://BUCKET/PREFIX, described by AWS_ENDPOINT_URL, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY in the environment. A place holds the backups
of one cluster.

JSON, one object: name, cluster, taken, log_index, custody_size, custody_root,
recorded_at (entry of the custody log), files, bytes, sent_files, sent_bytes, pruned
(names of backups that were removed), removed_files, removed_bytes.";

const LS_HELP: &str = "\
JSON, one line a backup, the oldest first: name, cluster, taken, log_index,
custody_size, custody_root, files, bytes, damage (why it cannot be read, or null).";

const VERIFY_HELP: &str = "\
Reads every file again and compares its hash; ends with exit code 5 when something is
wrong. A damaged file that the ledger still has comes again with the next backup once
it was removed from PLACE/files.

JSON, one line a backup, the oldest first: name, files, bytes, whole, damage (a list of
what is wrong, in words).";

/// Arguments of `custos cluster backup`.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_HELP, args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    pub(crate) command: Option<BackupCommand>,
    /// Where backups are kept: a folder, made when it is missing, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "PLACE", required = true)]
    pub(crate) to: Option<String>,
    /// Removes all but the newest N backups afterwards, and the files that none of them needs
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<NonZeroUsize>,
}

/// The commands of `custos cluster backup` beside taking one. They need no cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Lists the backups in a place
    #[command(after_help = LS_HELP)]
    Ls(BackupFromArgs),
    /// Reads backups again and says what is damaged
    #[command(after_help = VERIFY_HELP)]
    Verify(BackupVerifyArgs),
}

/// Arguments of `custos cluster backup ls`.
#[derive(Debug, Args)]
pub(crate) struct BackupFromArgs {
    /// Where backups are kept: a folder or s3://BUCKET/PREFIX
    #[arg(long, value_name = "PLACE")]
    pub(crate) from: String,
}

/// Arguments of `custos cluster backup verify`.
#[derive(Debug, Args)]
pub(crate) struct BackupVerifyArgs {
    #[command(flatten)]
    pub(crate) place: BackupFromArgs,
    /// Only this one [default: all]
    #[arg(long, value_name = "NAME")]
    pub(crate) backup: Option<String>,
}
