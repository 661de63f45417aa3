use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    Placement,
    turn::{Load, System, Turn},
};
use crate::{
    figures::{self, Figures, maybe, number},
    latencies::Percentiles,
};

/// One row: a load, in one round or in all of them together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) load: Load,
    /// `None` for all together.
    pub(super) round: Option<u64>,
    pub(super) commits: u64,
    pub(super) commits_per_s: f64,
    pub(super) sealed_per_s: Option<f64>,
    pub(super) latency_ms: Percentiles,
    pub(super) server_cpu_s_per_10k: f64,
    pub(super) client_cpu_s_per_10k: f64,
}

impl Row {
    /// # Errors
    /// When nothing was committed.
    pub(super) fn new(load: Load, round: Option<u64>, turn: &Turn) -> Result<Self> {
        let latency_ms = turn.latencies.percentiles().context("nothing was committed in time")?;
        let seconds = turn.elapsed.as_secs_f64();
        let per_10k = |cpu: Duration| cpu.as_secs_f64() / (turn.commits as f64 / 10_000.0);
        let sealed_per_s = turn.sealed as f64 / seconds;
        Ok(Self {
            load,
            round,
            commits: turn.commits,
            commits_per_s: turn.commits as f64 / seconds,
            sealed_per_s: (load.system == System::Custos).then_some(sealed_per_s),
            latency_ms,
            server_cpu_s_per_10k: per_10k(turn.server_cpu),
            client_cpu_s_per_10k: per_10k(turn.client_cpu),
        })
    }

    /// For people who wait.
    pub(super) fn progress(&self) -> String {
        let Load { system, at, clients } = self.load;
        format!(
            "{} {}, {clients} clients: {} commits/s, p99 {} ms",
            system.label(),
            at.label(),
            number(self.commits_per_s),
            number(self.latency_ms.p99)
        )
    }
}

/// The rows of single rounds, or those of all rounds together.
#[derive(Debug, Serialize)]
pub(super) struct Rows {
    pub(super) command: &'static str,
    pub(super) build: &'static str,
    /// Of a command of ours, and of a value of etcd.
    pub(super) bytes: usize,
    pub(super) etcd: Option<String>,
    pub(super) rows: Vec<Row>,
}

impl Figures for Rows {
    fn heads(&self) -> Vec<&'static str> {
        vec![
            "load",
            "clients",
            "round",
            "commits/s",
            "sealed/s",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "server CPU-s/10k",
            "client CPU-s/10k",
        ]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |row: &Row| {
            let Load { system, at, clients } = row.load;
            let Percentiles { p50, p95, p99, max: _ } = row.latency_ms;
            let mut cells = vec![
                format!("{}, {}", system.label(), at.label()),
                clients.to_string(),
                row.round.map_or_else(|| "all".to_owned(), |round| round.to_string()),
                number(row.commits_per_s),
                maybe(row.sealed_per_s),
            ];
            let numbers = [p50, p95, p99, row.server_cpu_s_per_10k, row.client_cpu_s_per_10k];
            cells.extend(numbers.map(number));
            cells
        };
        self.rows.iter().map(row).collect()
    }
}

/// Ours over etcd's, for one number of clients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Ratio {
    at: Placement,
    clients: u64,
    /// Commits a second: more is better.
    throughput: f64,
    /// Latencies and processor time: less is better.
    p50: f64,
    p99: f64,
    server_cpu: f64,
}

/// All ratios.
#[derive(Debug, Serialize)]
pub(super) struct Ratios {
    command: &'static str,
    ratios: Vec<Ratio>,
}

impl Ratios {
    /// Of rows that stand for all rounds; loads of one system only have none.
    pub(super) fn of(rows: &[Row]) -> Self {
        let of_system = |system| rows.iter().filter(move |row| row.load.system == system);
        let ratio = |ours: &Row| {
            let load = Load { system: System::Etcd, ..ours.load };
            let etcd = of_system(System::Etcd).find(|row| row.load == load)?;
            Some(Ratio {
                at: load.at,
                clients: load.clients,
                throughput: ours.commits_per_s / etcd.commits_per_s,
                p50: ours.latency_ms.p50 / etcd.latency_ms.p50,
                p99: ours.latency_ms.p99 / etcd.latency_ms.p99,
                server_cpu: ours.server_cpu_s_per_10k / etcd.server_cpu_s_per_10k,
            })
        };
        let ratios = of_system(System::Custos).filter_map(ratio).collect();
        Self { command: "ledger-ratios", ratios }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ratios.is_empty()
    }
}

impl Figures for Ratios {
    fn heads(&self) -> Vec<&'static str> {
        vec!["custos over etcd", "clients", "commits/s", "p50", "p99", "server CPU"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let row = |ratio: &Ratio| {
            let Ratio { at, clients, throughput, p50, p99, server_cpu } = *ratio;
            let mut cells = vec![at.label().to_owned(), clients.to_string()];
            cells.extend([throughput, p50, p99, server_cpu].map(figures::number));
            cells
        };
        self.ratios.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(system: System, clients: u64, commits: u64, latency_ms: u64) -> Row {
        let mut turn = Turn {
            commits,
            sealed: commits / 2,
            elapsed: Duration::from_secs(2),
            server_cpu: Duration::from_secs(3),
            client_cpu: Duration::from_secs(1),
            ..Turn::nothing()
        };
        turn.latencies.record(Duration::from_millis(latency_ms));
        let load = Load { system, at: Placement::Spread, clients };
        Row::new(load, None, &turn).expect("a row")
    }

    #[test]
    fn rates_are_by_second_and_processor_time_by_ten_thousand_commits() {
        let ours = row(System::Custos, 64, 20_000, 4);
        assert_eq!((ours.commits_per_s, ours.sealed_per_s), (10_000.0, Some(5_000.0)));
        assert_eq!((ours.server_cpu_s_per_10k, ours.client_cpu_s_per_10k), (1.5, 0.5));
        assert_eq!(row(System::Etcd, 64, 20_000, 4).sealed_per_s, None);
        let load = ours.load;
        assert!(Row::new(load, None, &Turn::nothing()).is_err(), "nothing has no figures");
    }

    #[test]
    fn each_number_of_clients_stands_beside_the_same_of_etcd() {
        let rows = [
            row(System::Custos, 1, 1000, 2),
            row(System::Custos, 64, 3000, 10),
            row(System::Etcd, 64, 2000, 40),
            row(System::Etcd, 256, 9000, 40),
        ];
        let Ratios { ratios, .. } = Ratios::of(&rows);
        let [ratio] = ratios[..] else { panic!("{ratios:?}") };
        assert_eq!((ratio.clients, ratio.throughput), (64, 1.5));
        assert!((ratio.p99 - 0.25).abs() < 0.01 && (ratio.server_cpu - 2.0 / 3.0).abs() < 0.01);
        assert!(Ratios::of(&rows[..2]).is_empty());
    }

    #[test]
    fn runs_of_one_load_add_up() {
        let mut all = Turn::nothing();
        for latency_ms in [1, 3] {
            let mut turn = Turn { commits: 5, ..Turn::nothing() };
            turn.elapsed = Duration::from_secs(1);
            turn.latencies.record(Duration::from_millis(latency_ms));
            all.add(&turn);
        }
        let load = Load { system: System::Custos, at: Placement::Leader, clients: 1 };
        let row = Row::new(load, None, &all).expect("a row");
        assert_eq!((row.commits, row.commits_per_s), (10, 5.0));
        assert!(row.latency_ms.p99 > 2.9 && row.latency_ms.p50 < 1.1, "{row:?}");
    }
}
