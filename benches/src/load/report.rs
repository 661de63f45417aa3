use std::time::Duration;

use anyhow::{Result, anyhow};
use custos_core::ErasureProfile;
use serde::Serialize;

use super::ratios::{Compared, Ratios};
use crate::{
    drive::{Bounds, Tally, Worker, drive},
    figures::{self, Figures, Output, maybe},
    latencies::Percentiles,
    limit::Baseline,
    process_probe::ProcessProbe,
    work::{Work, cpu_s_per_gib},
};

/// What sort of load it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Ingest,
    PlaybackWhole,
    PlaybackRanges,
}

/// How a load is run and judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) kind: Kind,
    pub(super) profile: ErasureProfile,
    pub(super) bounds: Bounds,
    pub(super) server: Option<ProcessProbe>,
    pub(super) baseline: Option<&'a Baseline>,
    pub(super) output: Output,
}

/// What came of a load.
#[derive(Debug, Serialize)]
pub(super) struct LoadReport {
    command: Kind,
    build: &'static str,
    profile: String,
    clients: usize,
    done: u64,
    failed: u64,
    unfinished: u64,
    bytes: u64,
    seconds: f64,
    mib_per_s: Option<f64>,
    latency_ms: Option<Percentiles>,
    first_byte_ms: Option<Percentiles>,
    client_cpu_s_per_gib: Option<f64>,
    server_cpu_s_per_gib: Option<f64>,
    server_memory_peak_mib: Option<f64>,
    ratios: Option<Ratios>,
}

impl Run<'_> {
    /// Runs the load and prints its report.
    ///
    /// # Errors
    /// The first operation that failed or did not end, after the report.
    pub(super) async fn run(self, workers: Vec<impl Worker>) -> Result<()> {
        let clients = workers.len();
        let cpu = |probe: Option<ProcessProbe>| probe.map(ProcessProbe::cpu).transpose();
        let own = ProcessProbe::own();
        let (own_before, server_before) = (own.cpu()?, cpu(self.server)?);
        let mut tally = drive(workers, self.bounds).await;
        let own_cpu = own.cpu()?.saturating_sub(own_before);
        let errors = std::mem::take(&mut tally.errors);
        // A server that is gone has no figures, and is the reason of the errors.
        let server_after = cpu(self.server).ok().flatten();
        let server_cpu =
            server_after.zip(server_before).map(|(now, then)| now.saturating_sub(then));
        let memory_peak = self.server.and_then(|server| server.memory_peak_bytes().ok());
        let failed = errors.len() as u64;
        let report = self.report(clients, &tally, failed, own_cpu, server_cpu, memory_peak);
        figures::print(&report, self.output)?;
        match errors.into_iter().next() {
            Some(error) => Err(error.context(format!("{failed} operations failed; the first"))),
            None if report.unfinished > 0 => Err(anyhow!(
                "{} operations had not ended {:?} after the last could begin",
                report.unfinished,
                self.bounds.grace
            )),
            None => Ok(()),
        }
    }

    fn report(
        &self,
        clients: usize,
        tally: &Tally,
        failed: u64,
        own_cpu: Duration,
        server_cpu: Option<Duration>,
        memory_peak: Option<u64>,
    ) -> LoadReport {
        let rate = Work { bytes: tally.bytes, elapsed: tally.elapsed, cpu: own_cpu }.rate();
        let per_gib = |cpu| (tally.bytes > 0).then(|| cpu_s_per_gib(cpu, tally.bytes));
        let compared = Compared {
            kind: self.kind,
            profile: self.profile,
            mib_per_s: rate.map(|rate| rate.mib_per_s),
            server_cpu_s_per_gib: server_cpu.and_then(per_gib),
            client_cpu_s_per_gib: rate.map(|rate| rate.cpu_s_per_gib),
        };
        LoadReport {
            command: self.kind,
            build: figures::build_name(),
            profile: self.profile.to_string(),
            clients,
            done: tally.done,
            failed,
            unfinished: tally.begun.saturating_sub(tally.done + failed),
            bytes: tally.bytes,
            seconds: tally.elapsed.as_secs_f64(),
            mib_per_s: compared.mib_per_s,
            latency_ms: tally.latencies.percentiles(),
            first_byte_ms: tally.to_first_byte.percentiles(),
            client_cpu_s_per_gib: compared.client_cpu_s_per_gib,
            server_cpu_s_per_gib: compared.server_cpu_s_per_gib,
            server_memory_peak_mib: memory_peak.map(|bytes| bytes as f64 / f64::from(1 << 20)),
            ratios: self.baseline.map(|baseline| Ratios::new(&compared, baseline)),
        }
    }
}

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::Ingest => "put",
            Self::PlaybackWhole => "stream, whole",
            Self::PlaybackRanges => "stream, random ranges",
        }
    }
}

impl Figures for LoadReport {
    fn heads(&self) -> Vec<&'static str> {
        vec![self.command.label(), ""]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let percentiles = |found: Option<Percentiles>| match found {
            Some(Percentiles { p50, p95, p99, max }) => {
                [p50, p95, p99, max].map(figures::number).join(" / ")
            }
            None => "–".to_owned(),
        };
        let mut rows = vec![
            (
                "done / failed / unfinished",
                format!("{} / {} / {}", self.done, self.failed, self.unfinished),
            ),
            ("clients, profile", format!("{}, {}", self.clients, self.profile)),
            ("MiB/s", maybe(self.mib_per_s)),
            ("latency ms, p50 / p95 / p99 / max", percentiles(self.latency_ms)),
        ];
        if self.first_byte_ms.is_some() {
            rows.push(("to first byte ms, p50 / p95 / p99 / max", percentiles(self.first_byte_ms)));
        }
        rows.extend([
            ("server CPU-s/GiB", maybe(self.server_cpu_s_per_gib)),
            ("client CPU-s/GiB", maybe(self.client_cpu_s_per_gib)),
            ("server memory peak MiB", maybe(self.server_memory_peak_mib)),
        ]);
        if let Some(ratios) = self.ratios {
            rows.extend([
                ("ratio: throughput of a raw TLS stream", maybe(ratios.of_raw_stream)),
                ("ratio: shard bytes of the disk", maybe(ratios.of_disk)),
                ("ratio: server CPU over floor", maybe(ratios.server_cpu_over_floor)),
                ("ratio: client CPU over floor", maybe(ratios.client_cpu_over_floor)),
            ]);
        }
        rows.into_iter().map(|(name, cell)| vec![format!("  {name}"), cell]).collect()
    }
}
