use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::Placement;
use crate::{
    args::OPERATIONS_MAX,
    drive::{Bounds, Worker, drive},
    latencies::Latencies,
    process_probe::ProcessProbe,
};

/// Commits that are not counted before each run: connections, caches and batches find their pace.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long commits may still run when no more begin.
const GRACE: Duration = Duration::from_secs(15);

/// Who commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum System {
    Custos,
    Etcd,
}

impl System {
    /// As tables name it.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Custos => "custos",
            Self::Etcd => "etcd",
        }
    }
}

/// What is loaded, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Load {
    pub(super) system: System,
    pub(super) at: Placement,
    pub(super) clients: u64,
}

/// What came of a load, in one run or several together.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) commits: u64,
    /// Evidence among them that was sealed; nothing of etcd.
    pub(super) sealed: u64,
    pub(super) elapsed: Duration,
    /// Of one commit each.
    pub(super) latencies: Latencies,
    /// Processor time of the three server processes together.
    pub(super) server_cpu: Duration,
    /// Processor time of all clients.
    pub(super) client_cpu: Duration,
}

impl Turn {
    pub(super) fn nothing() -> Self {
        Self {
            commits: 0,
            sealed: 0,
            elapsed: Duration::ZERO,
            latencies: Latencies::new(),
            server_cpu: Duration::ZERO,
            client_cpu: Duration::ZERO,
        }
    }

    /// Takes in another run of the same load.
    pub(super) fn add(&mut self, other: &Self) {
        self.commits += other.commits;
        self.sealed += other.sealed;
        self.elapsed += other.elapsed;
        self.latencies.add(&other.latencies);
        self.server_cpu += other.server_cpu;
        self.client_cpu += other.client_cpu;
    }
}

/// Runs the workers that `workers` makes for the time `each`, after a short run that is not counted.
/// What they seal is for the caller to count, by `before_counting` from the counted run on.
///
/// # Errors
/// The first commit that failed or did not end: figures of a group that fails are none.
pub(super) async fn run<W: Worker>(
    workers: impl Fn() -> Result<Vec<W>>,
    probes: &[ProcessProbe],
    each: Duration,
    before_counting: impl FnOnce(),
) -> Result<Turn> {
    finished(workers()?, WARM_UP).await.context("warming up")?;
    let counted = workers()?;
    before_counting();
    let (server_before, client_before) = (cpu(probes)?, ProcessProbe::own().cpu()?);
    let mut turn = finished(counted, each).await?;
    turn.server_cpu = cpu(probes)?.saturating_sub(server_before);
    turn.client_cpu = ProcessProbe::own().cpu()?.saturating_sub(client_before);
    Ok(turn)
}

async fn finished(workers: Vec<impl Worker>, begin_within: Duration) -> Result<Turn> {
    let bounds = Bounds { operations: OPERATIONS_MAX, begin_within, grace: GRACE };
    let tally = drive(workers, bounds).await;
    let failed = tally.errors.len();
    if let Some(error) = tally.errors.into_iter().next() {
        return Err(error.context(format!("{failed} clients stopped early; the first")));
    }
    if tally.begun > tally.done {
        bail!("{} commits had not ended after {GRACE:?}", tally.begun - tally.done);
    }
    Ok(Turn {
        commits: tally.done,
        elapsed: tally.elapsed,
        latencies: tally.latencies,
        ..Turn::nothing()
    })
}

fn cpu(probes: &[ProcessProbe]) -> Result<Duration> {
    probes.iter().map(|probe| probe.cpu()).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::drive::Operation;

    struct Counting(Arc<AtomicU64>);

    impl Worker for Counting {
        async fn operate(&mut self, _number: u64) -> Result<Operation> {
            self.0.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(Operation { bytes: 1, latency: Duration::from_millis(1), to_first_byte: None })
        }
    }

    struct Failing;

    impl Worker for Failing {
        async fn operate(&mut self, number: u64) -> Result<Operation> {
            bail!("commit {number} failed")
        }
    }

    #[tokio::test]
    async fn what_is_done_while_warming_up_is_not_counted() {
        let done = Arc::new(AtomicU64::new(0));
        let workers = || Ok(vec![Counting(done.clone()), Counting(done.clone())]);
        let each = Duration::from_millis(50);
        let reset = || done.store(0, Ordering::Relaxed);
        let turn = run(workers, &[ProcessProbe::own()], each, reset).await.expect("ran");
        assert_eq!(turn.commits, done.load(Ordering::Relaxed));
        assert!(turn.commits >= 2 && turn.elapsed >= each, "{turn:?}");
    }

    #[tokio::test]
    async fn a_commit_that_fails_makes_the_run_fail() {
        let run = run(|| Ok(vec![Failing]), &[], Duration::from_millis(1), || ()).await;
        let error = format!("{:#}", run.expect_err("failed"));
        assert!(error.contains("commit 0 failed"), "{error}");
    }
}
