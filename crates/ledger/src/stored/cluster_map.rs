//! The cluster map, put together from its records.

use custos_core::ClusterMap;

use super::{disk, map_epoch, node, vault};
use crate::KvRead;

pub(crate) fn load(kv: &impl KvRead) -> ClusterMap {
    ClusterMap {
        epoch: map_epoch::load(kv),
        nodes: node::all(kv),
        disks: disk::all(kv),
        vaults: vault::all(kv),
    }
}
