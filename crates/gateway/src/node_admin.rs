use async_trait::async_trait;
use custos_core::{DiskId, NodeId};
use custos_peers::{ClusterPeers, PeerError};
use custos_wire::{
    WireError,
    internal_v1::{AddDiskRequest, SetScrubRequest, StatusResponse},
};

/// Reaches storage nodes for their administrators: over the network, or in this process. Calls of
/// a node that does not answer end with `Unavailable`, within a deadline of their own.
#[async_trait]
pub trait NodeAdmin: Send + Sync {
    /// What a node says of itself now.
    ///
    /// # Errors
    /// `Unavailable`, `NotFound` for a node that nobody knows.
    async fn node_status(&self, node: NodeId) -> Result<StatusResponse, WireError>;

    /// Changes the pace of a node's scrub, or starts a pass.
    ///
    /// # Errors
    /// `Unavailable`, `NotFound`, `Invalid` for a pace that cannot be.
    async fn set_scrub(&self, node: NodeId, request: SetScrubRequest) -> Result<(), WireError>;

    /// Takes a disk into service on a running node.
    ///
    /// # Errors
    /// `Unavailable`, `NotFound`, and what the node or the law refuses.
    async fn add_disk(&self, node: NodeId, request: AddDiskRequest) -> Result<DiskId, WireError>;

    /// Takes a disk out of service on a running node; it stays in the map.
    ///
    /// # Errors
    /// `Unavailable`, `NotFound`.
    async fn detach_disk(&self, node: NodeId, disk: DiskId) -> Result<(), WireError>;
}

/// Over the network, by the map.
#[async_trait]
impl NodeAdmin for ClusterPeers {
    async fn node_status(&self, node: NodeId) -> Result<StatusResponse, WireError> {
        self.node_client(node).map_err(to_wire)?.status().await.map_err(to_wire)
    }

    async fn set_scrub(&self, node: NodeId, request: SetScrubRequest) -> Result<(), WireError> {
        self.node_client(node).map_err(to_wire)?.set_scrub(request).await.map_err(to_wire)
    }

    async fn add_disk(&self, node: NodeId, request: AddDiskRequest) -> Result<DiskId, WireError> {
        self.node_client(node).map_err(to_wire)?.add_disk(request).await.map_err(to_wire)
    }

    async fn detach_disk(&self, node: NodeId, disk: DiskId) -> Result<(), WireError> {
        self.node_client(node).map_err(to_wire)?.detach_disk(disk).await.map_err(to_wire)
    }
}

/// What a node itself refused keeps its rule and field.
fn to_wire(error: PeerError) -> WireError {
    match error {
        PeerError::Failed { error, .. } => error,
        other => WireError::new(other.kind(), other.to_string()),
    }
}
