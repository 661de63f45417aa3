//! What those who operate the cluster ask for: its picture, vaults, disks, scrub, the ledger's group.

mod backup;
mod disks;
mod members;
mod picture;
mod plannable;
mod scrub;
mod vaults;

use std::{future::Future, time::Duration};

use custos_core::{ClusterMap, DiskId, ErrorKind, NodeId, NodeRecord, Refusal, Rule};
use custos_wire::WireError;
use tokio::time::timeout;

pub use self::{
    disks::DiskRemoval, picture::ClusterPicture, scrub::ScrubChange, vaults::CreatedVaults,
};
use crate::GatewayError;

/// A node that has not done what it was asked within this time is named in the error. Opening a
/// disk may mean to scan it.
const CHANGE_DEADLINE: Duration = Duration::from_secs(60);
/// Nodes that are asked at once.
const NODES_ASKED_MAX: usize = 256;

async fn within_deadline<T>(
    node: &str,
    call: impl Future<Output = Result<T, WireError>>,
) -> Result<T, GatewayError> {
    match timeout(CHANGE_DEADLINE, call).await {
        Ok(answer) => answer.map_err(|error| {
            let message = format!("node {node}: {}", error.message);
            WireError { message, ..error }.into()
        }),
        Err(_) => {
            let message = format!("node {node}: no answer within {} s", CHANGE_DEADLINE.as_secs());
            Err(WireError::new(ErrorKind::Unknown, message).into())
        }
    }
}

fn find_node<'a>(map: &'a ClusterMap, text: &str) -> Result<&'a NodeRecord, GatewayError> {
    let id = text.parse::<NodeId>().ok();
    let is_it = |node: &&NodeRecord| node.name == text || Some(node.node_id) == id;
    map.nodes.iter().find(is_it).ok_or_else(|| {
        let known: Vec<_> = map.nodes.iter().take(20).map(|node| node.name.as_str()).collect();
        let shown: String = text.chars().take(80).collect();
        let reason = format!("no node is called {shown:?} (there are {})", known.join(", "));
        Refusal::not_found(Rule::R14, "node", reason).into()
    })
}

fn node_of(map: &ClusterMap, disk: DiskId) -> Result<&NodeRecord, GatewayError> {
    let node = map.disk(disk).and_then(|disk| map.node(disk.node_id));
    node.ok_or_else(|| {
        let reason = format!("no disk of the cluster has the id {disk}");
        Refusal::not_found(Rule::R14, "disk_id", reason).into()
    })
}
