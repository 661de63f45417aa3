use custos_core::{ClusterMap, DiskId, DiskState, NodeId};

use crate::convert::ShardTarget;

/// The way to a disk as the map shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// What the disk is called in logs and errors.
    pub(crate) name: String,
    /// Where its node is.
    pub(crate) endpoint: String,
    /// What a request to it says.
    pub(crate) target: ShardTarget,
}

/// Why there is no way to a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoRoute {
    /// What the disk is called in logs and errors.
    pub(crate) name: String,
    /// One line for people.
    pub(crate) reason: String,
}

impl Route {
    /// Looks a disk up.
    pub(crate) fn find(map: &ClusterMap, disk_id: DiskId) -> Result<Self, NoRoute> {
        let Some(disk) = map.disk(disk_id) else {
            let reason = format!("it is not in the cluster map of epoch {}", map.epoch);
            return Err(NoRoute { name: format!("disk {disk_id}"), reason });
        };
        let Some(node) = map.node(disk.node_id) else {
            let reason = format!("its node {} is not in the cluster map", disk.node_id);
            return Err(NoRoute { name: disk.name.clone(), reason });
        };
        let name = format!("{} of node {}", disk.name, node.name);
        if disk.state == DiskState::Removed {
            let reason = "it was removed from the cluster".to_owned();
            return Err(NoRoute { name, reason });
        }
        if node.endpoint.is_empty() {
            let reason = format!(
                "its node {} has no endpoint: only that node's own process reaches it",
                node.name
            );
            return Err(NoRoute { name, reason });
        }
        let target = ShardTarget {
            node_id: node.node_id,
            disk_id,
            generation: disk.generation,
            epoch: map.epoch,
        };
        Ok(Self { name, endpoint: node.endpoint.clone(), target })
    }
}

/// Whom an answer is from, in words.
pub(crate) fn named(map: &ClusterMap, node: NodeId, disk: DiskId) -> String {
    let node = map.node(node).map_or_else(|| node.to_string(), |node| node.name.clone());
    let disk = map.disk(disk).map_or_else(|| disk.to_string(), |disk| disk.name.clone());
    format!("{disk} of node {node}")
}
