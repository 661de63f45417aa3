use std::sync::Arc;
use std::time::Duration;

use custos_core::Epoch;
use custos_ports::ShardStore;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::disk::NodeStore;
use crate::limits::TASKS_STOP_TIMEOUT;
use crate::scrub::ScrubHandle;
use crate::tiered::MoverHandle;
use crate::{DiskReport, ScrubReport};

/// A disk in service and the tasks that care for it.
pub(crate) struct ServingDisk {
    pub(crate) store: Arc<NodeStore>,
    pub(crate) scrub: ScrubHandle,
    pub(crate) mover: Option<MoverHandle>,
    /// Where it is, as the node's records call it.
    pub(crate) place: String,
    /// Maps older than this do not know of it.
    pub(crate) registered: Epoch,
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Stopping,
    Closed,
}

impl ServingDisk {
    pub(crate) fn new(
        store: Arc<NodeStore>,
        scrub: ScrubHandle,
        mover: Option<MoverHandle>,
        place: String,
        registered: Epoch,
    ) -> Arc<Self> {
        let stage = watch::Sender::new(Stage::Open);
        Arc::new(Self { store, scrub, mover, place, registered, stage })
    }

    /// Ends its tasks, finishes the writes that wait, and closes it, all in a task of its own: a
    /// disk that hangs may take for ever. Only the first call does something.
    pub(crate) fn begin_stop(self: &Arc<Self>, reason: &str) {
        let begins = self.stage.send_if_modified(|stage| {
            let is_open = *stage == Stage::Open;
            if is_open {
                *stage = Stage::Stopping;
            }
            is_open
        });
        if begins {
            let (disk, reason) = (self.clone(), reason.to_owned());
            tokio::spawn(async move { disk.end(&reason).await });
        }
    }

    async fn end(&self, reason: &str) {
        let tasks = async {
            let mover = async {
                if let Some(mover) = &self.mover {
                    mover.stop().await;
                }
            };
            tokio::join!(self.scrub.stop(), mover);
        };
        if timeout(TASKS_STOP_TIMEOUT, tasks).await.is_err() {
            tracing::warn!(disk = self.store.name(), "disk is closed while it is being checked");
        }
        self.store.close(reason).await;
        self.stage.send_replace(Stage::Closed);
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.stage.borrow() == Stage::Closed
    }

    /// Waits until it is closed, but not longer than `limit`; then its task is left alone.
    pub(crate) async fn closed_within(&self, limit: Duration) {
        let mut stage = self.stage.subscribe();
        let closed = async {
            let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
        };
        if timeout(limit, closed).await.is_err() {
            let (disk, seconds) = (self.store.name(), limit.as_secs());
            tracing::error!(disk, seconds, "disk could not be closed in time and is left alone");
        }
    }

    pub(crate) async fn report(&self) -> DiskReport {
        DiskReport {
            disk_id: Some(self.store.disk_id()),
            generation: self.store.generation(),
            kind: Some(self.store.kind()),
            store: self.store.status().await,
            scrub: Some(ScrubReport {
                progress: *self.scrub.progress().borrow(),
                settings: self.scrub.settings(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use custos_core::{Actor, DiskGeneration, Timestamp};
    use custos_ports::fakes::{CountingEntropy, FixedClock, MemoryLedger, MemoryShardStore};

    use super::*;
    use crate::BackendKind;
    use crate::disk::{ByteBudget, HealthLimits, MemoryDisk, Orders};
    use crate::scrub::{DamageReporter, ScrubSettings, Scrubber, TROUBLE_PAUSE};

    #[tokio::test]
    async fn a_disk_that_hangs_when_it_is_closed_holds_nobody_up() {
        let dir = tempfile::tempdir().expect("tempdir");
        let ledger = Arc::new(MemoryLedger::new(Timestamp::from_millis(0)));
        let disk = Arc::new(MemoryDisk::new(MemoryShardStore::new("disk 0"), BackendKind::Local));
        let store = Arc::new(NodeStore::new(
            disk.clone(),
            DiskGeneration(1),
            HealthLimits::default(),
            ByteBudget::new(1),
            Orders::new(ledger.clone(), Arc::new(FixedClock(Timestamp::from_millis(0)))),
        ));
        let scrubber = Scrubber {
            disk_id: store.disk_id(),
            kind: store.kind(),
            store: store.clone(),
            reporter: DamageReporter {
                ledger,
                entropy: Arc::new(CountingEntropy::default()),
                actor: Actor::system(),
            },
            clock: Arc::new(FixedClock(Timestamp::from_millis(0))),
            file: dir.path().join("scrub"),
            trouble_pause: TROUBLE_PAUSE,
        };
        let scrub = scrubber.start(ScrubSettings::default());
        let serving = ServingDisk::new(store.clone(), scrub, None, String::new(), Epoch(1));
        disk.hang();
        serving.begin_stop("detached");
        serving.begin_stop("a second time");
        serving.closed_within(Duration::from_millis(1)).await;
        assert!(!serving.is_closed());
        disk.go_on();
        serving.closed_within(Duration::from_secs(60)).await;
        assert!(serving.is_closed());
        assert_eq!(store.status().await.offline.as_deref(), Some("detached"));
    }
}
