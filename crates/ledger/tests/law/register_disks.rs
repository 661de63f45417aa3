use custos_core::{Act, DiskGeneration, DiskId, DiskState, Epoch, ErrorKind, Rule, RunId};
use custos_ledger::{Command, DISKS_MAX, DISKS_PER_COMMAND_MAX, DiskClaim, Outcome};

use crate::{
    cluster_world::{
        assert_changes_nothing, claim, disk_id, map, named, node_id, refused, register_disks,
        register_node, release_disk, with_nodes,
    },
    world::{World, assert_refused, developer},
};

/// Node 1 whose disk 1 was opened as generation 7.
fn with_generation_7() -> World {
    let mut world = with_nodes(2);
    world.act(&developer(), register_disks(1, vec![claim(1, 7)])).expect("registered");
    world
}

#[test]
fn a_new_disk_is_in_the_map_and_all_of_a_command_are_in_one_entry() {
    let mut world = with_nodes(1);
    let log = world.log().len();
    let done = world.act(&developer(), register_disks(1, vec![claim(8, 1), claim(9, 1)]));
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(3))));
    let map = map(&world.kv);
    let disk = map.disk(disk_id(9)).expect("registered");
    assert_eq!((disk.node_id, disk.weight, disk.state), (node_id(1), 1000, DiskState::InService));
    assert_eq!(world.log().len(), log + 1);
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    let detail = entry.detail.expect("has one");
    assert!(detail.contains("disk 8") && detail.contains("disk 9"), "{detail}");
}

#[test]
fn a_registration_that_was_cut_short_can_be_repeated() {
    let mut world = with_generation_7();
    assert_changes_nothing(&mut world, register_disks(1, vec![claim(1, 7)]));
}

#[test]
fn a_disk_that_is_opened_anew_makes_an_epoch_but_no_entry() {
    let mut world = with_generation_7();
    let (log, epoch) = (world.log(), map(&world.kv).epoch);
    let done = world.act(&developer(), register_disks(1, vec![claim(1, 8)]));
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(epoch.0 + 1))));
    assert_eq!(map(&world.kv).disk(disk_id(1)).expect("registered").generation.0, 8);
    assert_eq!(world.log(), log);
}

#[test]
fn r14_a_copy_of_a_disk_that_was_opened_since_is_refused_by_name() {
    let mut world = with_generation_7();
    // The copy was made before generation 7 and is opened after it.
    let copy = DiskClaim { opening: RunId([0xcc; 16]), ..claim(1, 7) };
    let refusal = refused(&mut world, register_disks(2, vec![copy]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
    let expected = format!(
        "disk {} was opened as generation 7 since, in node \"node-1\"; this copy has 6: it is a \
         copy or an old state of that disk, keep it out and use the disk itself",
        disk_id(1)
    );
    assert_eq!(refusal.reason, expected);
}

#[test]
fn r14_a_copy_that_was_taken_while_the_opening_was_pending_is_refused_in_another_node() {
    let mut world = with_generation_7();
    let refusal = refused(&mut world, register_disks(2, vec![claim(1, 7)]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
    assert!(refusal.reason.contains("in node \"node-1\", which has it since"), "{refusal}");
    assert_eq!(map(&world.kv).disk(disk_id(1)).expect("registered").node_id, node_id(1));
}

#[test]
fn r14_an_old_state_of_a_disk_is_refused_whatever_its_opening() {
    let mut world = with_generation_7();
    for generation in 1..7 {
        let refusal = refused(&mut world, register_disks(1, vec![claim(1, generation)]));
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
    }
}

#[test]
fn r14_a_copy_of_a_disk_in_service_is_refused_in_another_node_whatever_it_claims() {
    let mut world = with_generation_7();
    for generation in [8, 9, u64::MAX] {
        let copy = DiskClaim { generation: DiskGeneration(generation), ..claim(1, 8) };
        let refusal = refused(&mut world, register_disks(2, vec![copy]));
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "node_id"));
        let id = disk_id(1);
        let expected = format!(
            "disk {id} is in service in node \"node-1\": this is a copy of it, or it was moved \
             without being released; keep the copy out, or, if the disk itself is here now, release \
             it and then add it: `custos disk release {id} --reason TEXT`"
        );
        assert_eq!(refusal.reason, expected);
    }
    // The disk itself is opened anew as ever.
    world.act(&developer(), register_disks(1, vec![claim(1, 8)])).expect("registered");
}

#[test]
fn r14_of_two_nodes_that_claim_a_released_disk_the_first_has_it() {
    let mut world = with_generation_7();
    world.act(&developer(), register_node(3)).expect("registered");
    world.act(&developer(), release_disk(1)).expect("released");
    world.act(&developer(), register_disks(3, vec![claim(1, 8)])).expect("registered");
    let late = DiskClaim { opening: RunId([0xcc; 16]), ..claim(1, 8) };
    let refusal = refused(&mut world, register_disks(2, vec![late]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
    let refusal = refused(&mut world, register_disks(2, vec![claim(1, 9)]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "node_id"));
    assert!(refusal.reason.contains("in service in node \"node-3\""), "{refusal}");
}

#[test]
fn r14_an_old_state_of_a_released_disk_is_refused_everywhere() {
    let mut world = with_generation_7();
    world.act(&developer(), release_disk(1)).expect("released");
    for node in [1, 2] {
        let old = DiskClaim { opening: RunId([0xcc; 16]), ..claim(1, 7) };
        let refusal = refused(&mut world, register_disks(node, vec![old]));
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
    }
}

#[test]
fn i4_a_released_disk_that_its_own_node_takes_back_is_on_record() {
    let mut world = with_generation_7();
    world.act(&developer(), release_disk(1)).expect("released");
    world.act(&developer(), register_disks(1, vec![claim(1, 8)])).expect("registered");
    let now = map(&world.kv);
    let disk = now.disk(disk_id(1)).expect("registered");
    assert_eq!((disk.node_id, disk.state), (node_id(1), DiskState::InService));
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.ends_with("of weight 1000 taken into service again"), "{detail}");
    // From now on it is this node's as before.
    let refusal = refused(&mut world, register_disks(2, vec![claim(1, 9)]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "node_id"));
}

#[test]
fn i4_a_disk_that_moves_to_another_node_is_on_record() {
    let mut world = with_generation_7();
    world.act(&developer(), release_disk(1)).expect("released");
    world.act(&developer(), register_disks(2, vec![claim(1, 8)])).expect("registered");
    let now = map(&world.kv);
    let disk = now.disk(disk_id(1)).expect("registered");
    assert_eq!((disk.node_id, disk.state), (node_id(2), DiskState::InService));
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.contains("moved here from node \"node-1\""), "{detail}");
    // The node that it was in comes too late with the state that it knows.
    let late = DiskClaim { opening: RunId([0xcc; 16]), ..claim(1, 8) };
    let refusal = refused(&mut world, register_disks(1, vec![late]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "generation"));
}

#[test]
fn i4_another_name_or_weight_is_on_record() {
    let mut world = with_generation_7();
    let grown = DiskClaim { weight: 2000, ..claim(1, 8) };
    world.act(&developer(), register_disks(1, vec![grown])).expect("registered");
    assert_eq!(map(&world.kv).disk(disk_id(1)).expect("registered").weight, 2000);
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.contains("2000") && detail.contains("1000"), "{detail}");
}

#[test]
fn r14_a_disk_that_was_removed_does_not_come_back() {
    let mut world = with_generation_7();
    let remove = Command::RemoveDisk { disk_id: disk_id(1), reason: "broken".to_owned() };
    world.act(&developer(), remove).expect("removed");
    let refusal = refused(&mut world, register_disks(1, vec![claim(1, 9)]));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "disk_id"));
}

