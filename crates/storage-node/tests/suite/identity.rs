//! Copies, swaps and doubles are recognised and named.

use std::fs;

use custos_core::{DiskState, ErrorKind};
use custos_ledger::Command;
use custos_storage_node::{StartError, StorageNode, StorageOptions, WhenAbsent};

use crate::rig::{Elsewhere, Rig, copy_dir, offline, shard, store, until_map};

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_beside_its_disk_is_refused_by_name() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    node.shutdown().await;
    copy_dir(&rig.disk_dir("a", 0), &rig.disk_dir("a", 1));
    let node = rig.start("a", 2).await;
    assert_eq!(offline(&node, 0).await, None);
    let reason = offline(&node, 1).await.expect("refused");
    let original = rig.disk_dir("a", 0).display().to_string();
    assert!(reason.contains("one of the two is a copy") && reason.contains(&original), "{reason}");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_in_another_node_is_refused_after_the_disk_was_opened_again() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    node.shutdown().await;
    copy_dir(&rig.disk_dir("a", 0), &rig.disk_dir("b", 0));
    let original = rig.start("a", 1).await;
    let other = rig.start("b", 1).await;
    let reason = offline(&other, 0).await.expect("refused");
    assert!(reason.contains("copy"), "{reason}");
    assert!(reason.contains(&store(&original, 0).0.to_string()), "{reason}");
    assert_eq!(offline(&original, 0).await, None);
    store(&original, 0).1.write(shard(1, 100)).await.expect("the disk itself works");
    original.shutdown().await;
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_state_of_a_disk_that_is_put_back_is_refused() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    node.shutdown().await;
    let (disk, old) = (rig.disk_dir("a", 0), rig.disk_dir("a", 9));
    copy_dir(&disk, &old);
    let node = rig.start("a", 1).await;
    store(&node, 0).1.write(shard(1, 100)).await.expect("written");
    node.shutdown().await;
    fs::remove_dir_all(&disk).expect("removed");
    fs::rename(&old, &disk).expect("put back");
    let node = rig.start("a", 1).await;
    let reason = offline(&node, 0).await.expect("refused");
    assert!(reason.contains("as generation 2 since"), "{reason}");
    assert!(reason.contains("an old state of that disk"), "{reason}");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_swapped_between_nodes_are_recognised() {
    let rig = Rig::new();
    let (a, b) = (rig.start("a", 1).await, rig.start("b", 1).await);
    let ids = [store(&a, 0).0, store(&b, 0).0];
    a.shutdown().await;
    b.shutdown().await;
    let aside = rig.disk_dir("a", 9);
    fs::rename(rig.disk_dir("a", 0), &aside).expect("taken out");
    fs::rename(rig.disk_dir("b", 0), rig.disk_dir("a", 0)).expect("swapped");
    fs::rename(&aside, rig.disk_dir("b", 0)).expect("swapped");
    let (a, b) = (rig.start("a", 1).await, rig.start("b", 1).await);
    for (node, found, expected) in [(&a, ids[1], ids[0]), (&b, ids[0], ids[1])] {
        let reason = offline(node, 0).await.expect("refused");
        let said = format!("holds disk {found}, expected disk {expected}");
        assert!(reason.contains(&said), "{reason}");
        assert!(reason.contains("may be swapped"), "{reason}");
    }
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_disk_in_service_is_refused_until_the_disk_is_released() {
    let rig = Rig::new();
    let a = rig.start("a", 2).await;
    let (id, original) = store(&a, 0);
    // As it stands: nothing on it tells it from the disk.
    copy_dir(&rig.disk_dir("a", 0), &rig.disk_dir("b", 0));
    let b = rig.start("b", 1).await;
    let reason = offline(&b, 0).await.expect("refused");
    assert!(reason.contains(&format!("disk {id} is in service in node \"a\"")), "{reason}");
    assert!(reason.contains(&format!("`custos disk release {id} --reason TEXT`")), "{reason}");
    assert!(b.stores().is_empty(), "whoever asks for it is shown to node a");
    original.write(shard(1, 100)).await.expect("the disk itself serves on");

    let mut changes = a.store_changes();
    rig.submit(Command::ReleaseDisk { disk_id: id, reason: "moves".to_owned() }).await;
    changes.changed().await.expect("runs");
    let reason = offline(&a, 0).await.expect("out");
    assert!(reason.contains("was released, so that any node may take it"), "{reason}");
    let refused = original.write(shard(2, 1)).await.expect_err("refused").to_string();
    assert!(refused.contains("was released"), "{refused}");
    assert_eq!(offline(&a, 1).await, None);

    let folder = rig.disk_dir("b", 0).display().to_string();
    assert_eq!(b.add_disk(&folder, WhenAbsent::Refuse).await.expect("moves"), id);
    assert_eq!(offline(&b, 0).await, None);
    store(&b, 0).1.write(shard(3, 1)).await.expect("serves here");
    // What says in node a that the disk is out does not stand in the way to it.
    changes.wait_for(|stores| stores.iter().all(|(other, _)| *other != id)).await.expect("runs");
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_released_disk_can_be_taken_back_by_its_node() {
    let rig = Rig::new();
    let node = rig.start("a", 1).await;
    let (id, _) = store(&node, 0);
    let mut changes = node.store_changes();
    rig.submit(Command::ReleaseDisk { disk_id: id, reason: "a try".to_owned() }).await;
    changes.changed().await.expect("runs");
    assert!(offline(&node, 0).await.is_some());
    let folder = rig.disk_dir("a", 0).display().to_string();
    assert_eq!(node.add_disk(&folder, WhenAbsent::Refuse).await.expect("comes back"), id);
    assert_eq!(offline(&node, 0).await, None);
    assert_eq!(rig.ledger.law.map().disk(id).expect("known").state, DiskState::InService);
    node.shutdown().await;
}

/// A node's folder at another address, with one disk of its own.
fn copied_node(rig: &Rig) -> StorageOptions {
    // Copied while it ran, as an image of a machine would be.
    copy_dir(&rig.node_dir("a"), &rig.node_dir("b"));
    let mut options = rig.options("b", 1);
    options.endpoint = "https://10.0.0.2:7400".to_owned();
    options
}

fn original_node(rig: &Rig) -> StorageOptions {
    let mut options = rig.options("a", 1);
    options.endpoint = "https://10.0.0.1:7400".to_owned();
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_with_the_identity_of_a_running_node_does_not_start() {
    let rig = Rig::new();
    let first = rig.start_with(original_node(&rig)).await;
    *rig.peers.elsewhere.lock() = Elsewhere::Process(first.run());
    let epoch = rig.ledger.law.map().epoch;
    let started = StorageNode::start(copied_node(&rig), rig.deps()).await;
    let refused = started.err().expect("refused");
    assert!(matches!(refused, StartError::SameIdentity(_)), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let text = refused.to_string();
    assert!(text.contains("\"a\" at https://10.0.0.1:7400 runs as node"), "{text}");
    assert!(text.contains("\"b\" at https://10.0.0.2:7400 is not started"), "{text}");
    assert!(text.contains(&rig.node_dir("b").display().to_string()), "{text}");
    assert_eq!(rig.ledger.law.map().epoch, epoch, "nothing was registered");
    store(&first, 0).1.write(shard(1, 1)).await.expect("the original serves on");
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_at_its_own_address_asks_nobody() {
    let rig = Rig::new();
    rig.start_with(original_node(&rig)).await.shutdown().await;
    *rig.peers.elsewhere.lock() = Elsewhere::Silence;
    let again = rig.start_with(original_node(&rig)).await;
    assert_eq!(*rig.peers.asked.lock(), 0);
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_moved_starts_when_the_process_before_it_is_gone_or_not_the_one_on_record() {
    let rig = Rig::new();
    rig.start_with(original_node(&rig)).await.shutdown().await;
    let places = [
        Elsewhere::Nothing,
        Elsewhere::Process(custos_core::RunId([0xee; 16])),
        Elsewhere::Silence,
    ];
    for (number, elsewhere) in places.into_iter().enumerate() {
        *rig.peers.elsewhere.lock() = elsewhere;
        let mut moved = original_node(&rig);
        moved.endpoint = format!("https://10.0.1.{number}:7400");
        rig.start_with(moved).await.shutdown().await;
        assert_eq!(*rig.peers.asked.lock(), number + 1, "{elsewhere:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_with_one_identity_are_named_and_the_older_one_stops_serving() {
    let rig = Rig::new();
    let first = rig.start_with(original_node(&rig)).await;
    let store_of_first = store(&first, 0).1;
    let cluster = rig.cluster();
    // It does not reach the first, which runs all the same.
    let second = rig.start_with(copied_node(&rig)).await;
    assert_eq!(first.node_id(), second.node_id());
    until_map(&cluster, |map| {
        map.node(second.node_id()).is_some_and(|node| node.run == second.run())
    })
    .await;
    let failure = first.failed().await;
    let text = failure.to_string();
    assert!(text.contains("two nodes have one identity"), "{text}");
    assert!(text.contains("\"b\" at https://10.0.0.2:7400"), "{text}");
    let refused = store_of_first.write(shard(1, 1)).await.expect_err("refused").to_string();
    assert!(refused.contains("two nodes have one identity"), "{refused}");
    store(&second, 0).1.write(shard(1, 1)).await.expect("the younger one serves");
    first.shutdown().await;
    second.shutdown().await;
}
