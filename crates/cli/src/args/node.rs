use clap::Subcommand;

const LS_HELP: &str = "\
Examples:
  custos node ls
  custos node ls --json | jq -r 'select(.unreachable) | .name'

JSON, one line a node: node_id, name, endpoint, zone, rack, host, unreachable
(why it does not answer, or null), version, disks (as `custos disk ls` shows
them), strange_disks (name and offline of disks that are out of service and that
the cluster does not know).";

/// The commands of `custos node`.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Lists the storage nodes, where they stand and whether they answer
    #[command(after_help = LS_HELP)]
    Ls,
}
