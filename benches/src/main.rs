//! `custos-bench`: the load tester. Everything is in the library beside it.

use std::process::ExitCode;

use clap::Parser;
use custos_bench::{EndpointRefused, args::Cli};
use custos_client::ClientError;
use custos_core::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::select! {
        outcome = custos_bench::run(cli) => outcome,
        // Leaving drops what was started: a cluster, a raw server, temporary files.
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(kind_of(&error).exit_code())
        }
    }
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn kind_of(error: &anyhow::Error) -> ErrorKind {
    let of_cause = |cause: &(dyn std::error::Error + 'static)| {
        let client = cause.downcast_ref::<ClientError>().map(ClientError::kind);
        client.or_else(|| cause.downcast_ref::<EndpointRefused>().map(EndpointRefused::kind))
    };
    error.chain().find_map(of_cause).unwrap_or(ErrorKind::Internal)
}
