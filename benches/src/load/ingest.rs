use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    put_worker::PutWorker,
    report::{Kind, Run},
    target::Target,
};
use crate::{
    args::{IngestArgs, LimitArgs, LoadArgs, TEMPORARY_BYTES_MAX},
    drive::Bounds,
    figures::{self, Output},
    limit::{self, Baseline},
};

/// How long operations may still run when no more begin.
pub(super) const GRACE: Duration = Duration::from_secs(120);

/// The `ingest` command.
pub(crate) async fn ingest(args: &IngestArgs, output: Output) -> Result<()> {
    let (clients, size) = (args.load.clients.min(args.files), args.size.bytes());
    check_temporary_bytes(clients, size)?;
    let baseline = baseline_of(&args.load, output).await?;
    let target = Target::prepare(&args.load).await?;
    let mut workers = Vec::new();
    for seed in 0..clients {
        let file = target.write_file(seed, size).await?;
        workers.push(PutWorker { client: target.client()?, file, profile: args.load.profile });
    }
    let run = Run {
        kind: Kind::Ingest,
        profile: args.load.profile,
        bounds: bounds(&args.load, args.files),
        server: target.server(),
        baseline: baseline.as_ref(),
        output,
    };
    let outcome = run.run(workers).await;
    target.close().await?;
    outcome
}

/// The bounds of a load of this many operations.
pub(super) fn bounds(args: &LoadArgs, operations: u64) -> Bounds {
    Bounds { operations, begin_within: args.begin_within(), grace: GRACE }
}

/// Refuses files that would take too much of the disk.
pub(super) fn check_temporary_bytes(files: u64, size: u64) -> Result<()> {
    let needed = files.saturating_mul(size);
    ensure!(
        needed <= TEMPORARY_BYTES_MAX,
        "{files} files of {size} bytes are more than the {TEMPORARY_BYTES_MAX} temporary bytes \
         that a load may take: fewer clients or smaller files"
    );
    Ok(())
}

/// The machine's baselines, measured and printed when they are asked for.
pub(super) async fn baseline_of(args: &LoadArgs, output: Output) -> Result<Option<Baseline>> {
    if !args.with_limit {
        return Ok(None);
    }
    let baseline = limit::measure(&LimitArgs::beside_load(args.dir.clone())).await?;
    figures::print(&baseline, output)?;
    Ok(Some(baseline))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_temporary_bytes_than_are_allowed_are_refused_before_anything_is_written() {
        check_temporary_bytes(64, 1 << 30).expect("allowed");
        assert!(check_temporary_bytes(65, 1 << 30).is_err());
        assert!(check_temporary_bytes(u64::MAX, u64::MAX).is_err());
    }
}
