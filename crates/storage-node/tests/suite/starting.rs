//! What a node does at its start with disks as they are found.

use std::fs;

use custos_core::{DiskGeneration, ErrorKind};
use custos_ports::fakes::conformance::assert_whole;
use custos_storage_node::{StartError, StorageNode, WhenAbsent};

use crate::rig::{Rig, offline, shard, store};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_makes_its_disks_registers_them_and_finds_its_shards_again() {
    let rig = Rig::new();
    let node = rig.start("a", 2).await;
    let ids: Vec<_> = node.stores().iter().map(|(id, _)| *id).collect();
    let write = shard(1, 10_000);
    store(&node, 1).1.write(write.clone()).await.expect("written");
    let (node_id, run) = (node.node_id(), node.run());
    let map = rig.ledger.law.map();
    assert_eq!(map.node(node_id).expect("in the map").run, run);
    for id in &ids {
        assert_eq!(map.disk(*id).expect("in the map").generation, DiskGeneration(1));
    }
    node.shutdown().await;

    let node = rig.start("a", 2).await;
    assert_eq!((node.node_id(), node.run() == run), (node_id, false));
    assert_eq!(node.stores().iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    assert_whole(&*store(&node, 1).1, &write).await;
    let map = rig.ledger.law.map();
    assert_eq!(map.disk(ids[0]).expect("in the map").generation, DiskGeneration(2));
    let status = node.status().await;
    assert_eq!(status.disks[1].generation, DiskGeneration(2));
    assert_eq!(status.disks[1].store.shards, 1);
    let closed = store(&node, 1).1;
    node.shutdown().await;
    let refused = closed.write(shard(2, 1)).await.expect_err("closed").to_string();
    assert!(refused.contains("the node is stopping"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_wiped_disk_is_named_and_never_replaced_by_an_empty_one() {
    let rig = Rig::new();
    let node = rig.start("a", 3).await;
    let ids: Vec<_> = node.stores().iter().map(|(id, _)| *id).collect();
    node.shutdown().await;
    fs::rename(rig.disk_dir("a", 0), rig.disk_dir("a", 9)).expect("unmounted");
    fs::remove_dir_all(rig.disk_dir("a", 1)).expect("wiped");
    fs::create_dir(rig.disk_dir("a", 1)).expect("wiped");

    let mut options = rig.options("a", 3);
    // So that nothing comes back by itself yet.
    options.reopen_period = std::time::Duration::from_secs(3600);
    let node = rig.start_with(options).await;
    for number in [0, 1] {
        let reason = offline(&node, number).await.expect("out of service");
        let named = format!("disk {} stood here and is not mounted or was wiped", ids[number]);
        assert!(reason.contains(&named), "{reason}");
        // Whoever asks for it hears the same.
        let (id, out) = store(&node, number);
        assert_eq!(id, ids[number]);
        let refused = out.write(shard(1, 1)).await.expect_err("refused").to_string();
        assert!(refused.contains(&named), "{refused}");
    }
    assert_eq!(offline(&node, 2).await, None);
    store(&node, 2).1.write(shard(1, 100)).await.expect("the others work");
    assert_eq!(fs::read_dir(rig.disk_dir("a", 1)).expect("listed").count(), 0);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_mounted_later_comes_into_service_by_itself() {
    let rig = Rig::new();
    let node = rig.start("a", 2).await;
    let write = shard(1, 10_000);
    store(&node, 0).1.write(write.clone()).await.expect("written");
    node.shutdown().await;
    let aside = rig.disk_dir("a", 9);
    fs::rename(rig.disk_dir("a", 0), &aside).expect("unmounted");
    let node = rig.start("a", 2).await;
    assert!(offline(&node, 0).await.is_some());
    let mut changes = node.store_changes();
    changes.borrow_and_update();
    fs::rename(&aside, rig.disk_dir("a", 0)).expect("mounted");
    changes.changed().await.expect("the node runs");
    assert_eq!(offline(&node, 0).await, None);
    assert_whole(&*store(&node, 0).1, &write).await;
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_or_disk_in_use_and_a_newer_disk_stop_the_start() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    let refused = StorageNode::start(rig.options("a", 1), rig.deps()).await.err();
    assert!(matches!(refused, Some(StartError::InUse { .. })), "{refused:?}");

    let mut options = rig.options("b", 0);
    options.disks = vec![rig.disk("a", 0)];
    let refused = StorageNode::start(options, rig.deps()).await.err().expect("refused");
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    node.shutdown().await;

    let identity = rig.disk_dir("a", 0).join("disk.json");
    fs::write(identity, r#"{"format":"custos-disk","version":99}"#).expect("written");
    let refused = StorageNode::start(rig.options("a", 1), rig.deps()).await.err().expect("refused");
    assert!(refused.to_string().contains("use a newer custosd"), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_for_a_ledger_that_does_not_answer_yet() {
    let rig = Rig::new();
    *rig.ledger.away.lock() = 3;
    let node = rig.start("a", 1).await;
    assert_eq!(*rig.ledger.away.lock(), 0);
    assert_eq!(offline(&node, 0).await, None);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_another_node_has_is_refused() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    let mut options = rig.options("b", 1);
    options.name = "a".to_owned();
    let refused = StorageNode::start(options, rig.deps()).await.err().expect("refused");
    assert!(matches!(refused, StartError::Refused { .. }), "{refused}");
    assert!(refused.to_string().contains("name"), "{refused}");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_are_added_and_detached_while_the_node_runs() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    let folder = rig.disk_dir("a", 7);
    let text = folder.to_str().expect("UTF-8").to_owned();
    let refused = node.add_disk(&text, WhenAbsent::Refuse).await.expect_err("nothing there");
    assert_eq!(refused.kind(), ErrorKind::NotFound, "{refused}");
    let added = node.add_disk(&text, WhenAbsent::Create).await.expect("added");
    assert_eq!(store(&node, 1).0, added);
    assert_eq!(rig.ledger.law.map().disk(added).expect("in the map").name, "disk7");
    let write = shard(1, 10_000);
    store(&node, 1).1.write(write.clone()).await.expect("written");
    let twice = node.add_disk(&text, WhenAbsent::Create).await.expect_err("in service");
    assert!(twice.to_string().contains("in service already"), "{twice}");
    node.shutdown().await;

    // It is remembered without standing in the configuration.
    let node = rig.start("a", 1).await;
    assert_whole(&*store(&node, 1).1, &write).await;
    let kept = store(&node, 1).1;
    node.detach_disk(added).await.expect("detached");
    let refused = kept.read(&write.key, None).await.expect_err("detached").to_string();
    assert!(refused.contains("detached by an administrator"), "{refused}");
    assert!(offline(&node, 1).await.expect("out").contains("detached"));
    assert_eq!(node.detach_disk(added).await.expect_err("gone").kind(), ErrorKind::NotFound);
    // And back again.
    assert_eq!(node.add_disk(&text, WhenAbsent::Refuse).await, Ok(added));
    assert_whole(&*store(&node, 1).1, &write).await;
    node.detach_disk(added).await.expect("detached");
    node.shutdown().await;
    let node = rig.start("a", 1).await;
    assert_eq!(node.stores().len(), 1, "a detached disk that nobody configures is forgotten");
    node.shutdown().await;
}
