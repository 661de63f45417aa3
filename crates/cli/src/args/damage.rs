use clap::{Args, Subcommand};

const LS_HELP: &str = "\
Examples:
  custos damage ls
  custos damage ls --limit 20
  custos damage ls --json | jq -r .evidence_id | sort -u

Shards that did not verify, found by the scrub or by a reader, and not repaired
yet. Reading the evidence repairs them; it is whole as long as enough of its
other shards are.

JSON, one line a shard: disk_id, vault, evidence_id, chunk (a number, or
\"crown\"), slot, salt, what, reported_at, log_index.";

/// The commands of `custos damage`.
#[derive(Debug, Subcommand)]
pub(crate) enum DamageCommand {
    /// Lists the damaged shards on record
    Ls(DamageLsArgs),
}

/// Arguments of `custos damage ls`.
#[derive(Debug, Args)]
#[command(after_help = LS_HELP)]
pub(crate) struct DamageLsArgs {
    /// Lists at most this many [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}
