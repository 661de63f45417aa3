use clap::{Args, Subcommand};

const LS_HELP: &str = "\
Examples:
  custos meta ls
  custos meta ls --json | jq -r 'select(.unreachable) | .name'

The ledger is kept by one meta node, or by a group of 3 or 5 that outlives the
loss of 1 or 2: while more than half of the voters answer, one of them leads and
nothing is lost. ROLE is what a node says of itself; of one that does not answer,
what it is in the group. BEHIND counts the entries that it has yet to apply.
Without a leader the names are not known, and are shown as a dash.

A node joins by its configuration (`[group]` with `join`), not by a command.

JSON, one line a node: id, name, endpoint, vote (voter, learner, or none for one
that is on record and not in the group), state (on record: admitted or retired),
unreachable (why it does not answer, or null), entries_behind, report. The report
is what the node says of itself, null when it does not answer: role (leader,
follower, candidate, learner or stopped), term, leader, last_log, applied,
snapshot (positions in the Raft log), clock.";

const REMOVE_HELP: &str = "\
Examples:
  custos meta remove meta-3 --reason \"its machine burnt\"
  custos meta remove 3 --reason \"its machine burnt\"

The node leaves the group for good and needs not answer: its id never comes back,
its name and endpoint are free again. Refused when fewer than half of those who
stay would answer, as nothing could be decided then, and for the last one. The
leader hands over first, which takes a second or two.

Asked again it does no harm, and finishes a removal that was cut off. To replace
a dead node: remove it, then start another with an empty folder and `join`. End
the process of the removed one: its folder serves no more.

JSON, one object: id.";

const LEAD_HELP: &str = "\
Examples:
  custos meta lead meta-2

Before a machine is stopped, its meta node hands over by itself; this is for
whoever wants the leader in a certain place, such as the room where most gateways
are. No command is taken for about a second; who puts or reads then waits so long.

JSON, one object: id.";

const META_HELP: &str = "NODE is the name of a meta node, or its id, a number: `custos meta ls`.";

/// The commands of `custos meta`.
#[derive(Debug, Subcommand)]
pub(crate) enum MetaCommand {
    /// Lists the nodes that keep the ledger, who leads and who is behind
    #[command(after_help = LS_HELP)]
    Ls,
    /// Takes a node out of the ledger's group for good
    #[command(after_help = format!("{REMOVE_HELP}\n\n{META_HELP}"))]
    Remove(MetaRemoveArgs),
    /// Makes a node the leader of the ledger's group
    #[command(after_help = format!("{LEAD_HELP}\n\n{META_HELP}"))]
    Lead(MetaLeadArgs),
}

/// Arguments of `custos meta remove`.
#[derive(Debug, Args)]
pub(crate) struct MetaRemoveArgs {
    /// Which meta node
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
    /// Why; goes on the custody log
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Arguments of `custos meta lead`.
#[derive(Debug, Args)]
pub(crate) struct MetaLeadArgs {
    /// Which meta node
    #[arg(value_name = "NODE")]
    pub(crate) node: String,
}
