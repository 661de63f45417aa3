//! What the machine can do without Custos: the ceiling that its figures stand beside.

pub(crate) mod baseline;
mod disk;
mod kernels;
mod measure;
mod raw_grpc;
mod raw_grpc_server;

use anyhow::Result;
use tokio::task::spawn_blocking;

pub(crate) use baseline::Baseline;
pub(crate) use measure::Measure;

use crate::{
    args::{LimitArgs, Part, RawGrpcServerArgs},
    figures::{self, Output},
};

/// The `limit` command.
pub(crate) async fn run(args: &LimitArgs, output: Output) -> Result<()> {
    let baseline = measure(args).await?;
    figures::print(&baseline, output)?;
    Ok(())
}

/// The hidden command at the other end of the raw gRPC stream.
pub(crate) async fn serve_raw_grpc(args: &RawGrpcServerArgs) -> Result<()> {
    raw_grpc_server::serve(args.tls_dir.as_deref()).await
}

/// Takes every baseline that is asked for, one after the other.
pub(crate) async fn measure(args: &LimitArgs) -> Result<Baseline> {
    let mut baseline = Baseline::new();
    if args.includes(Part::Kernels) {
        let each = args.each();
        baseline.extend(spawn_blocking(move || kernels::measure(each)).await??);
    }
    if args.includes(Part::Disk) {
        let (each, dir) = (args.each(), args.dir.clone());
        baseline.extend([spawn_blocking(move || disk::measure(each, &dir)).await??]);
    }
    if args.includes(Part::Grpc) {
        baseline.extend(raw_grpc::measure(args.each()).await?);
    }
    Ok(baseline)
}
