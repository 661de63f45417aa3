use custos_core::{Act, DiskState, Epoch, ErrorKind, FailureDomain, Rule};
use custos_ledger::{Command, Outcome};

use crate::{
    cluster_world::{
        assert_changes_nothing, disk_id, map, named, new_vault, node_id, refused, release_disk,
        with_nodes, with_vault,
    },
    world::developer,
};

fn remove(number: u8) -> Command {
    Command::RemoveDisk { disk_id: disk_id(number), reason: "broken".to_owned() }
}

#[test]
fn i4_a_released_disk_is_on_record_and_releasing_it_again_changes_nothing() {
    let mut world = with_nodes(2);
    let done = world.act(&developer(), release_disk(2));
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(5))));
    let now = map(&world.kv);
    let disk = now.disk(disk_id(2)).expect("stays in the map");
    assert_eq!((disk.node_id, disk.state), (node_id(2), DiskState::Released));
    assert_eq!(now.disks_in_service().count(), 1);
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    let detail = entry.detail.expect("has one");
    assert!(detail.ends_with("\"disk 2\" released by node \"node-2\": moves"), "{detail}");
    assert_changes_nothing(&mut world, release_disk(2));
}

#[test]
fn a_disk_keeps_its_slots_when_it_is_released() {
    let mut world = with_vault();
    world.act(&developer(), release_disk(3)).expect("released");
    assert_eq!(map(&world.kv).vaults[0].slots[2], disk_id(3));
    let refusal = refused(&mut world, remove(3));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "disk_id"));
}

#[test]
fn i1_a_new_vault_has_no_slot_on_a_released_disk() {
    let mut world = with_nodes(6);
    world.act(&developer(), release_disk(6)).expect("released");
    let vaults = vec![new_vault(FailureDomain::Host, &[1, 2, 3, 4, 5, 6])];
    let planned_at = map(&world.kv).epoch;
    let refusal = refused(&mut world, Command::CreateVaults { vaults, planned_at });
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I1, "slots"));
    assert_eq!(refusal.reason, format!("disk {} is not in service", disk_id(6)));
}

#[test]
fn a_released_disk_without_slots_can_be_removed_for_good() {
    let mut world = with_nodes(2);
    world.act(&developer(), release_disk(2)).expect("released");
    world.act(&developer(), remove(2)).expect("removed");
    assert_eq!(map(&world.kv).disk(disk_id(2)).expect("stays").state, DiskState::Removed);
}

#[test]
fn r14_a_removed_disk_is_not_released() {
    let mut world = with_nodes(2);
    world.act(&developer(), remove(2)).expect("removed");
    let refusal = refused(&mut world, release_disk(2));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "disk_id"));
    assert!(refusal.reason.ends_with("was removed for good: no node has it"), "{refusal}");
}

#[test]
fn a_disk_is_released_by_its_id_and_with_a_reason() {
    let mut world = with_nodes(1);
    let refusal = refused(&mut world, release_disk(9));
    assert_eq!(named(&refusal), (ErrorKind::NotFound, Rule::R14, "disk_id"));
    let because = |reason: String| Command::ReleaseDisk { disk_id: disk_id(1), reason };
    for (reason, rule) in [
        (String::new(), Rule::R26),
        ("two\nlines".to_owned(), Rule::R26),
        ("x".repeat(513), Rule::I10),
    ] {
        let refusal = refused(&mut world, because(reason));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, rule, "reason"));
    }
}
