use std::sync::Arc;

use custos_core::{DiskId, NodeId, RunId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, timeout};

use crate::limits::DISK_STOP_TIMEOUT;
use crate::node::{self, LocalStores, Node};
use crate::{
    DiskChangeError, LocalNode, NodeFailure, NodeStatus, ScrubChange, StartError, StorageDeps,
    StorageOptions, WhenAbsent, service,
};

/// The storage role.
pub struct StorageNode;

impl StorageNode {
    /// Opens the node's folder and disks, registers them in the ledger and serves them. Waits for
    /// the ledger as long as it takes, saying so in the log; dropping the call gives up.
    ///
    /// A disk that is missing, foreign, damaged or refused by the ledger is left out of service
    /// with a reason; the node starts without it.
    ///
    /// # Errors
    /// When the node's folder cannot be used, a disk is in use by another process or of a newer
    /// format, or the ledger refuses the node.
    pub async fn start(
        options: StorageOptions,
        deps: StorageDeps,
    ) -> Result<StorageNodeHandle, StartError> {
        let node = node::start(options, deps).await?;
        let (stop, stopped) = watch::channel(());
        // Apart: a disk that hangs while it is looked for does not hide what the map says.
        let tasks = [
            tokio::spawn(supervise(node.clone(), stopped.clone())),
            tokio::spawn(reopen(node.clone(), stopped)),
        ];
        Ok(StorageNodeHandle { node, supervision: Some(Supervision { stop, tasks }) })
    }
}

async fn supervise(node: Arc<Node>, mut stopped: watch::Receiver<()>) {
    let mut ticks = tokio::time::interval(node.options.supervision_period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => node.supervise(),
            _ = stopped.changed() => return,
        }
    }
}

async fn reopen(node: Arc<Node>, mut stopped: watch::Receiver<()>) {
    let mut looks = tokio::time::interval(node.options.reopen_period);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => node.reopen().await,
            _ = stopped.changed() => return,
        }
    }
}

/// The tasks that watch the map and look for disks; they end when `stop` is dropped.
struct Supervision {
    stop: watch::Sender<()>,
    tasks: [JoinHandle<()>; 2],
}

/// A storage node that runs.
pub struct StorageNodeHandle {
    node: Arc<Node>,
    // None once the node shuts down.
    supervision: Option<Supervision>,
}

impl StorageNodeHandle {
    /// The node's identity.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node.own().node_id
    }

    /// This process.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.node.own().run
    }

    /// The stores of its disks, for the gateway of the same process. They need no epoch: what they
    /// may do is decided by this process alone. A disk out of service is among them, and says why
    /// at every call.
    #[must_use]
    pub fn stores(&self) -> LocalStores {
        self.node.stores().borrow().clone()
    }

    /// Tells of disks that are added, detached or lost; the value is what [`stores`](Self::stores)
    /// gives.
    #[must_use]
    pub fn store_changes(&self) -> watch::Receiver<LocalStores> {
        self.node.stores()
    }

    /// The service for other processes, to be added to a router with mutual TLS.
    #[must_use]
    pub fn service(
        &self,
    ) -> custos_wire::internal_v1::shard_server::ShardServer<service::ShardService> {
        service::shard(self.node.clone())
    }

    /// What administrators ask of it, for its own process.
    #[must_use]
    pub fn local(&self) -> LocalNode {
        LocalNode::new(self.node.clone())
    }

    /// What the node says of itself.
    pub async fn status(&self) -> NodeStatus {
        self.node.status().await
    }

    /// Changes the scrub of one disk, or of all in service when `None`.
    ///
    /// # Errors
    /// When the disk is not in service here.
    pub fn change_scrub(
        &self,
        disk_id: Option<DiskId>,
        change: ScrubChange,
    ) -> Result<(), DiskChangeError> {
        match (self.node.change_scrub(disk_id, change), disk_id) {
            (false, Some(disk_id)) => Err(DiskChangeError::NotInService { disk_id }),
            _ => Ok(()),
        }
    }

    /// Takes a folder's disk into service.
    ///
    /// # Errors
    /// When it cannot be opened, is in service already, or the ledger refuses it or does not
    /// answer within [`ADD_DISK_TIMEOUT`](crate::limits::ADD_DISK_TIMEOUT).
    pub async fn add_disk(
        &self,
        folder: &str,
        absent: WhenAbsent,
    ) -> Result<DiskId, DiskChangeError> {
        self.node.add_disk(folder, absent).await
    }

    /// Takes a disk out of service and closes it; it stays in the map.
    ///
    /// # Errors
    /// When the disk is not in service here.
    pub async fn detach_disk(&self, disk_id: DiskId) -> Result<(), DiskChangeError> {
        self.node.detach_disk(disk_id).await
    }

    /// How far the scrub of a disk is, with every change; `None` when it is not in service.
    #[must_use]
    pub fn scrub_progress(&self, disk_id: DiskId) -> Option<watch::Receiver<crate::ScrubProgress>> {
        self.node.serving_disk(disk_id).map(|disk| disk.scrub.progress())
    }

    /// Resolves when the node must not serve any more; it has stopped serving by itself then.
    pub async fn failed(&self) -> NodeFailure {
        let mut failure = self.node.failure();
        let failed = failure.wait_for(Option::is_some).await;
        let failed = failed.expect("the node, which this handle holds, holds the sender");
        failed.clone().expect("waited for")
    }

    /// Ends its tasks, finishes the writes that wait and closes the disks. A disk that hangs is
    /// left alone after [`DISK_STOP_TIMEOUT`]; a runtime that is dropped then must not wait for
    /// its blocking threads.
    pub async fn shutdown(mut self) {
        self.node.begin_stop();
        if let Some(Supervision { stop, tasks }) = self.supervision.take() {
            drop(stop);
            for mut task in tasks {
                match timeout(DISK_STOP_TIMEOUT, &mut task).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => tracing::error!("supervision ended badly"),
                    Err(_) => task.abort(),
                }
            }
        }
        self.node.stop().await;
    }
}
