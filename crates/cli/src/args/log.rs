use clap::{Args, Subcommand};
use custos_core::EvidenceId;

const CHECKPOINT_HELP: &str = "\
Examples:
  custos log checkpoint
  custos log checkpoint --json

Three lines as in a C2SP checkpoint: the log's origin, its size, its root in
base64. Keep one outside the store: nobody can then change what is under it
without being found out.

JSON: origin, size, root (hexadecimal), root_base64.";

const SHOW_HELP: &str = "\
Examples:
  custos log show
  custos log show 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos log show --record case/C-2026-17
  custos log show --from 1000 --limit 50

JSON, one line an entry: index, time, act, evidence_id, record (of the law, as
KIND/ID), actor, detail, leaf (hexadecimal).";

const PROVE_HELP: &str = "\
Examples:
  custos log prove 0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20
  custos log prove --entry 17 --json

The proof (RFC 6962 section 2.1.1) is verified before it is shown. With an ID it
is that of the entry that seals the evidence, and the entry is compared with
what the catalogue says of hashes and size.

JSON: index, leaf (hexadecimal), leaf_hash, path (lowest sibling first),
checkpoint (origin, size, root, root_base64).";

/// The commands of `custos log`.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Shows size and root of the log now
    #[command(after_help = CHECKPOINT_HELP)]
    Checkpoint,
    /// Lists entries, of everything or of one evidence item
    Show(LogShowArgs),
    /// Proves that an entry is under the checkpoint
    Prove(LogProveArgs),
}

/// Arguments of `custos log show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_HELP)]
pub(crate) struct LogShowArgs {
    /// Only entries about this evidence
    #[arg(value_name = "ID")]
    pub(crate) evidence_id: Option<EvidenceId>,
    /// Only entries about this record of the law, such as case/C-2026-17 or hold/H1
    #[arg(long, value_name = "KIND/ID", conflicts_with = "evidence_id")]
    pub(crate) record: Option<String>,
    /// Starts at this entry
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) from: u64,
    /// Lists at most this many [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

/// Arguments of `custos log prove`.
#[derive(Debug, Args)]
#[command(after_help = PROVE_HELP)]
#[group(required = true, multiple = false)]
pub(crate) struct LogProveArgs {
    /// The entry that seals this evidence
    #[arg(value_name = "ID")]
    pub(crate) evidence_id: Option<EvidenceId>,
    /// The entry at this position
    #[arg(long, value_name = "N")]
    pub(crate) entry: Option<u64>,
}
