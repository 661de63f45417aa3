//! What those who operate the cluster ask for.

mod rig;

use custos_core::{
    DiskId, DiskState, ErasureProfile, ErrorKind, FailureDomain, LogIndex, MetaId, NodeId,
};
use custos_gateway::operation::{DiskRemoval, ScrubChange};
use custos_ledger::{Answer, Command, Envelope, Query};
use custos_ports::{Cluster, Ledger};
use custos_wire::internal_v1::{AddDiskRequest, DiskStatus};
use rig::{Rig, footage, officer};

/// Three disks on each of four hosts; vault 0 (2+1) is on the first three disks.
fn rig() -> Rig {
    let hosts: Vec<_> = (0..12).map(|disk| format!("host {}", disk % 4)).collect();
    Rig::with_hosts(ErasureProfile::P2_1, &hosts)
}

fn node(rig: &Rig, name: &str) -> NodeId {
    let map = rig.cluster.map();
    map.nodes.iter().find(|node| node.name == name).expect("is in the map").node_id
}

#[tokio::test]
async fn the_picture_names_nodes_that_do_not_answer_and_why() {
    let rig = rig();
    let silent = node(&rig, "host 2");
    rig.nodes.silence(silent);
    let picture = rig.gateway.cluster_picture().await.expect("the ledger answers");
    assert_eq!((picture.said.len(), picture.damaged_shards), (4, 0));
    for (id, said) in picture.said {
        match said {
            Ok(said) => assert_eq!(said.disks.len(), 3),
            Err(why) => assert_eq!((id, why.as_str()), (silent, "connection refused")),
        }
    }
}

#[tokio::test]
async fn vaults_are_planned_created_and_used() {
    let rig = rig();
    let created =
        rig.gateway.create_vaults(&officer(), ErasureProfile::P2_1, None, Some(200)).await;
    let created = created.expect("creates");
    assert_eq!((created.count, created.level), (200, FailureDomain::Host));
    assert_eq!(rig.cluster.map().vaults.len(), 201);
    for key in 0..12 {
        rig.put(key, &footage(10)).await.expect("puts");
    }
    let used = rig.stores.iter().filter(|store| !store.keys().is_empty()).count();
    assert!(used > 6, "uploads take turns over the vaults, {used} disks were used");
}

#[tokio::test]
async fn a_profile_that_the_cluster_cannot_satisfy_is_refused_with_what_is_missing() {
    let rig = rig();
    let level = Some(FailureDomain::Host);
    let created = rig.gateway.create_vaults(&officer(), ErasureProfile::P4_2, level, None).await;
    let error = created.expect_err("four hosts are too few");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("4+2 needs 6 hosts"), "{error}");
}

#[tokio::test]
async fn vaults_are_not_planned_on_disks_that_take_no_shards_and_these_are_named() {
    let rig = rig();
    let map = rig.cluster.map();
    // Of four hosts with three disks each: one is silent, one disk is out, one is full.
    rig.nodes.silence(map.disks[3].node_id);
    let [out, full] = [map.disks[0].disk_id, map.disks[1].disk_id];
    rig.nodes.say(out, DiskStatus { offline: "a copy".to_owned(), ..DiskStatus::default() });
    rig.nodes.say(full, DiskStatus { fullness: "full".to_owned(), ..DiskStatus::default() });
    let p2_1 = ErasureProfile::P2_1;
    let created = rig.gateway.create_vaults(&officer(), p2_1, None, Some(60)).await;
    let created = created.expect("three hosts are enough");
    let [node, first, second] = &created.left_out[..] else { panic!("{:?}", created.left_out) };
    assert!(node.contains("host 3") && node.contains("connection refused"), "{node}");
    assert!(first.contains(&out.to_string()) && first.ends_with("out of service: a copy"));
    assert!(second.contains(&full.to_string()) && second.ends_with("which is full"));
    let now = rig.cluster.map();
    let silent: Vec<_> = now
        .disks_in_service()
        .filter(|disk| disk.node_id == map.disks[3].node_id)
        .map(|disk| disk.disk_id)
        .collect();
    for vault in &now.vaults[1..] {
        let is_left_out = |id: &DiskId| [out, full].contains(id) || silent.contains(id);
        assert!(!vault.slots.iter().any(is_left_out), "{vault:?}");
    }

    rig.nodes.silence(map.disks[2].node_id);
    let host = Some(FailureDomain::Host);
    let created = rig.gateway.create_vaults(&officer(), p2_1, host, None).await;
    let error = created.expect_err("two hosts are too few").to_string();
    assert!(error.contains("needs 3 hosts") && error.contains("left out: node"), "{error}");
}

#[tokio::test]
async fn a_plan_on_a_map_that_changes_meanwhile_is_made_again() {
    let rig = rig();
    let actor = officer();
    let create = |count| rig.gateway.create_vaults(&actor, ErasureProfile::P2_1, None, Some(count));
    let before = rig.cluster.map();
    create(1).await.expect("creates");
    rig.cluster.set_map((*before).clone());
    rig.cluster.lag(1);
    let created = create(3).await.expect("plans again");
    assert_eq!(created.count, 3);
    assert_eq!(rig.cluster.map().vaults.len(), 5);
}

#[tokio::test]
async fn i1_a_disk_with_slots_is_not_removed_and_its_node_is_not_told() {
    let rig = rig();
    let map = rig.cluster.map();
    let removal = || DiskRemoval::ForGood { reason: "worn out".to_owned() };
    let error = rig.gateway.remove_disk(&officer(), map.disks[0].disk_id, removal()).await;
    assert_eq!(error.expect_err("holds a slot").kind(), ErrorKind::Refused);
    assert!(rig.nodes.asked().is_empty());

    let spare = map.disks[11].disk_id;
    rig.nodes.silence(map.disks[11].node_id);
    rig.gateway.remove_disk(&officer(), spare, removal()).await.expect("nobody needs its node");
    assert!(rig.cluster.map().disks_in_service().all(|disk| disk.disk_id != spare));
}

