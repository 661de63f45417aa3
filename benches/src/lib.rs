//! `custos-bench`: how fast Custos is on this machine, beside how fast the machine is.
//!
//! Owns the load tester's commands, the raw baselines, and the sample data that the criterion
//! benches share with them. Drives a cluster through `custos-client` alone, as any program
//! outside would, the ledger through the service that gateways use (and to fill it, through its
//! port), and one disk of the store through its port; must not know the server's inside. Everything it does is bounded in count and
//! time by the limits in [`args`], and it refuses a cluster that is not on this machine unless
//! told whose it is. Enter at [`run`] for a command, at `limit` for what is measured without
//! Custos, at `load` for how a cluster is loaded, and at `ledger` for its ledger alone.

pub mod args;
mod byte_size;
mod certificates;
mod content;
mod custosd;
mod disk;
mod drive;
mod endpoint_guard;
mod figures;
mod latencies;
mod ledger;
mod limit;
mod load;
mod process_probe;
mod ready_child;
pub mod sample_chunk;
pub mod sample_evidence;
mod work;

use anyhow::Result;

pub use byte_size::{ByteSize, ParseByteSizeError};
pub use endpoint_guard::EndpointRefused;

use crate::args::{Cli, Command};

/// Runs one command and prints its figures on standard output.
///
/// # Errors
/// What kept it from measuring; figures of failed operations are printed before that is said.
pub async fn run(cli: Cli) -> Result<()> {
    let is_started_by_another = matches!(cli.command, Command::RawGrpcServer(_));
    if cfg!(debug_assertions) && !is_started_by_another {
        eprintln!("note: this is a development build; compare only with figures of the same build");
    }
    let output = cli.output();
    match &cli.command {
        Command::Limit(args) => limit::run(args, output).await,
        Command::Ingest(args) => load::ingest(args, output).await,
        Command::Playback(args) => load::playback(args, output).await,
        Command::DiskWrite(args) => disk::write(args, output).await,
        Command::DiskOpen(args) => disk::open(args, output).await,
        Command::Ledger(args) => ledger::ledger(args, output).await,
        Command::LedgerLarge(args) => ledger::ledger_large(args, output).await,
        Command::RawGrpcServer(args) => limit::serve_raw_grpc(args).await,
    }
}
