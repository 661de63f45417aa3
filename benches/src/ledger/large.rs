use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::time::sleep;

use super::{
    local_ledger::{LocalLedger, LocalWorker},
    our_group::OurGroup,
    seal_worker::SealWorker,
};
use crate::{
    args::{LedgerLargeArgs, OPERATIONS_MAX},
    drive::{Bounds, Tally, drive, drive_until},
    figures::{self, Figures, Output, maybe, number},
    latencies::Percentiles,
    process_probe::ProcessProbe,
};

/// Raft entries between two snapshots: while the ledger is filled, while the load without any runs,
/// and while the one with many does.
const FILLING: u64 = 5_000;
const NEVER: u64 = 1 << 40;
const OFTEN: u64 = 300;
/// How long commits may still run when no more begin.
const GRACE: Duration = Duration::from_secs(30);
/// For a member to receive everything and get its vote, while load goes on.
const JOIN_LIMIT: Duration = Duration::from_secs(600);
const MIB: f64 = 1024.0 * 1024.0;

/// The `ledger-large` command.
pub(crate) async fn ledger_large(args: &LedgerLargeArgs, output: Output) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(&args.dir);
    let folder = folder.with_context(|| format!("a temporary folder in {}", args.dir.display()))?;
    let mut group = OurGroup::prepare(&folder.path().join("custos"))?;
    group.add().await.context("the founder")?;
    group.settle().await?;
    group.stop().await?;

    let dir = group.ledger_of_founder();
    let ledger = LocalLedger::open(&dir, FILLING).await?;
    ledger.fill(args.records).await?;
    ledger.close().await;
    let mut rows = vec![
        snapshots(&dir, NEVER, "no snapshot", args).await?,
        snapshots(&dir, OFTEN, "snapshots", args).await?,
    ];

    let start = Instant::now();
    group.add().await.context("the founder, filled")?;
    group.settle().await?;
    let started = start.elapsed();
    rows.push(Row { seconds: Some(started.as_secs_f64()), ..Row::of("start of the process") });
    let alone = drive(workers(&group, args).await?, bounds(args.each())).await;
    rows.push(with_memory(&group, Row::loaded("one member", alone)?)?);

    for name in ["a second joins", "a third joins"] {
        rows.push(join(&mut group, name, args).await?);
    }
    let all = drive(workers(&group, args).await?, bounds(args.each())).await;
    rows.push(with_memory(&group, Row::loaded("three members", all)?)?);
    let (records, build) = (args.records, figures::build_name());
    figures::print(&Rows { command: "ledger-large", build, records, rows }, output)?;
    group.stop().await
}

/// Commits at the ledger itself while it takes a snapshot every so many entries.
async fn snapshots(
    dir: &Path,
    every: u64,
    name: &'static str,
    args: &LedgerLargeArgs,
) -> Result<Row> {
    let ledger = LocalLedger::open(dir, every).await?;
    let workers: Result<Vec<_>> =
        (0..args.clients).map(|number| LocalWorker::new(&ledger, number)).collect();
    let load = tokio::spawn(drive(workers?, bounds(args.each())));
    let (mut taken, mut last) = (0, ledger.snapshot_index());
    while !load.is_finished() {
        sleep(Duration::from_millis(20)).await;
        let now = ledger.snapshot_index();
        taken += u64::from(now != last);
        last = now;
    }
    let row = Row::loaded(name, load.await.context("the load")?)?;
    ledger.close().await;
    Ok(Row { snapshots: Some(taken), ..row })
}

/// Takes a member in while clients commit at the founder.
async fn join(group: &mut OurGroup, name: &'static str, args: &LedgerLargeArgs) -> Result<Row> {
    let (stop, load) = (Arc::new(AtomicBool::new(false)), workers(group, args).await?);
    let load = tokio::spawn(drive_until(load, bounds(JOIN_LIMIT), stop.clone()));
    let start = Instant::now();
    let joined = async {
        group.add().await?;
        group.settle_within(JOIN_LIMIT).await
    };
    let joined = joined.await;
    let seconds = start.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let row = Row::loaded(name, load.await.context("the load")?)?;
    joined?;
    with_memory(group, Row { seconds: Some(seconds), ..row })
}

async fn workers(group: &OurGroup, args: &LedgerLargeArgs) -> Result<Vec<SealWorker>> {
    let channels = group.connect_to_founder().await?;
    let clients = 0..usize::try_from(args.clients).expect("the most clients fit");
    clients.map(|number| SealWorker::new(&channels, number, Default::default())).collect()
}

fn bounds(begin_within: Duration) -> Bounds {
    Bounds { operations: OPERATIONS_MAX, begin_within, grace: GRACE }
}

fn with_memory(group: &OurGroup, row: Row) -> Result<Row> {
    let peaks: Result<Vec<u64>> =
        group.probes()?.into_iter().map(ProcessProbe::memory_peak_bytes).collect();
    let most = peaks?.into_iter().max().map(|bytes| bytes as f64 / MIB);
    Ok(Row { memory_peak_mib: most, ..row })
}

#[derive(Debug, Serialize)]
struct Rows {
    command: &'static str,
    build: &'static str,
    records: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    /// What it took, where that is the question.
    seconds: Option<f64>,
    commits_per_s: Option<f64>,
    latency_ms: Option<Percentiles>,
    snapshots: Option<u64>,
    /// Of the process that ever needed most.
    memory_peak_mib: Option<f64>,
}

impl Row {
    fn of(what: &'static str) -> Self {
        Self {
            what,
            seconds: None,
            commits_per_s: None,
            latency_ms: None,
            snapshots: None,
            memory_peak_mib: None,
        }
    }

    fn loaded(what: &'static str, tally: Tally) -> Result<Self> {
        if let Some(error) = tally.errors.into_iter().next() {
            return Err(error.context(what));
        }
        let commits_per_s = tally.done as f64 / tally.elapsed.as_secs_f64();
        let latency_ms = tally.latencies.percentiles();
        Ok(Self { commits_per_s: Some(commits_per_s), latency_ms, ..Self::of(what) })
    }
}

impl Figures for Rows {
    fn heads(&self) -> Vec<&'static str> {
        vec!["what", "s", "ops/s", "p50 ms", "p99 ms", "max ms", "snapshots", "peak MiB"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let cells = |row: &Row| {
            let latency = |of: fn(&Percentiles) -> f64| maybe(row.latency_ms.as_ref().map(of));
            vec![
                row.what.to_owned(),
                maybe(row.seconds),
                maybe(row.commits_per_s),
                latency(|it| it.p50),
                latency(|it| it.p99),
                latency(|it| it.max),
                row.snapshots.map_or_else(|| "–".to_owned(), |count| count.to_string()),
                row.memory_peak_mib.map_or_else(|| "–".to_owned(), number),
            ]
        };
        self.rows.iter().map(cells).collect()
    }
}
