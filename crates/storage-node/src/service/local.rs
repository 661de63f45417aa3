use std::sync::Arc;

use custos_core::{DiskId, NodeId};
use custos_peers::convert::id_from_wire;
use custos_wire::WireError;
use custos_wire::internal_v1::{
    AddDiskRequest, DetachDiskRequest, SetScrubRequest, StatusResponse,
};

use super::{ShardService, admin};
use crate::NodeStatus;
use crate::node::Node;

/// The node as its own process operates it: what [`ShardService`] does for administrators, without
/// a connection. Cheap to clone; keeps nothing open that the node has closed.
#[derive(Clone)]
pub struct LocalNode {
    service: ShardService,
}

impl LocalNode {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self { service: ShardService { node } }
    }

    /// The node's identity.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.service.node.own().node_id
    }

    /// What the node says of itself.
    pub async fn status(&self) -> NodeStatus {
        self.service.node.status().await
    }

    /// The same as others are told it.
    pub async fn wire_status(&self) -> StatusResponse {
        admin::status_to_wire(self.status().await)
    }

    /// Changes the pace of the scrub, or starts a pass.
    ///
    /// # Errors
    /// `Invalid` for a pace that cannot be, `NotFound` for a disk that is not in service.
    pub fn set_scrub(&self, request: &SetScrubRequest) -> Result<(), WireError> {
        self.service.change_scrub(request).map(drop).map_err(WireError::from)
    }

    /// Takes a folder's disk into service.
    ///
    /// # Errors
    /// As [`StorageNodeHandle::add_disk`](crate::StorageNodeHandle::add_disk); `Invalid` for a path
    /// that is not absolute.
    pub async fn add_disk(&self, request: AddDiskRequest) -> Result<DiskId, WireError> {
        let answer = self.service.take_disk(request).await.map_err(WireError::from)?;
        id_from_wire("disk_id", &answer.disk_id).map(DiskId)
    }

    /// Takes a disk out of service and closes it; it stays in the map.
    ///
    /// # Errors
    /// `NotFound` when the disk is not in service here.
    pub async fn detach_disk(&self, disk: DiskId) -> Result<(), WireError> {
        let request = DetachDiskRequest { disk_id: disk.0.to_vec() };
        self.service.give_disk_up(&request).await.map(drop).map_err(WireError::from)
    }
}
