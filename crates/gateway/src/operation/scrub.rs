use custos_core::{Actor, DiskId, NodeRecord, Refusal, Rule};
use custos_wire::internal_v1::SetScrubRequest;
use futures::{StreamExt, stream};
use tracing::info;

use super::{NODES_ASKED_MAX, node_of, within_deadline};
use crate::{Gateway, GatewayError};

/// What is to change about the scrub; what is `None` stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct ScrubChange {
    /// Most bytes read per second on one disk.
    pub bytes_per_second: Option<u64>,
    /// Days within which every shard is checked.
    pub period_days: Option<u32>,
    /// Whether it stands still.
    pub paused: Option<bool>,
    /// Begin a new pass at once.
    pub start: bool,
}

impl ScrubChange {
    fn is_any(&self) -> bool {
        let Self { bytes_per_second, period_days, paused, start } = self;
        bytes_per_second.is_some() || period_days.is_some() || paused.is_some() || *start
    }
}

impl Gateway {
    /// Changes the scrub of one disk, or of all in service. Returns how many disks follow.
    ///
    /// # Errors
    /// A change of nothing, `NotFound`, or a node that does not answer, by name; the others follow
    /// then all the same.
    pub async fn set_scrub(
        &self,
        actor: &Actor,
        disk: Option<DiskId>,
        change: ScrubChange,
    ) -> Result<u32, GatewayError> {
        if !change.is_any() {
            let reason = "nothing is to be changed: give a pace, a period, a pause or a start";
            return Err(Refusal::invalid(Rule::R14, "bytes_per_second", reason).into());
        }
        let map = self.inner.deps.cluster.refresh().await?;
        let nodes: Vec<NodeRecord> = match disk {
            Some(disk) => vec![node_of(&map, disk)?.clone()],
            None => {
                let has_disk = |node: &&NodeRecord| {
                    map.disks_in_service().any(|disk| disk.node_id == node.node_id)
                };
                map.nodes.iter().filter(has_disk).cloned().collect()
            }
        };
        let asked = nodes.into_iter().map(|node| async move {
            let request = SetScrubRequest {
                disk_id: disk.map(|disk| disk.as_bytes().to_vec()).unwrap_or_default(),
                bytes_per_second: change.bytes_per_second,
                period_days: change.period_days,
                paused: change.paused,
                start: change.start,
            };
            let set = self.inner.deps.node_admin.set_scrub(node.node_id, request);
            (node.node_id, within_deadline(&node.name, set).await)
        });
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(NODES_ASKED_MAX).collect().await;
        let mut disks = 0;
        for (node_id, answer) in answers {
            answer?;
            let on_node = map.disks_in_service().filter(|disk| disk.node_id == node_id);
            disks += if disk.is_some() { 1 } else { on_node.count() };
        }
        info!(actor = %actor.name, disks, ?change, "scrub changed");
        Ok(u32::try_from(disks).unwrap_or(u32::MAX))
    }
}
