use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use custos_core::{DiskId, ErrorKind, NodeId};
use custos_gateway::NodeAdmin;
use custos_ports::Cluster;
use custos_wire::{
    WireError,
    internal_v1::{AddDiskRequest, DiskStatus, SetScrubRequest, StatusResponse},
};

use super::following::FollowingCluster;

/// Storage nodes that say what the map says, and remember what they were asked to do.
pub(crate) struct Nodes {
    cluster: Arc<FollowingCluster>,
    silent: Mutex<HashSet<NodeId>>,
    /// What some say of a disk.
    said: Mutex<HashMap<DiskId, DiskStatus>>,
    asked: Mutex<Vec<String>>,
}

impl Nodes {
    pub(crate) fn new(cluster: Arc<FollowingCluster>) -> Self {
        Self { cluster, silent: Mutex::default(), said: Mutex::default(), asked: Mutex::default() }
    }

    /// This node does not answer from now on.
    pub(crate) fn silence(&self, node: NodeId) {
        self.silent.lock().expect("not poisoned").insert(node);
    }

    /// The node says this of the disk from now on.
    pub(crate) fn say(&self, disk: DiskId, said: DiskStatus) {
        let said = DiskStatus { disk_id: disk.as_bytes().to_vec(), ..said };
        self.said.lock().expect("not poisoned").insert(disk, said);
    }

    /// Every change that a node was asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }

    fn reach(&self, node: NodeId) -> Result<(), WireError> {
        if self.silent.lock().expect("not poisoned").contains(&node) {
            return Err(WireError::new(ErrorKind::Unavailable, "connection refused"));
        }
        Ok(())
    }

    fn change(&self, node: NodeId, what: &str) -> Result<(), WireError> {
        self.reach(node)?;
        self.asked.lock().expect("not poisoned").push(format!("{node}: {what}"));
        Ok(())
    }
}

#[async_trait]
impl NodeAdmin for Nodes {
    async fn node_status(&self, node: NodeId) -> Result<StatusResponse, WireError> {
        self.reach(node)?;
        let map = self.cluster.map();
        let all_said = self.said.lock().expect("not poisoned").clone();
        let disks = map.disks.iter().filter(|disk| disk.node_id == node).map(|disk| {
            all_said.get(&disk.disk_id).cloned().unwrap_or_else(|| DiskStatus {
                disk_id: disk.disk_id.as_bytes().to_vec(),
                kind: "local".to_owned(),
                ..DiskStatus::default()
            })
        });
        Ok(StatusResponse {
            node_id: node.as_bytes().to_vec(),
            disks: disks.collect(),
            ..StatusResponse::default()
        })
    }

    async fn set_scrub(&self, node: NodeId, _request: SetScrubRequest) -> Result<(), WireError> {
        self.change(node, "set scrub")
    }

    async fn add_disk(&self, node: NodeId, request: AddDiskRequest) -> Result<DiskId, WireError> {
        self.change(node, &format!("add {}", request.path))?;
        Ok(DiskId([0xdd; 16]))
    }

    async fn detach_disk(&self, node: NodeId, disk: DiskId) -> Result<(), WireError> {
        self.change(node, &format!("detach {disk}"))
    }
}
