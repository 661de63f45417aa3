use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use super::{
    etcd_group::{self, EtcdGroup},
    fsync_probe::{self, FsyncRate, FsyncRates},
    our_group::OurGroup,
    put_worker::PutWorker,
    report::{Ratios, Row, Rows},
    seal_worker::{self, SealWorker},
    turn::{self, Load, System, Turn},
};
use crate::{
    args::LedgerArgs,
    figures::{self, Output},
};

/// The `ledger` command: rounds of ours and of etcd, by turns for every number of clients.
pub(crate) async fn ledger(args: &LedgerArgs, output: Output) -> Result<()> {
    args.check()?;
    let folder = tempfile::Builder::new().prefix("custos-bench-").tempdir_in(&args.dir);
    let folder = folder.with_context(|| format!("a temporary folder in {}", args.dir.display()))?;
    let mut rounds = Rounds {
        args,
        ours: OurGroup::start(&folder.path().join("custos")).await?,
        etcd: start_etcd(args, folder.path()).await?,
        value_bytes: seal_worker::command_bytes(),
        results: Vec::new(),
        fsync: Vec::new(),
    };
    let outcome = rounds.run(folder.path()).await;
    // What was measured before something failed is shown all the same.
    rounds.print(output)?;
    outcome?;
    rounds.ours.stop().await?;
    if let Some(etcd) = rounds.etcd {
        etcd.stop().await?;
    }
    Ok(())
}

async fn start_etcd(args: &LedgerArgs, folder: &Path) -> Result<Option<EtcdGroup>> {
    if let Some(program) = etcd_group::find(args.etcd.as_deref()) {
        return Ok(Some(EtcdGroup::start(&program, &folder.join("etcd")).await?));
    }
    eprintln!(
        "note: no etcd on PATH (Debian has it as etcd-server) and no --etcd: there is nothing to \
         compare with"
    );
    Ok(None)
}

/// One result of one round.
struct Measured {
    load: Load,
    round: u64,
    turn: Turn,
}

struct Rounds<'a> {
    args: &'a LedgerArgs,
    ours: OurGroup,
    etcd: Option<EtcdGroup>,
    value_bytes: usize,
    results: Vec<Measured>,
    fsync: Vec<FsyncRate>,
}

impl Rounds<'_> {
    async fn run(&mut self, folder: &Path) -> Result<()> {
        for round in 1..=self.args.rounds {
            if self.args.fsync_probe {
                let (dir, each) = (folder.to_owned(), self.args.each());
                self.fsync.push(spawn_blocking(move || fsync_probe::measure(&dir, each)).await??);
            }
            for &clients in &self.args.clients {
                for at in self.args.placements() {
                    for system in [System::Custos, System::Etcd] {
                        let load = Load { system, at, clients };
                        let turn = self.turn(load).await;
                        let turn = turn.with_context(|| format!("{load:?}, round {round}"))?;
                        let Some(turn) = turn else { continue };
                        let row = Row::new(load, Some(round), &turn)?;
                        eprintln!("round {round}: {}", row.progress());
                        self.results.push(Measured { load, round, turn });
                    }
                }
            }
        }
        Ok(())
    }

    /// `None` when the system is not there.
    async fn turn(&self, load: Load) -> Result<Option<Turn>> {
        let Load { system, at, clients } = load;
        let numbers = || 0..usize::try_from(clients).expect("the most clients fit");
        let each: Duration = self.args.each();
        match (system, &self.etcd) {
            (System::Custos, _) => {
                let channels = self.ours.connect(at).await?;
                let sealed = Arc::new(AtomicU64::new(0));
                let workers = || {
                    let worker = |number| SealWorker::new(&channels, number, sealed.clone());
                    numbers().map(worker).collect()
                };
                let probes = self.ours.probes()?;
                let reset = || sealed.store(0, Ordering::Relaxed);
                let mut turn = turn::run(workers, &probes, each, reset).await?;
                turn.sealed = sealed.load(Ordering::Relaxed);
                Ok(Some(turn))
            }
            (System::Etcd, Some(etcd)) => {
                let channels = etcd.connect(at).await?;
                let workers = || {
                    let worker = |number| PutWorker::new(&channels, number, self.value_bytes);
                    numbers().map(worker).collect()
                };
                Ok(Some(turn::run(workers, &etcd.probes()?, each, || ()).await?))
            }
            (System::Etcd, None) => Ok(None),
        }
    }

    fn print(&self, output: Output) -> Result<()> {
        let etcd = self.etcd.as_ref().map(|etcd| etcd.version().to_owned());
        let rows = |command, rows| Rows {
            command,
            build: figures::build_name(),
            bytes: self.value_bytes,
            etcd: etcd.clone(),
            rows,
        };
        // A single round says nothing that the table of all does not.
        if self.args.rounds > 1 {
            let row = |one: &Measured| Row::new(one.load, Some(one.round), &one.turn);
            let single: Result<_> = self.results.iter().map(row).collect();
            figures::print(&rows("ledger-rounds", single?), output)?;
        }
        let together = self.together()?;
        let ratios = Ratios::of(&together);
        figures::print(&rows("ledger", together), output)?;
        if !ratios.is_empty() {
            figures::print(&ratios, output)?;
        }
        if !self.fsync.is_empty() {
            let rates = FsyncRates { command: "ledger-fsync", rounds: self.fsync.clone() };
            figures::print(&rates, output)?;
        }
        Ok(())
    }

    /// Every load with all its rounds, in the order of the first round.
    fn together(&self) -> Result<Vec<Row>> {
        let first = self.results.iter().filter(|one| one.round == 1);
        let row = |load: Load| {
            let mut all = Turn::nothing();
            for one in self.results.iter().filter(|one| one.load == load) {
                all.add(&one.turn);
            }
            Row::new(load, None, &all)
        };
        first.map(|one| row(one.load)).collect()
    }
}
