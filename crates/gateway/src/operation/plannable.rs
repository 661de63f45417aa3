use std::collections::HashMap;

use custos_core::{ClusterMap, DiskState, Fullness, NodeId};
use custos_wire::internal_v1::{DiskStatus, StatusResponse};
use futures::{StreamExt, stream};

use super::NODES_ASKED_MAX;
use crate::Gateway;

/// Lines about what is left out; the rest is counted.
const LINES_MAX: usize = 64;

/// The map as vaults may be planned on it now.
pub(super) struct Plannable {
    /// Where what is left out is not in service.
    pub(super) map: ClusterMap,
    /// What is left out and why, in words.
    pub(super) left_out: Vec<String>,
}

impl Gateway {
    /// Leaves out what the map has in service and its node has not: a vault over it would begin
    /// with shards missing.
    pub(super) async fn plannable(&self, map: &ClusterMap) -> Plannable {
        let has_disk = |id: NodeId| map.disks_in_service().any(|disk| disk.node_id == id);
        let nodes = map.nodes.iter().map(|node| node.node_id).filter(|id| has_disk(*id));
        let ids: Vec<_> = nodes.collect();
        let asked = ids.into_iter().map(|id| async move { (id, self.node_status(id).await) });
        let said = stream::iter(asked).buffer_unordered(NODES_ASKED_MAX).collect().await;
        leave_out(map, &said)
    }
}

fn leave_out(
    map: &ClusterMap,
    said: &HashMap<NodeId, Result<StatusResponse, String>>,
) -> Plannable {
    let mut left_out = Vec::new();
    let mut plannable = map.clone();
    for node in &map.nodes {
        if let Some(Err(why)) = said.get(&node.node_id) {
            left_out
                .push(format!("node {} with its disks, for it does not answer: {why}", node.name));
        }
    }
    for disk in plannable.disks.iter_mut().filter(|disk| disk.state == DiskState::InService) {
        let why = match said.get(&disk.node_id) {
            Some(Ok(status)) => {
                let reports = &status.disks;
                let is_it = |report: &&DiskStatus| report.disk_id == disk.disk_id.as_bytes();
                why_not(reports.iter().find(is_it))
            }
            // Named with its node.
            Some(Err(_)) | None => Some(String::new()),
        };
        let Some(why) = why else { continue };
        if !why.is_empty() {
            let node = map.node(disk.node_id).map_or("?", |node| node.name.as_str());
            left_out.push(format!("disk {node}/{} ({}), {why}", disk.name, disk.disk_id));
        }
        disk.state = DiskState::Released;
    }
    if left_out.len() > LINES_MAX {
        let more = left_out.len() - LINES_MAX;
        left_out.truncate(LINES_MAX);
        left_out.push(format!("{more} more: `custos cluster status`"));
    }
    Plannable { map: plannable, left_out }
}

/// Why a disk takes no new shards, by what its node says of it.
fn why_not(report: Option<&DiskStatus>) -> Option<String> {
    match report {
        None => Some("which its node does not have".to_owned()),
        Some(report) if !report.offline.is_empty() => {
            Some(format!("which is out of service: {}", report.offline))
        }
        Some(report) if report.fullness == Fullness::Full.name() => {
            Some("which is full".to_owned())
        }
        Some(_) => None,
    }
}