#[test]
fn r14_disks_of_an_unknown_node_are_refused() {
    let mut world = with_nodes(1);
    let refusal = refused(&mut world, register_disks(7, vec![claim(7, 1)]));
    assert_eq!(named(&refusal), (ErrorKind::NotFound, Rule::R14, "node_id"));
}

#[test]
fn r14_claims_that_cannot_be_right_are_refused_by_field() {
    let mut world = with_nodes(1);
    let cases = [
        (vec![DiskClaim { name: String::new(), ..claim(2, 1) }], "name"),
        (vec![DiskClaim { weight: 0, ..claim(2, 1) }], "weight"),
        (vec![claim(2, 0)], "generation"),
        (vec![claim(2, 1), claim(2, 1)], "disks"),
    ];
    for (claims, field) in cases {
        let refusal = refused(&mut world, register_disks(1, claims));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, field));
    }
    let long = DiskClaim { name: "x".repeat(65), ..claim(2, 1) };
    let refusal = refused(&mut world, register_disks(1, vec![long]));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "name"));
}

#[test]
fn one_bad_claim_refuses_the_whole_command() {
    let mut world = with_generation_7();
    refused(&mut world, register_disks(1, vec![claim(9, 1), claim(1, 3)]));
}

/// Disk `number` of very many.
fn numbered(number: usize) -> DiskClaim {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    DiskClaim { disk_id: DiskId(id), ..claim(1, 1) }
}

#[test]
fn i10_a_command_has_1_to_128_disks() {
    let mut world = with_nodes(1);
    for count in [0, DISKS_PER_COMMAND_MAX + 1] {
        let refusal = refused(&mut world, register_disks(1, (0..count).map(numbered).collect()));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "disks"));
    }
    let most: Vec<_> = (0..DISKS_PER_COMMAND_MAX)
        .map(|n| DiskClaim { name: "x".repeat(64), ..numbered(n) })
        .collect();
    let envelope = world.envelope(&developer(), register_disks(1, most));
    assert_eq!(envelope.check_size(), Ok(()));
    world.apply(&envelope).expect("registered");
}

#[test]
fn i10_a_cluster_has_only_so_many_disks() {
    let mut world = with_nodes(1);
    let all: Vec<_> = (0..DISKS_MAX).map(numbered).collect();
    for claims in all[1..].chunks(DISKS_PER_COMMAND_MAX) {
        world.act(&developer(), register_disks(1, claims.to_vec())).expect("registered");
    }
    let done = world.act(&developer(), register_disks(1, vec![numbered(0)]));
    assert_refused(done, ErrorKind::Refused, Rule::I10, "disks");
    // One that is known is opened anew all the same.
    world.act(&developer(), register_disks(1, vec![claim(1, 2)])).expect("registered");
}
