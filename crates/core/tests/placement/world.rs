//! Clusters to place in.

use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    ClusterMap, DiskGeneration, DiskId, DiskRecord, DiskState, DomainName, Epoch, ErasureProfile,
    FailureDomain, Labels, NodeId, NodeRecord, RunId, Timestamp, VaultId, VaultRecord,
    placement::VaultPlan,
};
use proptest::prelude::*;

/// A node: zone, rack and the weights of its disks.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) zone: &'static str,
    pub(crate) rack: &'static str,
    pub(crate) weights: Vec<u32>,
}

/// A node without zone and rack.
pub(crate) fn host(weights: &[u32]) -> Node {
    Node { zone: "", rack: "", weights: weights.to_vec() }
}

pub(crate) fn disk_id(number: usize) -> DiskId {
    let mut id = [0; 16];
    id[14..].copy_from_slice(&u16::try_from(number).expect("few disks").to_be_bytes());
    DiskId(id)
}

/// Nodes `host-0`, `host-1` …, disks numbered through all of them.
pub(crate) fn cluster(nodes: &[Node]) -> ClusterMap {
    let mut map = ClusterMap { epoch: Epoch(1), ..ClusterMap::default() };
    for (number, node) in nodes.iter().enumerate() {
        let mut node_id = [0; 16];
        node_id[15] = u8::try_from(number).expect("few nodes");
        let node_id = NodeId(node_id);
        let name = format!("host-{number}");
        let labels =
            Labels { zone: node.zone.to_owned(), rack: node.rack.to_owned(), host: name.clone() };
        map.nodes.push(NodeRecord {
            node_id,
            name,
            endpoint: String::new(),
            labels,
            run: RunId([0; 16]),
            registered_at: Timestamp::from_millis(0),
        });
        for weight in &node.weights {
            let number = map.disks.len();
            map.disks.push(DiskRecord {
                disk_id: disk_id(number),
                node_id,
                name: format!("disk {number}"),
                weight: *weight,
                generation: DiskGeneration(1),
                opening: RunId([0; 16]),
                state: DiskState::InService,
            });
        }
    }
    map
}

/// Clusters of 1 to 16 nodes with 1 to 4 disks each, in few zones and racks.
pub(crate) fn clusters() -> impl Strategy<Value = ClusterMap> {
    let labels = || prop::sample::select(vec!["", "a", "b", "c"]);
    let weights = prop::collection::vec(prop_oneof![1u32..20, 1000u32..20_000], 1..5);
    let node = (labels(), labels(), weights).prop_map(|(zone, rack, weights)| Node {
        zone,
        rack,
        weights,
    });
    prop::collection::vec(node, 1..17).prop_map(|nodes| cluster(&nodes))
}

pub(crate) fn profiles() -> impl Strategy<Value = ErasureProfile> {
    prop::sample::select(ErasureProfile::ALL.to_vec())
}

pub(crate) fn levels() -> impl Strategy<Value = FailureDomain> {
    prop::sample::select(FailureDomain::ALL.to_vec())
}

/// Puts planned vaults into the map.
pub(crate) fn create(map: &mut ClusterMap, profile: ErasureProfile, plan: VaultPlan) {
    for slots in plan.slots {
        let vault_id = VaultId(u32::try_from(map.vaults.len()).expect("few vaults"));
        let (level, epoch) = (plan.level, map.epoch);
        map.vaults.push(VaultRecord { vault_id, profile, level, slots, epoch });
    }
}

pub(crate) fn domains_of(
    map: &ClusterMap,
    level: FailureDomain,
    disks: &[DiskId],
) -> BTreeSet<DomainName> {
    disks.iter().map(|disk| map.domain_of(*disk, level)).collect()
}

/// Share of all slots that each disk should have, between 0 and 1: by weight, but no failure domain
/// more than one slot of n in each vault.
pub(crate) fn fair_shares(
    map: &ClusterMap,
    level: FailureDomain,
    profile: ErasureProfile,
) -> BTreeMap<DiskId, f64> {
    let mut weight_of: BTreeMap<DomainName, f64> = BTreeMap::new();
    for disk in map.disks_in_service() {
        *weight_of.entry(map.domain_of(disk.disk_id, level)).or_default() += f64::from(disk.weight);
    }
    let cap = 1.0 / profile.total() as f64;
    let mut capped: BTreeSet<DomainName> = BTreeSet::new();
    let share_of = loop {
        let free: f64 =
            weight_of.iter().filter(|(name, _)| !capped.contains(name)).map(|(_, w)| w).sum();
        let rest = 1.0 - cap * capped.len() as f64;
        let share = |name: &DomainName| {
            if capped.contains(name) { cap } else { rest * weight_of[name] / free }
        };
        let over: Vec<DomainName> =
            weight_of.keys().filter(|name| share(name) > cap + 1e-12).cloned().collect();
        if over.is_empty() {
            break weight_of
                .keys()
                .map(|name| (name.clone(), share(name)))
                .collect::<BTreeMap<_, _>>();
        }
        capped.extend(over);
    };
    map.disks_in_service()
        .map(|disk| {
            let domain = map.domain_of(disk.disk_id, level);
            let share = share_of[&domain] * f64::from(disk.weight) / weight_of[&domain];
            (disk.disk_id, share)
        })
        .collect()
}
