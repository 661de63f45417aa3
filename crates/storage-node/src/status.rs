use custos_core::{DiskGeneration, DiskId, Epoch, NodeId, RunId, StoreStatus};

use crate::{BackendKind, ScrubProgress, ScrubSettings};

/// What a node says of itself.
#[derive(Debug, Clone)]
pub struct NodeStatus {
    /// Identity.
    pub node_id: NodeId,
    /// This process.
    pub run: RunId,
    /// Name that people use.
    pub name: String,
    /// Epoch of the map that it knows.
    pub epoch: Epoch,
    /// Its disks, in order of their configuration.
    pub disks: Vec<DiskReport>,
}

/// What a node says of one disk.
#[derive(Debug, Clone)]
pub struct DiskReport {
    /// Identity; `None` of a disk that could not be opened and is not known from before.
    pub disk_id: Option<DiskId>,
    /// The generation that it is in service as; 0 when it is not.
    pub generation: DiskGeneration,
    /// What it is made of; `None` when it is not open.
    pub kind: Option<BackendKind>,
    /// What its store says.
    pub store: StoreStatus,
    /// Its scrub; `None` when it is not in service.
    pub scrub: Option<ScrubReport>,
}

/// How the scrub of a disk stands.
#[derive(Debug, Clone, Copy)]
pub struct ScrubReport {
    /// How far it is.
    pub progress: ScrubProgress,
    /// How it goes on.
    pub settings: ScrubSettings,
}
