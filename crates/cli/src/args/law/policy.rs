use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::help;

const HELP: &str = help!(
    "custos policy show",
    "custos policy show --json | jq .kinds",
    "custos policy check policy.toml",
    "custos policy set policy.toml",
);

/// The commands of `custos policy`.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Shows the policy that stands
    #[command(after_help = HELP)]
    Show,
    /// Reads a policy file and says what is wrong with it; asks no cluster
    #[command(after_help = HELP)]
    Check(PolicyFileArgs),
    /// Sets the policy of a file; what is sealed is never kept for less than before
    #[command(after_help = HELP)]
    Set(PolicyFileArgs),
}

/// Arguments of `custos policy check` and `set`.
#[derive(Debug, Args)]
pub(crate) struct PolicyFileArgs {
    /// The policy, TOML
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}
