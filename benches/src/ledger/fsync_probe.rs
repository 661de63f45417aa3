use std::{
    fs::OpenOptions,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::{
    content::Content,
    figures::{self, Figures},
    latencies::{Latencies, Percentiles},
};

/// Bytes of one append: about one command.
const APPEND_BYTES: usize = 512;

/// How often one thread makes an append durable, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct FsyncRate {
    pub(super) per_s: f64,
    pub(super) latency_ms: Percentiles,
}

/// The rates of all rounds.
#[derive(Debug, Serialize)]
pub(super) struct FsyncRates {
    pub(super) command: &'static str,
    pub(super) rounds: Vec<FsyncRate>,
}

impl Figures for FsyncRates {
    fn heads(&self) -> Vec<&'static str> {
        vec!["512-byte append + fdatasync, round", "per s", "p50 ms", "p95 ms", "p99 ms"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |(number, rate): (usize, &FsyncRate)| {
            let Percentiles { p50, p95, p99, max: _ } = rate.latency_ms;
            let cells = [rate.per_s, p50, p95, p99].map(figures::number);
            std::iter::once((number + 1).to_string()).chain(cells).collect()
        };
        self.rounds.iter().enumerate().map(row).collect()
    }
}

/// Appends to a file in `dir` and syncs it, again and again for the time `each`.
pub(super) fn measure(dir: &Path, each: Duration) -> Result<FsyncRate> {
    let mut file = tempfile::Builder::new()
        .prefix("fsync-probe-")
        .make_in(dir, |path| OpenOptions::new().append(true).create_new(true).open(path))
        .with_context(|| format!("a file in {}", dir.display()))?;
    let piece = Content::new(7).bytes(APPEND_BYTES);
    let mut latencies = Latencies::new();
    let mut appends = 0_u64;
    let start = Instant::now();
    while start.elapsed() < each {
        let begin = Instant::now();
        file.write_all(&piece)?;
        file.as_file().sync_data()?;
        latencies.record(begin.elapsed());
        appends += 1;
    }
    let per_s = appends as f64 / start.elapsed().as_secs_f64();
    let latency_ms = latencies.percentiles().context("no append ended in time")?;
    Ok(FsyncRate { per_s, latency_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_are_counted_and_the_file_goes_again() {
        let dir = tempfile::tempdir().expect("tempdir");
        let rate = measure(dir.path(), Duration::from_millis(50)).expect("measured");
        assert!(rate.per_s > 0.0 && rate.latency_ms.p50 <= rate.latency_ms.p99);
        // One thread, one after the other: its rate cannot be above what its median allows by far.
        assert!(rate.per_s < 3.0 * 1000.0 / rate.latency_ms.p50, "{rate:?}");
        assert_eq!(dir.path().read_dir().expect("listed").count(), 0);
    }
}
