use std::{collections::HashMap, sync::Arc, time::Duration};

use custos_core::{ClusterMap, NodeId};
use custos_ledger::{Answer, ClusterInfo, Query};
use custos_wire::internal_v1::{GroupMember, StatusResponse};
use futures::{StreamExt, stream};
use tokio::time::timeout;

use super::NODES_ASKED_MAX;
use crate::{Gateway, GatewayError};

/// A node that does not say how it is within this time is shown as unreachable.
const STATUS_DEADLINE: Duration = Duration::from_secs(3);

/// The map beside what each node says of itself now.
#[derive(Debug)]
pub struct ClusterPicture {
    /// Identity and clock of the cluster.
    pub info: ClusterInfo,
    /// The map as the ledger has it.
    pub map: Arc<ClusterMap>,
    /// What each node says, or why it does not answer.
    pub said: HashMap<NodeId, Result<StatusResponse, String>>,
    /// Damaged shards on record.
    pub damaged_shards: u64,
    /// Members of the ledger's group, or why they are not known.
    pub members: Result<Vec<GroupMember>, String>,
}

impl Gateway {
    /// The whole picture; a node that does not answer within 3 s is named as such.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn cluster_picture(&self) -> Result<ClusterPicture, GatewayError> {
        let info = match self.query(Query::Cluster).await? {
            Answer::Cluster(Some(info)) => info,
            Answer::Cluster(None) => {
                return Err(GatewayError::Internal { reason: "no cluster has begun".to_owned() });
            }
            _ => return Err(GatewayError::unexpected("Cluster")),
        };
        let damaged_shards =
            match self.query(Query::ListDamage { after: None, limit: 1, evidence_id: None }).await?
            {
                Answer::Damage { total, .. } => total,
                _ => return Err(GatewayError::unexpected("ListDamage")),
            };
        let map = self.inner.deps.cluster.refresh().await?;
        let ids: Vec<_> = map.nodes.iter().map(|node| node.node_id).collect();
        let asked = ids.into_iter().map(|id| async move { (id, self.node_status(id).await) });
        let said = stream::iter(asked).buffer_unordered(NODES_ASKED_MAX).collect::<HashMap<_, _>>();
        let (said, members) = tokio::join!(said, self.members_now());
        Ok(ClusterPicture { info, map, said, damaged_shards, members })
    }

    async fn members_now(&self) -> Result<Vec<GroupMember>, String> {
        match timeout(STATUS_DEADLINE, self.meta_members()).await {
            Ok(members) => members.map_err(|error| error.to_string()),
            Err(_) => Err(no_answer()),
        }
    }

    pub(super) async fn node_status(&self, node: NodeId) -> Result<StatusResponse, String> {
        let status = self.inner.deps.node_admin.node_status(node);
        let said = match timeout(STATUS_DEADLINE, status).await {
            Ok(said) => said.map_err(|error| error.message)?,
            Err(_) => return Err(no_answer()),
        };
        match NodeId::from_slice(&said.node_id) {
            Some(id) if id == node => Ok(said),
            Some(other) => Err(format!("node {other} answers in its place")),
            None => Err("what answers does not say which node it is".to_owned()),
        }
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", STATUS_DEADLINE.as_secs())
}
