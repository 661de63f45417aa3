//! Whether the process that had this node's identity before still runs somewhere else.

use std::sync::Arc;

use async_trait::async_trait;
use custos_core::{ClusterMap, NodeId, NodeRecord, RunId};
use tokio::time::timeout;

use crate::limits::DOUBLE_TIMEOUT;

/// Asks other nodes who they are.
#[async_trait]
pub trait NodePeers: Send + Sync {
    /// Which process answers as `node` where the cluster map says that it is; an error is the
    /// reason why none does, in words.
    async fn run_of(&self, node: NodeId) -> Result<RunId, String>;
}

/// The node as it stands in the map, when another process runs as it at another address.
///
/// Only the process that the map names counts: one that lost its identity to a later one stops by
/// itself. An address that is our own is not asked: whoever had it does not listen there any more.
pub(crate) async fn running(
    map: &ClusterMap,
    node_id: NodeId,
    own_endpoint: &str,
    peers: &Arc<dyn NodePeers>,
) -> Option<NodeRecord> {
    let recorded = map.node(node_id)?;
    if recorded.endpoint.is_empty() || recorded.endpoint == own_endpoint {
        return None;
    }
    let endpoint = &recorded.endpoint;
    match timeout(DOUBLE_TIMEOUT, peers.run_of(node_id)).await {
        Ok(Ok(run)) if run == recorded.run => Some(recorded.clone()),
        Ok(Ok(run)) => {
            tracing::warn!(endpoint, %run, "a process that has lost this node's identity answers");
            None
        }
        Ok(Err(reason)) => {
            tracing::info!(endpoint, reason, "this node was elsewhere before and is there no more");
            None
        }
        Err(_) => {
            tracing::warn!(endpoint, "this node was elsewhere before, where nothing answers");
            None
        }
    }
}
