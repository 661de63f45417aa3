use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use custos_ports::ShardStore;
use serde::Serialize;
use tokio::task::{JoinSet, spawn_blocking};

use super::{
    raw::{self, Rhythm},
    store,
};
use crate::{
    args::DiskWriteArgs,
    content::Content,
    figures::{self, Figures, Output},
    latencies::{Latencies, Percentiles},
    process_probe::ProcessProbe,
    work::{Rate, Work},
};

/// Space that the raw file is given at a time: the store's own step.
const ALLOCATE_BYTES: u64 = 16 << 20;

/// The `disk-write` command: rounds of raw writes and of the store's, one after the other.
pub(crate) async fn write(args: &DiskWriteArgs, output: Output) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(&args.dir);
    let folder = folder.with_context(|| format!("a temporary folder in {}", args.dir.display()))?;
    let mut rounds = Vec::new();
    for number in 0..args.rounds {
        let raw = raw_round(args, &folder.path().join(format!("raw-{number}"))).await?;
        let (store, latency) = store_round(args, &folder.path().join(format!("d{number}"))).await?;
        rounds.push(Round { raw, store, ratio: store.mib_per_s / raw.mib_per_s, latency });
    }
    figures::print(
        &Rounds { command: "disk-write", build: figures::build_name(), rounds },
        output,
    )?;
    Ok(())
}

/// One round of each, with its ratio.
#[derive(Debug, Serialize)]
struct Round {
    raw: Rate,
    store: Rate,
    /// The store's throughput over the raw one's.
    ratio: f64,
    /// Of one shard, from the call to durable, in ms.
    latency: Percentiles,
}

#[derive(Debug, Serialize)]
struct Rounds {
    command: &'static str,
    build: &'static str,
    rounds: Vec<Round>,
}

impl Figures for Rounds {
    fn heads(&self) -> Vec<&'static str> {
        vec![
            "round",
            "raw MiB/s",
            "raw CPU-s/GiB",
            "store MiB/s",
            "store CPU-s/GiB",
            "ratio",
            "p50 ms",
            "p99 ms",
        ]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(number, round): (usize, &Round)| {
            let Round { raw, store, ratio, latency } = round;
            let numbers = [
                raw.mib_per_s,
                raw.cpu_s_per_gib,
                store.mib_per_s,
                store.cpu_s_per_gib,
                *ratio,
                latency.p50,
                latency.p99,
            ];
            let cells = numbers.into_iter().map(figures::number);
            std::iter::once((number + 1).to_string()).chain(cells).collect()
        };
        self.rounds.iter().enumerate().map(row).collect()
    }
}

async fn raw_round(args: &DiskWriteArgs, file: &Path) -> Result<Rate> {
    let rhythm = Rhythm {
        write_bytes: usize::try_from(args.shard_bytes.bytes())?,
        writes_per_sync: args.writers,
        allocate_bytes: ALLOCATE_BYTES,
    };
    let (path, each) = (file.to_owned(), args.each());
    let cpu_before = ProcessProbe::own().cpu()?;
    let (bytes, elapsed) = spawn_blocking(move || raw::write(&path, rhythm, each)).await??;
    let cpu = ProcessProbe::own().cpu()?.saturating_sub(cpu_before);
    std::fs::remove_file(file)?;
    Work { bytes, elapsed, cpu }.rate().context("nothing was written in time")
}

async fn store_round(args: &DiskWriteArgs, dir: &Path) -> Result<(Rate, Percentiles)> {
    let disk = store::open(dir, store::create()).await?;
    let payload = Bytes::from(Content::new(7).bytes(usize::try_from(args.shard_bytes.bytes())?));
    let next = Arc::new(AtomicU64::new(0));
    let cpu_before = ProcessProbe::own().cpu()?;
    let start = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..args.writers {
        let writer = Writer { disk: disk.clone(), payload: payload.clone(), next: next.clone() };
        writers.spawn(writer.run(start, args.each()));
    }
    let mut shards = 0;
    let mut latencies = Latencies::new();
    while let Some(written) = writers.join_next().await {
        let (count, own) = written??;
        shards += count;
        latencies.add(&own);
    }
    let elapsed = start.elapsed();
    let cpu = ProcessProbe::own().cpu()?.saturating_sub(cpu_before);
    disk.close().await;
    drop(disk);
    std::fs::remove_dir_all(dir)?;
    let bytes = shards * args.shard_bytes.bytes();
    let rate = Work { bytes, elapsed, cpu }.rate().context("nothing was written in time")?;
    Ok((rate, latencies.percentiles().context("nothing was written in time")?))
}

/// Writes one shard after the other.
struct Writer {
    disk: Arc<dyn ShardStore>,
    payload: Bytes,
    next: Arc<AtomicU64>,
}

impl Writer {
    async fn run(self, start: Instant, each: Duration) -> Result<(u64, Latencies)> {
        let mut latencies = Latencies::new();
        let mut count = 0;
        while start.elapsed() < each {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let begin = Instant::now();
            self.disk.write(store::shard(number, self.payload.clone())).await?;
            latencies.record(begin.elapsed());
            count += 1;
        }
        Ok((count, latencies))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    #[tokio::test]
    async fn a_short_round_of_each_is_measured_and_leaves_nothing() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().to_str().expect("UTF-8");
        let words = ["custos-bench", "disk-write", "--rounds", "1", "--dir", path];
        let cli = Cli::try_parse_from(words).expect("parses");
        let Command::DiskWrite(mut args) = cli.command else { panic!("another command") };
        args.shard_bytes = "64KiB".parse().expect("a size");
        args.set_each(Duration::from_millis(100));
        write(&args, Output::Json).await.expect("measured");
        assert_eq!(dir.path().read_dir().expect("listed").count(), 0);
    }
}
