//! The command line of `custosd`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use custos_core::ErasureProfile;

use crate::config::LogFormat;

const EXAMPLES: &str = "\
Examples:
  custosd dev --data ./custos-data
      An embedded cluster in one folder. Wait for the line `ready ADDR`, then in another terminal:
      custos --config ./custos-data/client.toml put FILE

  custosd config check /etc/custos/custosd.toml
      Every mistake in the file by line, or the configuration as it would be used.

  custosd run --config /etc/custos/custosd.toml
      The roles that the file names: ledger, storage node, gateway, or all of them.

Exit codes: 0 done (also after SIGTERM), 1 internal, 2 usage or configuration, 3 not permitted,
5 something stored does not verify or does not belong together, 6 unavailable (address or folder
in use, disk full).

Environment: CUSTOS_LOG is a log filter such as `info` or `info,custos_gateway=debug`;
OTEL_EXPORTER_OTLP_ENDPOINT names an OTLP collector when no flag or file does.";

const RESTORE_NOTES: &str = "\
Examples:
  custosd restore --from /srv/backup/custos --config /etc/custos/custosd.toml
  custosd restore --from s3://backups/custos --backup 2026-03-01T080000.000Z-5000 --data ./data

For a ledger that is lost with all its members, or with more than half of them: while they live, never.
Every file is compared with its hash, and the custody log is hashed anew and compared with the
manifest; what does not verify is refused (exit code 5), and nothing is left half done.

The folder belongs then to a new member of the ledger's group, the only one: all others on record are
retired. Start it with `custosd run`; let the others join it with emptied folders; then start storage
nodes and gateways again. What was put after the backup is not in it. deploy/README.md has the drill.

A bucket is described by AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.";

const DEV_NOTES: &str = "\
The folder holds everything: disks/0 … disks/5 (one folder per shard of the profile), meta (the
ledger), node (the storage node), keys, tls (an own certificate authority), client.toml for
`custos --config`. Starting again
with the same folder goes on where it stopped. A disk folder that is gone is reported and left out:
with 4+2, any two may be gone and every byte is still there.

SIGTERM or Ctrl-C ends it cleanly: requests under way get 10 seconds.";

const RUN_NOTES: &str = "\
Prints `ready ADDR` when it can do its work. Until then it waits: for the ledger, where that is in
another process, and, with all roles, for as many storage nodes as expect_nodes says. The log says
what it waits for; SIGTERM ends the wait.

At the very first start (no custosd.json in the data folder) the ledger and, when it is missing, the
key file are made; a gateway of a cluster that has evidence needs the key file of the others. A
folder is made into a disk when the node sees it for the first time; one that is missing later is
reported and left out. A missing ledger or key stops the start.";

/// The Custos server: keeps video evidence complete, genuine and impossible to alter unnoticed.
#[derive(Debug, Parser)]
#[command(name = "custosd", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `custosd` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an embedded cluster in one folder: to try Custos, to develop, to test
    #[command(after_help = DEV_NOTES)]
    Dev(DevArgs),
    /// Run the roles that a configuration file names
    #[command(after_help = RUN_NOTES)]
    Run(RunArgs),
    /// Make a ledger of a backup, in an empty data folder
    #[command(after_help = RESTORE_NOTES)]
    Restore(RestoreArgs),
    /// Look at a configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Flags of `custosd dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Folder that holds everything; made when it is missing
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7400")]
    pub listen: SocketAddr,
    /// Erasure profile k+m: k+m disk folders, any m of them may be lost [2+1, 4+2, 8+3, 10+4]
    #[arg(long, value_name = "K+M", default_value = "4+2")]
    pub profile: ErasureProfile,
    /// Serve Prometheus metrics on http://ADDR/metrics
    #[arg(long, value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
    /// Run the cluster's clock so many days ahead, to see in an hour what takes years. Cluster time
    /// never moves back: a folder that was ahead stays ahead
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=36_600))]
    pub days_ahead: u32,
    /// How log lines on stderr look
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// Export spans to this OTLP gRPC collector, such as http://127.0.0.1:4317
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp: Option<String>,
}

/// Flags of `custosd run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Flags of `custosd restore`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("where").args(["data", "config"]).required(true).multiple(true))]
pub struct RestoreArgs {
    /// Where backups are kept: a folder or s3://BUCKET/PREFIX
    #[arg(long, value_name = "PLACE")]
    pub from: String,
    /// Which backup, as `custos cluster backup ls` names it [default: the newest]
    #[arg(long, value_name = "NAME")]
    pub backup: Option<String>,
    /// The data folder to fill: missing or empty [default: data_dir of the configuration]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The configuration of the process that will keep the ledger: its data_dir and cluster_name
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Refuse a backup of another cluster than this [default: cluster_name of the configuration]
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
}

/// What can be done with a configuration file.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the configuration as it would be used, or every mistake in it by line
    Check {
        /// The configuration file (TOML)
        file: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn dev_has_the_defaults_that_the_contract_names() {
        let cli = Cli::try_parse_from(["custosd", "dev", "--data", "d"]).expect("enough");
        let Command::Dev(dev) = cli.command else { panic!("dev") };
        assert_eq!(dev.listen.to_string(), "127.0.0.1:7400");
        assert_eq!(dev.profile, ErasureProfile::P4_2);
        assert_eq!((dev.metrics, dev.log_format), (None, LogFormat::Text));
    }

    #[test]
    fn an_unknown_profile_is_refused_with_those_there_are() {
        let arguments = ["custosd", "dev", "--data", "d", "--profile", "3+3"];
        let error = Cli::try_parse_from(arguments).expect_err("refused");
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("2+1, 4+2, 8+3, 10+4"), "{error}");
    }
}
