use clap::Args;

const HELP: &str = "\
Examples:
  custos ls
  custos ls --case C-2026-17 --long
  custos ls --recording R-2026-0301-7
  custos ls --limit 20
  custos ls --json | jq -r 'select(.unfiled) | .evidence_id'";

/// Arguments of `custos ls`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct LsArgs {
    /// Only evidence of this case
    #[arg(long, value_name = "ID")]
    pub(crate) case: Option<String>,
    /// Only segments of this recording
    #[arg(long, value_name = "ID", conflicts_with = "case")]
    pub(crate) recording: Option<String>,
    /// Lists at most this many [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Shows more columns
    #[arg(short, long)]
    pub(crate) long: bool,
}
