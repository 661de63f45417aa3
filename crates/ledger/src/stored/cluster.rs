//! `0x01` → `Cluster`: identity, policy and routing table, written once.

use prost::Message;

use super::{own, prefix};
use crate::{
    DecodeError, Kv, KvRead, Policy, Routing,
    convert::{need, parse, version},
    proto,
};

const KEY: [u8; 1] = [prefix::CLUSTER];

/// Layout of the ledger's keys and values.
const FORMAT: u32 = 1;

/// Identity, policy and routing table of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) origin: String,
    pub(crate) policy: Policy,
    pub(crate) routing: Routing,
}

pub(crate) fn load(kv: &impl KvRead) -> Option<Cluster> {
    kv.get(&KEY).map(|bytes| own(decode(&bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, cluster: &Cluster) {
    let stored = proto::Cluster {
        format: FORMAT,
        origin: cluster.origin.clone(),
        policy: Some((&cluster.policy).into()),
        routing: Some((&cluster.routing).into()),
    };
    kv.put(&KEY, stored.encode_to_vec());
}

fn decode(bytes: &[u8]) -> Result<Cluster, DecodeError> {
    let stored: proto::Cluster = parse("Cluster", bytes)?;
    version("Cluster", stored.format, FORMAT)?;
    let policy = need("Cluster", "policy", stored.policy)?.try_into()?;
    // Clusters that began before there was a table have one group.
    let routing = stored.routing.map_or_else(|| Ok(Routing::single()), Routing::try_from)?;
    Ok(Cluster { origin: stored.origin, policy, routing })
}
