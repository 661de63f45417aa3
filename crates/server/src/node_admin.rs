use async_trait::async_trait;
use custos_core::{DiskId, NodeId};
use custos_gateway::NodeAdmin;
use custos_peers::{ClusterPeers, PeerError};
use custos_storage_node::LocalNode;
use custos_wire::{
    WireError,
    internal_v1::{AddDiskRequest, SetScrubRequest, StatusResponse},
};

/// Reaches the storage node of this process directly, and others over the network.
pub(crate) struct ClusterAdmin {
    peers: ClusterPeers,
    own: Option<LocalNode>,
}

impl ClusterAdmin {
    pub(crate) fn new(peers: ClusterPeers, own: Option<LocalNode>) -> Self {
        Self { peers, own }
    }

    fn own(&self, node: NodeId) -> Option<&LocalNode> {
        self.own.as_ref().filter(|own| own.node_id() == node)
    }
}

#[async_trait]
impl NodeAdmin for ClusterAdmin {
    async fn node_status(&self, node: NodeId) -> Result<StatusResponse, WireError> {
        match self.own(node) {
            Some(own) => Ok(own.wire_status().await),
            None => self.peers.node_client(node).map_err(failed)?.status().await.map_err(failed),
        }
    }

    async fn set_scrub(&self, node: NodeId, request: SetScrubRequest) -> Result<(), WireError> {
        if let Some(own) = self.own(node) {
            return own.set_scrub(&request);
        }
        let client = self.peers.node_client(node).map_err(failed)?;
        client.set_scrub(request).await.map_err(failed)
    }

    async fn add_disk(&self, node: NodeId, request: AddDiskRequest) -> Result<DiskId, WireError> {
        if let Some(own) = self.own(node) {
            return own.add_disk(request).await;
        }
        let client = self.peers.node_client(node).map_err(failed)?;
        client.add_disk(request).await.map_err(failed)
    }

    async fn detach_disk(&self, node: NodeId, disk: DiskId) -> Result<(), WireError> {
        if let Some(own) = self.own(node) {
            return own.detach_disk(disk).await;
        }
        let client = self.peers.node_client(node).map_err(failed)?;
        client.detach_disk(disk).await.map_err(failed)
    }
}

fn failed(error: PeerError) -> WireError {
    match error {
        PeerError::Failed { error, .. } => error,
        other => WireError::new(other.kind(), other.to_string()),
    }
}
