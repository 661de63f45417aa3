//! `0x50 ‖ node id` → `NodeRecord`.

use custos_core::{NodeId, NodeRecord};
use prost::Message;

use super::{own, prefix, values};
use crate::{DecodeError, Kv, KvRead, convert::parse, proto};

pub(crate) fn load(kv: &impl KvRead, id: NodeId) -> Option<NodeRecord> {
    kv.get(&key(id)).map(|bytes| own(decode(&bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, node: &NodeRecord) {
    kv.put(&key(node.node_id), proto::NodeRecord::from(node).encode_to_vec());
}

/// Every node, in order of id.
pub(crate) fn all(kv: &impl KvRead) -> Vec<NodeRecord> {
    values(kv, prefix::NODE).iter().map(|bytes| own(decode(bytes))).collect()
}

fn key(id: NodeId) -> Vec<u8> {
    [&[prefix::NODE][..], id.as_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Result<NodeRecord, DecodeError> {
    parse::<proto::NodeRecord>("NodeRecord", bytes)?.try_into()
}
