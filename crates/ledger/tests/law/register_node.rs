use custos_core::{
    Act, Actor, Epoch, ErrorKind, FailureDomain, Labels, NodeId, NodeRecord, Role, Rule, RunId,
    Timestamp,
};
use custos_ledger::{Answer, Command, NODES_MAX, Outcome, Query};

use crate::{
    cluster_world::{
        assert_changes_nothing, claim, damage, disk_id, map, named, new_vault, node_id, refused,
        register_disks, register_node, release_disk, shard, with_nodes,
    },
    world::{World, assert_refused, developer, law_of, query, station},
};

/// Node 1 with some of its fields changed.
fn changed(change: impl FnOnce(&mut NodeRecord)) -> Command {
    let Command::RegisterNode { node_id, name, endpoint, labels, run } = register_node(1) else {
        unreachable!("register_node makes a RegisterNode");
    };
    let registered_at = Timestamp::from_millis(0);
    let mut node = NodeRecord { node_id, name, endpoint, labels, run, registered_at };
    change(&mut node);
    let NodeRecord { node_id, name, endpoint, labels, run, .. } = node;
    Command::RegisterNode { node_id, name, endpoint, labels, run }
}

#[test]
fn a_new_node_is_in_the_map_and_on_record() {
    let mut world = World::begun();
    let none = query(&world.kv, &Query::ClusterMap { newer_than: Epoch(0) });
    assert_eq!(none, Answer::ClusterMap(None), "there is no map before the first node");
    let done = world.act(&Actor::system(), register_node(1));
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(1))));
    let map = map(&world.kv);
    let node = map.node(node_id(1)).expect("registered");
    assert_eq!((node.name.as_str(), node.registered_at), ("node-1", world.now));
    let entry = world.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::ClusterChanged, None));
    let detail = entry.detail.expect("has one");
    assert!(detail.contains("node-1") && detail.contains("rack-1"), "{detail}");
}

#[test]
fn the_map_is_answered_only_when_it_is_newer_than_what_the_caller_knows() {
    let world = with_nodes(2);
    let epoch = map(&world.kv).epoch;
    assert_eq!(epoch, Epoch(4));
    let known = query(&world.kv, &Query::ClusterMap { newer_than: epoch });
    assert_eq!(known, Answer::ClusterMap(None));
    let older = query(&world.kv, &Query::ClusterMap { newer_than: Epoch(3) });
    assert_eq!(older, Answer::ClusterMap(Some(Box::new(map(&world.kv)))));
}

#[test]
fn the_same_registration_again_changes_nothing() {
    let mut world = with_nodes(2);
    assert_changes_nothing(&mut world, register_node(1));
}

#[test]
fn a_node_that_runs_anew_makes_an_epoch_but_no_entry() {
    let mut world = with_nodes(1);
    let (log, before) = (world.log(), map(&world.kv));
    let again = changed(|node| node.run = RunId([0xaa; 16]));
    let done = world.act(&developer(), again);
    assert_eq!(done, Ok(Outcome::MapChanged(Epoch(before.epoch.0 + 1))));
    let after = map(&world.kv);
    assert_eq!(after.nodes[0].run, RunId([0xaa; 16]));
    assert_eq!(after.nodes[0].registered_at, before.nodes[0].registered_at);
    assert_eq!(world.log(), log);
}

#[test]
fn i4_a_node_that_stands_elsewhere_is_on_record() {
    let mut world = with_nodes(1);
    let moved = changed(|node| node.labels.rack = "rack-9".to_owned());
    world.act(&developer(), moved).expect("registered");
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    let detail = entry.detail.expect("has one");
    assert!(detail.contains("rack-9") && detail.contains("rack-1"), "{detail}");
}

#[test]
fn r14_two_nodes_do_not_have_one_name_or_endpoint() {
    let mut world = with_nodes(2);
    let refusal = refused(&mut world, changed(|node| node.name = "node-2".to_owned()));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "name"));
    let endpoint = "https://10.0.0.2:7400".to_owned();
    let refusal = refused(&mut world, changed(|node| node.endpoint = endpoint));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "endpoint"));
    assert!(refusal.reason.contains("node-2"), "{refusal}");
    // Nodes that only their own processes reach have none.
    for number in 1..=2 {
        let unreachable = changed(|node| {
            node.node_id = node_id(number);
            node.name = format!("node-{number}");
            node.endpoint = String::new();
        });
        world.act(&developer(), unreachable).expect("registered");
    }
}

#[test]
fn r14_a_node_without_a_name_or_a_host_is_refused() {
    let mut world = with_nodes(1);
    let refusal = refused(&mut world, changed(|node| node.name = String::new()));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, "name"));
    let refusal = refused(&mut world, changed(|node| node.labels.host = String::new()));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, "host"));
}

#[test]
fn i10_texts_of_a_node_are_lines_of_bounded_length() {
    let mut world = with_nodes(1);
    let set = |field: &str, text: String| {
        changed(|node| {
            let Labels { zone, rack, host } = &mut node.labels;
            let target = match field {
                "name" => &mut node.name,
                "endpoint" => &mut node.endpoint,
                "zone" => zone,
                "rack" => rack,
                _ => host,
            };
            *target = text;
        })
    };
    for (field, max) in [("name", 64), ("endpoint", 256), ("zone", 64), ("rack", 64), ("host", 64)]
    {
        let refusal = refused(&mut world, set(field, "x".repeat(max + 1)));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, field));
        let refusal = refused(&mut world, set(field, "two\nlines".to_owned()));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, field));
        world.act(&developer(), set(field, "x".repeat(max))).expect("registered");
    }
}

#[test]
fn i10_a_cluster_has_only_so_many_nodes() {
    let mut world = World::begun();
    let numbered = |number: usize| {
        changed(|node| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_be_bytes());
            node.node_id = NodeId(id);
            node.name = format!("node-{number}");
            node.endpoint = String::new();
        })
    };
    for number in 0..NODES_MAX {
        world.act(&developer(), numbered(number)).expect("registered");
    }
    let done = world.act(&developer(), numbered(NODES_MAX));
    assert_refused(done, ErrorKind::Refused, Rule::I10, "node_id");
    let epoch = map(&world.kv).epoch;
    assert_eq!(world.act(&developer(), numbered(0)), Ok(Outcome::MapChanged(epoch)));
}

#[test]
fn r23_stations_and_playback_services_do_not_operate_the_cluster() {
    let mut world = with_nodes(1);
    let before = law_of(&world.kv);
    let playback = Actor { role: Role::Playback, ..station() };
    let planned_at = map(&world.kv).epoch;
    let level = FailureDomain::Host;
    let commands = [
        register_node(2),
        register_disks(1, vec![claim(2, 1)]),
        Command::RemoveDisk { disk_id: disk_id(1), reason: "why".to_owned() },
        release_disk(1),
        Command::CreateVaults { vaults: vec![new_vault(level, &[1])], planned_at },
        Command::ReportDamage { disk_id: disk_id(1), damage: damage(1, 0) },
        Command::ReportRepair { disk_id: disk_id(1), key: shard(1, 0) },
    ];
    for command in commands {
        for actor in [station(), playback.clone()] {
            let done = world.act(&actor, command.clone());
            assert_refused(done, ErrorKind::Refused, Rule::R23, "actor");
        }
    }
    assert_eq!(law_of(&world.kv), before);
}
