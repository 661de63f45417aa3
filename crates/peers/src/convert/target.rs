use custos_core::{DiskGeneration, DiskId, Epoch, NodeId};
use custos_wire::{WireError, internal_v1};

use super::{id_from_wire, missing};

/// Which disk a request is for, and what the caller knows of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardTarget {
    /// The node that should answer.
    pub node_id: NodeId,
    /// The disk on it.
    pub disk_id: DiskId,
    /// Generation of the disk in the caller's map.
    pub generation: DiskGeneration,
    /// Epoch of the caller's map.
    pub epoch: Epoch,
}

impl ShardTarget {
    /// The wire form.
    #[must_use]
    pub fn to_wire(self) -> internal_v1::Target {
        internal_v1::Target {
            node_id: self.node_id.0.to_vec(),
            disk_id: self.disk_id.0.to_vec(),
            generation: self.generation.0,
            epoch: self.epoch.0,
        }
    }

    /// Parses the wire form.
    ///
    /// # Errors
    /// `Invalid`, naming the field.
    pub fn from_wire(wire: Option<&internal_v1::Target>) -> Result<Self, WireError> {
        let wire = wire.ok_or_else(|| missing("target"))?;
        Ok(Self {
            node_id: NodeId(id_from_wire("node_id", &wire.node_id)?),
            disk_id: DiskId(id_from_wire("disk_id", &wire.disk_id)?),
            generation: DiskGeneration(wire.generation),
            epoch: Epoch(wire.epoch),
        })
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardAnswerer {
    /// The node.
    pub node_id: NodeId,
    /// The disk.
    pub disk_id: DiskId,
}

impl ShardAnswerer {
    /// The wire form.
    #[must_use]
    pub fn to_wire(self) -> internal_v1::Answerer {
        internal_v1::Answerer { node_id: self.node_id.0.to_vec(), disk_id: self.disk_id.0.to_vec() }
    }

    /// Parses the wire form.
    ///
    /// # Errors
    /// `Invalid`, naming the field.
    pub fn from_wire(wire: Option<&internal_v1::Answerer>) -> Result<Self, WireError> {
        let wire = wire.ok_or_else(|| missing("answerer"))?;
        Ok(Self {
            node_id: NodeId(id_from_wire("node_id", &wire.node_id)?),
            disk_id: DiskId(id_from_wire("disk_id", &wire.disk_id)?),
        })
    }
}

impl From<ShardTarget> for ShardAnswerer {
    fn from(target: ShardTarget) -> Self {
        Self { node_id: target.node_id, disk_id: target.disk_id }
    }
}
