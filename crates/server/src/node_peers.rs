use async_trait::async_trait;
use custos_core::{NodeId, RunId};
use custos_peers::{ClusterPeers, PeerError};
use custos_storage_node::NodePeers;

/// Asks other storage nodes over the network.
pub(crate) struct RemoteNodes {
    peers: ClusterPeers,
}

impl RemoteNodes {
    pub(crate) fn new(peers: ClusterPeers) -> Self {
        Self { peers }
    }
}

#[async_trait]
impl NodePeers for RemoteNodes {
    async fn run_of(&self, node: NodeId) -> Result<RunId, String> {
        let said = |error: PeerError| error.to_string();
        let status = self.peers.node_client(node).map_err(said)?.status().await.map_err(said)?;
        RunId::from_slice(&status.run).ok_or_else(|| "it does not say which process it is".into())
    }
}