#[tokio::test]
async fn a_disk_is_released_in_the_law_first_and_on_its_node_as_far_as_that_answers() {
    let rig = rig();
    let map = rig.cluster.map();
    let state = |disk: DiskId| rig.cluster.map().disk(disk).expect("stays in the map").state;
    let release = |disk: DiskId, why: &str| {
        let (gateway, why) = (rig.gateway.clone(), why.to_owned());
        async move { gateway.release_disk(&officer(), disk, why).await }
    };
    let [first, second] = [&map.disks[0], &map.disks[1]];
    let error = release(first.disk_id, "").await.expect_err("no reason");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(rig.nodes.asked().is_empty(), "what the law refuses leaves the disk in service");
    assert_eq!(state(first.disk_id), DiskState::InService);

    release(first.disk_id, "moves").await.expect("releases");
    assert_eq!(rig.nodes.asked(), [format!("{}: detach {}", first.node_id, first.disk_id)]);
    assert_eq!(state(first.disk_id), DiskState::Released, "slots are no hindrance");

    rig.nodes.silence(second.node_id);
    release(second.disk_id, "its node burnt").await.expect("nobody needs its node");
    assert_eq!(state(second.disk_id), DiskState::Released);
    let error = release(DiskId([0xab; 16]), "why").await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_disk_is_added_by_the_name_of_its_node() {
    let rig = rig();
    let request = || AddDiskRequest { path: "/data/9".to_owned(), create: true };
    rig.gateway.add_disk(&officer(), "host 1", request()).await.expect("adds");
    let id = node(&rig, "host 1").to_string();
    rig.gateway.add_disk(&officer(), &id, request()).await.expect("adds by id");
    let asked = format!("{id}: add /data/9");
    assert_eq!(rig.nodes.asked(), [asked.clone(), asked]);
    let error = rig.gateway.add_disk(&officer(), "host 9", request()).await.expect_err("unknown");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("host 3"), "names those there are: {error}");
}

#[tokio::test]
async fn the_scrub_of_all_disks_changes_and_a_node_that_does_not_follow_is_named() {
    let rig = rig();
    let nothing =
        ScrubChange { bytes_per_second: None, period_days: None, paused: None, start: false };
    let error = rig.gateway.set_scrub(&officer(), None, nothing).await.expect_err("nothing");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let slower = ScrubChange { bytes_per_second: Some(1 << 20), ..nothing };
    assert_eq!(rig.gateway.set_scrub(&officer(), None, slower).await.expect("changes"), 12);
    let one = rig.cluster.map().disks[3].disk_id;
    assert_eq!(rig.gateway.set_scrub(&officer(), Some(one), slower).await.expect("changes"), 1);
    rig.nodes.silence(node(&rig, "host 3"));
    let error = rig.gateway.set_scrub(&officer(), None, slower).await.expect_err("one is silent");
    assert!(error.to_string().contains("host 3"), "{error}");
}

#[tokio::test]
async fn the_picture_has_the_ledgers_group_and_stands_without_it() {
    let rig = rig();
    let picture = rig.gateway.cluster_picture().await.expect("the ledger answers");
    assert_eq!(picture.members.expect("it answers")[0].id, 1);
    rig.group.silence();
    let picture = rig.gateway.cluster_picture().await.expect("the ledger answers");
    let why = picture.members.expect_err("it does not answer");
    assert!(why.contains("connection refused"), "{why}");
    assert_eq!(picture.said.len(), 4, "the nodes are shown all the same");
}

#[tokio::test]
async fn i4_a_meta_node_is_removed_in_the_name_of_whoever_asks() {
    let rig = rig();
    for number in 1..=2 {
        let name = format!("meta-{number}");
        let endpoint = format!("https://{name}:7402");
        let admit = Envelope {
            request_id: [number; 16],
            actor: custos_core::Actor::system(),
            entry_salt: [number; 16],
            command: Command::AdmitMeta { token: [number; 16], name, endpoint },
        };
        rig.ledger.submit(admit).await.expect("admitted");
    }
    let error = rig.gateway.remove_meta(&officer(), MetaId(2), String::new()).await;
    assert_eq!(error.expect_err("no reason").kind(), ErrorKind::Invalid);
    rig.gateway.remove_meta(&officer(), MetaId(2), "it burnt".to_owned()).await.expect("removed");
    let checkpoint = rig.ledger.query(Query::Checkpoint).await.expect("an answer");
    let Answer::Checkpoint(checkpoint) = checkpoint else { panic!("{checkpoint:?}") };
    let from = LogIndex(checkpoint.size - 1);
    let last = Query::Entries { from, limit: 1, evidence_id: None, record: None };
    let Answer::Entries { items, .. } = rig.ledger.query(last).await.expect("an answer") else {
        panic!("no entries")
    };
    let (actor, detail) = (items[0].actor.as_deref(), items[0].detail.as_deref());
    assert!(actor.is_some_and(|actor| actor.contains(&officer().name)), "{:?}", items[0]);
    assert!(detail.is_some_and(|it| it.ends_with("retired for good: it burnt")), "{:?}", items[0]);

    rig.gateway.lead_meta(&officer(), MetaId(1)).await.expect("asked");
    assert_eq!(rig.group.led(), [MetaId(1)]);
}
