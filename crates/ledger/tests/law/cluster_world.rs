//! Nodes, disks and vaults to act on.

use custos_core::{
    ChunkIndex, ClusterMap, DiskGeneration, DiskId, Epoch, ErasureProfile, FailureDomain, Labels,
    NodeId, Refusal, RunId, Salt, ShardDamage, ShardKey, ShardSlot, VaultId,
};
use custos_ledger::{Answer, Command, DamageRecord, DiskClaim, MemoryKv, NewVault, Outcome, Query};

use crate::world::{World, developer, id, law_of, query};

pub(crate) fn node_id(number: u8) -> NodeId {
    NodeId([number; 16])
}

pub(crate) fn disk_id(number: u8) -> DiskId {
    DiskId([number; 16])
}

/// Node `number` on a host of its own, in its first run.
pub(crate) fn register_node(number: u8) -> Command {
    Command::RegisterNode {
        node_id: node_id(number),
        name: format!("node-{number}"),
        endpoint: format!("https://10.0.0.{number}:7400"),
        labels: Labels {
            zone: "east".to_owned(),
            rack: format!("rack-{}", number % 3),
            host: format!("host-{number}"),
        },
        run: RunId([number; 16]),
    }
}

/// Disk `number`, opened as `generation` with an opening of that name.
pub(crate) fn claim(number: u8, generation: u64) -> DiskClaim {
    DiskClaim {
        disk_id: disk_id(number),
        name: format!("disk {number}"),
        weight: 1000,
        generation: DiskGeneration(generation),
        opening: RunId([u8::try_from(generation).expect("few generations"); 16]),
    }
}

pub(crate) fn register_disks(node: u8, disks: Vec<DiskClaim>) -> Command {
    Command::RegisterDisks { node_id: node_id(node), disks }
}

pub(crate) fn release_disk(number: u8) -> Command {
    Command::ReleaseDisk { disk_id: disk_id(number), reason: "moves".to_owned() }
}

pub(crate) fn new_vault(level: FailureDomain, disks: &[u8]) -> NewVault {
    NewVault {
        profile: ErasureProfile::P4_2,
        level,
        slots: disks.iter().map(|number| disk_id(*number)).collect(),
    }
}

pub(crate) fn shard(evidence: u8, slot: u8) -> ShardKey {
    ShardKey {
        vault: VaultId(0),
        evidence_id: id(evidence),
        chunk: ChunkIndex(7),
        slot: ShardSlot(slot),
        salt: Salt([0x5a; 16]),
    }
}

pub(crate) fn damage(evidence: u8, slot: u8) -> ShardDamage {
    ShardDamage { key: shard(evidence, slot), what: "checksum of block 3".to_owned() }
}

/// Nodes 1 to `count`, each with the disk of its number.
pub(crate) fn with_nodes(count: u8) -> World {
    let mut world = World::begun();
    for number in 1..=count {
        world.act(&developer(), register_node(number)).expect("registered");
        let disks = register_disks(number, vec![claim(number, 1)]);
        world.act(&developer(), disks).expect("registered");
    }
    world
}

/// Six nodes and vault 0 of 4+2 over them.
pub(crate) fn with_vault() -> World {
    let mut world = with_nodes(6);
    let vaults = vec![new_vault(FailureDomain::Host, &[1, 2, 3, 4, 5, 6])];
    let planned_at = map(&world.kv).epoch;
    world.act(&developer(), Command::CreateVaults { vaults, planned_at }).expect("created");
    world
}

pub(crate) fn map(kv: &MemoryKv) -> ClusterMap {
    match query(kv, &Query::ClusterMap { newer_than: Epoch(0) }) {
        Answer::ClusterMap(map) => *map.expect("a node has registered"),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn list_damage(kv: &MemoryKv) -> Vec<DamageRecord> {
    match query(kv, &Query::ListDamage { after: None, limit: 1000, evidence_id: None }) {
        Answer::Damage { items, total, more: false } => {
            assert_eq!(items.len() as u64, total);
            items
        }
        other => panic!("{other:?}"),
    }
}

/// Does `command`, and asserts that the map and the log stand as before.
pub(crate) fn assert_changes_nothing(world: &mut World, command: Command) {
    let (epoch, log) = (map(&world.kv).epoch, world.log());
    assert_eq!(world.act(&developer(), command), Ok(Outcome::MapChanged(epoch)));
    assert_eq!((map(&world.kv).epoch, world.log()), (epoch, log));
}

/// Asserts that nothing of a refused command is stored but that it was refused.
pub(crate) fn refused(world: &mut World, command: Command) -> Refusal {
    let before = law_of(&world.kv);
    let refusal = world.act(&developer(), command).expect_err("must be refused");
    assert_eq!(law_of(&world.kv), before, "nothing of a refused command is stored");
    refusal
}

/// Class, rule and field of a refusal.
pub(crate) fn named(refusal: &Refusal) -> (custos_core::ErrorKind, custos_core::Rule, &str) {
    (refusal.kind, refusal.rule, &refusal.field)
}
