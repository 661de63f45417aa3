use std::{path::Path, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};
use custos_core::Timestamp;
use custos_ledger::Outcome;
use custos_metastore::{MetaStore, MetaStoreHandle, Options};
use custos_ports::{Clock, Ledger};
use tokio::task::JoinSet;

use super::seal_worker::{BEGIN_MS, Commands};
use crate::drive::{Operation, Worker};

/// Stations that fill at once: together a full batch of the ledger.
const FILLERS: u64 = 512;

/// The ledger of one member alone, opened in this process.
pub(super) struct LocalLedger {
    handle: MetaStoreHandle,
}

/// Runs on from when the commands of a load begin.
struct LoadClock(Instant);

impl Clock for LoadClock {
    fn now(&self) -> Timestamp {
        let elapsed_ms = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(BEGIN_MS.saturating_add(elapsed_ms))
    }
}

impl LocalLedger {
    /// Opens the ledger in `dir`, which takes a snapshot every `snapshot_entries` Raft entries.
    pub(super) async fn open(dir: &Path, snapshot_entries: u64) -> Result<Self> {
        let options = Options {
            snapshot_entries,
            snapshot_tail_entries: snapshot_entries / 5,
            ..Options::new(dir, Arc::new(LoadClock(Instant::now())))
        };
        let handle = MetaStore::open(options).await.context("opening the ledger")?;
        Ok(Self { handle })
    }

    /// Opens and seals as many records.
    pub(super) async fn fill(&self, records: u64) -> Result<()> {
        let start = Instant::now();
        let mut fillers = JoinSet::new();
        for number in 0..FILLERS {
            let share = records / FILLERS + u64::from(number < records % FILLERS);
            let mut worker = LocalWorker::new(self, number)?;
            fillers.spawn(async move {
                for _ in 0..share {
                    worker.commit_pair().await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = fillers.join_next().await {
            ended.context("a filler")??;
        }
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("filled with {records} records, {:.0} a second", records as f64 / seconds);
        Ok(())
    }

    /// Last entry in the newest snapshot.
    pub(super) fn snapshot_index(&self) -> Option<u64> {
        self.handle.status()?.snapshot_index
    }

    /// Closes it; returns when its files are closed.
    pub(super) async fn close(self) {
        self.handle.shutdown().await;
    }
}

/// A station at the ledger itself, without a network.
pub(super) struct LocalWorker {
    handle: MetaStoreHandle,
    commands: Commands,
}

impl LocalWorker {
    /// Random, so that no two runs name the same evidence.
    pub(super) fn new(ledger: &LocalLedger, number: u64) -> Result<Self> {
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).context("a random seed")?;
        let station = usize::try_from(number).context("the most stations fit")?;
        let commands = Commands::new(station, u64::from_le_bytes(seed));
        Ok(Self { handle: ledger.handle.clone(), commands })
    }

    async fn commit_pair(&mut self) -> Result<()> {
        let Outcome::UploadOpen(session) = self.handle.submit(self.commands.open()).await? else {
            bail!("an upload was not opened")
        };
        match self.handle.submit(self.commands.seal(session.evidence_id)).await? {
            Outcome::Sealed(_) => Ok(()),
            other => bail!("a seal had another outcome: {other:?}"),
        }
    }
}

impl Worker for LocalWorker {
    async fn operate(&mut self, _number: u64) -> Result<Operation> {
        let start = Instant::now();
        self.commit_pair().await?;
        Ok(Operation { bytes: 1, latency: start.elapsed() / 2, to_first_byte: None })
    }
}
