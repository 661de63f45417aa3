//! Copies, swaps and doubles are recognised and named.

use std::fs;

use crate::rig::{Rig, copy_dir, offline, shard, store, until_map};

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
async fn a_disk_that_another_node_has_taken_over_is_given_up_and_says_where_it_is() {
    let rig = Rig::new();
    let a = rig.start("a", 2).await;
    let (id, taken) = store(&a, 0);
    // A copy of the disk as it stands, which the law cannot tell from the disk: it moves.
    let identity = rig.disk_dir("a", 0);
    copy_dir(&identity, &rig.disk_dir("b", 0));
    let mut changes = a.store_changes();
    let b = rig.start("b", 1).await;
    changes.wait_for(|stores| stores.iter().all(|(other, _)| *other != id)).await.expect("runs");
    let refused = taken.write(shard(1, 1)).await.expect_err("refused").to_string();
    assert!(refused.contains("by node b as generation 2 (here it is 1)"), "{refused}");
    assert!(offline(&a, 0).await.expect("out").contains("by node b"));
    assert_eq!(offline(&a, 1).await, None);
    assert_eq!(offline(&b, 0).await, None);
    a.shutdown().await;
    b.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_with_one_identity_are_named_and_the_older_one_stops_serving() {
    let rig = Rig::new();
    let mut options = rig.options("a", 1);
    options.endpoint = "https://10.0.0.1:7400".to_owned();
    let first = rig.start_with(options).await;
    let store_of_first = store(&first, 0).1;
    // Copied while it ran, as an image of a machine would be.
    copy_dir(&rig.node_dir("a"), &rig.node_dir("b"));
    let mut options = rig.options("b", 0);
    options.endpoint = "https://10.0.0.2:7400".to_owned();
    options.disks = vec![rig.disk("b", 0)];
    let cluster = rig.cluster();
    let second = rig.start_with(options).await;
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
