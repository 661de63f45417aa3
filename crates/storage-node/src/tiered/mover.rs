use std::sync::Arc;
use std::time::Duration;

use custos_core::{LogIndex, RemovalOrder, RemovalReason, ShardEntry, ShardWrite, WritePurpose};
use custos_ports::{ShardError, ShardKey, ShardStore};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::TieredStore;
use crate::disk::Orders;
use crate::scrub::Pace;

/// Shards listed at once.
const PAGE_ITEMS: usize = 256;
/// Longest pause after a round that trouble cut short.
const TROUBLE_PAUSE_MAX: Duration = Duration::from_secs(60);

/// Moves old shards from the folder to the bucket, round after round.
pub(crate) struct Mover {
    pub(crate) store: Arc<TieredStore>,
    pub(crate) orders: Orders,
    /// Pace in bytes per second.
    pub(crate) bytes_per_second: u64,
    /// Pause between two rounds.
    pub(crate) pause: Duration,
}

/// What the mover has done since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct MoverProgress {
    pub(crate) rounds: u64,
    pub(crate) moved: u64,
    /// Shards that stayed because something failed.
    pub(crate) failed: u64,
}

/// A mover that runs.
pub(crate) struct MoverHandle {
    // None once it was told to stop: the task ends when it is dropped.
    stop: Mutex<Option<watch::Sender<()>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests wait for it so far"))]
    pub(crate) progress: watch::Receiver<MoverProgress>,
}

impl MoverHandle {
    /// Stops after the shard that is on its way.
    pub(crate) async fn stop(&self) {
        self.stop.lock().take();
        let task = self.task.lock().take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("a mover ended badly");
        }
    }
}

impl Mover {
    /// Starts the task.
    pub(crate) fn start(self) -> MoverHandle {
        let (stop, mut stopped) = watch::channel(());
        let (published, progress) = watch::channel(MoverProgress::default());
        let task = tokio::spawn(async move {
            let mut run = Run {
                mover: self,
                published,
                pace: Pace::default(),
                began: Instant::now(),
                stopped: stopped.clone(),
            };
            loop {
                let round = run.round().await;
                run.published.send_modify(|progress| progress.rounds += 1);
                let Mover { store, pause, .. } = &run.mover;
                // What is written while a bucket is in trouble does not make it try more often.
                let (pause, is_well) = match round {
                    Ok(()) => (*pause, true),
                    Err(error) => {
                        let disk = store.name();
                        tracing::warn!(disk, %error, "moving cold shards stopped; tried again later");
                        (TROUBLE_PAUSE_MAX.min(*pause), false)
                    }
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = store.written_cold(), if is_well => {}
                    _ = stopped.changed() => return,
                }
            }
        });
        MoverHandle { stop: Mutex::new(Some(stop)), task: Mutex::new(Some(task)), progress }
    }
}

struct Run {
    mover: Mover,
    published: watch::Sender<MoverProgress>,
    pace: Pace,
    began: Instant,
    stopped: watch::Receiver<()>,
}

impl Run {
    /// Goes once over the folder.
    async fn round(&mut self) -> Result<(), ShardError> {
        let store = self.mover.store.clone();
        let mut after: Option<ShardKey> = None;
        // One entry for the whole round: the removal log says at which state of the custody log it
        // was made.
        let mut cited: Option<LogIndex> = None;
        loop {
            let page = store.hot().list_all(None, after, PAGE_ITEMS).await?;
            for entry in page.items.iter().filter(|entry| store.is_cold(entry.key.evidence_id)) {
                if self.wait_for_pace().await.is_none() {
                    return Ok(());
                }
                let index = match cited {
                    Some(index) => index,
                    None => self.mover.orders.newest_entry(&**store.hot()).await?,
                };
                cited = Some(index);
                self.noted(entry, move_one(&store, entry, index).await)?;
                self.pace.charge(entry.payload_len);
            }
            after = page.items.last().map(|entry| entry.key);
            if !page.more {
                return Ok(());
            }
        }
    }

    /// A shard that cannot be moved stays where it is; only a store in trouble ends the round.
    fn noted(&self, entry: &ShardEntry, moved: Result<(), ShardError>) -> Result<(), ShardError> {
        match moved {
            Ok(()) => self.published.send_modify(|progress| progress.moved += 1),
            Err(ShardError::NotFound { .. }) => {}
            Err(error @ (ShardError::Corrupt { .. } | ShardError::Conflict { .. })) => {
                tracing::error!(key = %entry.key, %error, "shard stays in the folder");
                self.published.send_modify(|progress| progress.failed += 1);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// `None` when it was told to stop.
    async fn wait_for_pace(&mut self) -> Option<()> {
        let pace = self.mover.bytes_per_second;
        self.pace.settle(self.began.elapsed(), pace);
        tokio::select! {
            biased;
            _ = self.stopped.changed() => None,
            () = tokio::time::sleep(self.pace.wait(pace)) => Some(()),
        }
    }
}

/// Copies a shard, reads the copy back, and only then removes it from the folder.
async fn move_one(
    store: &TieredStore,
    entry: &ShardEntry,
    cited: LogIndex,
) -> Result<(), ShardError> {
    let _no_removal = store.on_its_way.lock().await;
    let key = entry.key;
    let read = store.hot().read(&key, None).await?;
    let copy = ShardWrite {
        key,
        retain_until: entry.retain_until,
        purpose: WritePurpose::Backfill,
        header: read.header,
        payload: read.payload,
    };
    store.cold().write(copy).await?;
    store.cold().verify(&key).await?;
    let order = RemovalOrder { reason: RemovalReason::Moved, ledger_index: cited };
    store.hot().remove(&[key], order).await
}
