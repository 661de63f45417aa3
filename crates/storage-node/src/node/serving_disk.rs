use std::sync::Arc;

use custos_core::Epoch;
use custos_ports::ShardStore;

use crate::disk::NodeStore;
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
}

impl ServingDisk {
    /// Ends its tasks, finishes the writes that wait, and closes it.
    pub(crate) async fn stop(&self, reason: &str) {
        self.scrub.stop().await;
        if let Some(mover) = &self.mover {
            mover.stop().await;
        }
        self.store.close(reason).await;
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
