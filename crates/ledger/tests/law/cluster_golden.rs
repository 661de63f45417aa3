//! Persisted bytes of nodes, disks, vaults and damage. `CUSTOS_BLESS=1` writes them anew.

use std::fmt::Write;

use custos_core::{Epoch, FailureDomain};
use custos_ledger::{Command, Envelope};
use data_encoding::HEXLOWER;

use crate::{
    cluster_world::{
        claim, damage, disk_id, new_vault, register_disks, register_node, release_disk, shard,
    },
    golden::check,
    world::{ORIGIN, World, developer, policy},
};

/// Every command about the cluster, in an order that leaves every sort of record behind.
fn commands(world: &mut World) -> Vec<Envelope> {
    let vaults = vec![new_vault(FailureDomain::Disk, &[1, 2, 3, 4, 5, 6])];
    let reason = "broken".to_owned();
    let commands = [
        Command::InitCluster { origin: ORIGIN.to_owned(), policy: policy() },
        register_node(1),
        register_disks(1, (1..=7).map(|number| claim(number, 1)).collect()),
        Command::CreateVaults { vaults, planned_at: Epoch(2) },
        Command::RemoveDisk { disk_id: disk_id(7), reason },
        Command::ReportDamage { disk_id: disk_id(1), damage: damage(1, 0) },
        Command::ReportDamage { disk_id: disk_id(2), damage: damage(1, 1) },
        Command::ReportRepair { disk_id: disk_id(2), key: shard(1, 1) },
        Command::AdoptKey { key_id: *b"kek-0001" },
        register_disks(1, vec![claim(8, 1)]),
        release_disk(8),
    ];
    commands.into_iter().map(|command| world.envelope(&developer(), command)).collect()
}

fn applied() -> World {
    let mut world = World::new();
    for envelope in commands(&mut world) {
        world.apply(&envelope).expect("lawful");
    }
    world
}

#[test]
fn the_bytes_of_envelopes_about_the_cluster_stay() {
    let mut text = String::new();
    for envelope in commands(&mut World::new()) {
        let bytes = HEXLOWER.encode(&envelope.encode());
        writeln!(text, "envelope {bytes}").expect("a string takes all");
    }
    check("cluster_commands.txt", &text);
}

#[test]
fn the_custody_leaves_of_changes_to_the_cluster_stay() {
    let world = applied();
    let mut text = String::new();
    for entry in world.log() {
        let leaf = HEXLOWER.encode(&entry.leaf);
        writeln!(text, "{} {} {leaf}", entry.index, entry.act).expect("a string takes all");
    }
    let root = HEXLOWER.encode(&world.checkpoint().root);
    writeln!(text, "root {root}").expect("a string takes all");
    check("cluster_custody_leaves.txt", &text);
}

#[test]
fn the_keys_and_values_of_the_cluster_map_and_of_damage_stay() {
    let mut text = String::new();
    for (key, value) in &applied().kv {
        if matches!(key[0], 0x04..=0x06 | 0x50..=0x60) {
            let (key, value) = (HEXLOWER.encode(key), HEXLOWER.encode(value));
            writeln!(text, "{key} = {value}").expect("a string takes all");
        }
    }
    check("cluster_state.txt", &text);
}
