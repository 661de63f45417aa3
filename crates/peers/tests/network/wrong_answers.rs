use std::{sync::atomic::Ordering, time::Duration};

use custos_core::{DiskGeneration, Epoch};
use custos_ports::{Cluster, ShardError};

use crate::storage_node::{
    Manner, NODE, STRANGER, World, key, register_disk, register_node, shard,
};

#[tokio::test]
async fn an_answer_of_another_node_is_refused_and_both_are_named() {
    let world = World::new().await;
    let store = world.store();
    store.write(shard(1, 0, 100)).await.expect("written");
    world.node.set(Manner::Stranger);
    let evidence_id = key(1, 0).evidence_id;
    let errors = [
        store.read(&key(1, 0), None).await.expect_err("read"),
        store.write(shard(1, 1, 100)).await.expect_err("write"),
        store.verify(&key(1, 0)).await.expect_err("verify"),
        store.list(key(1, 0).vault, evidence_id, None, 10).await.expect_err("list"),
        store.list_all(None, None, 10).await.expect_err("list all"),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(matches!(error, ShardError::Io { .. }), "{text}");
        assert!(text.contains("disk 0 of node far was asked"), "{text}");
        assert!(text.contains(&STRANGER.node_id.to_string()), "{text}");
    }
    let status = store.status().await;
    assert!(status.offline.is_some_and(|reason| reason.contains("answers")));
    let error = world.peers.node_client(NODE).expect("there").status().await.expect_err("another");
    assert!(error.to_string().contains(&STRANGER.node_id.to_string()), "{error}");
}

#[tokio::test]
async fn a_caller_with_an_old_map_reads_it_anew_and_is_served() {
    let world = World::new().await;
    let store = world.store();
    let newer = register_node(&*world.ledger, NODE, "far", &world.server.endpoint(), 2).await;
    world.node.set(Manner::Wants(newer));
    assert!(world.peers.map().epoch < newer);
    store.write(shard(1, 0, 3 << 20)).await.expect("written at the second attempt");
    assert_eq!(world.peers.map().epoch, newer);
    assert_eq!(world.node.requests.swap(0, Ordering::SeqCst), 2);
    store.read(&key(1, 0), None).await.expect("read at the first");
    assert_eq!(world.node.requests.swap(0, Ordering::SeqCst), 1);

    let never = Epoch(newer.0 + 100);
    world.node.set(Manner::Wants(never));
    let stale = store.read(&key(1, 0), None).await.expect_err("asked once more and not again");
    assert!(
        matches!(stale, ShardError::Stale { given, current, .. } if given == newer && current == never),
        "{stale}"
    );
    assert_eq!(world.node.requests.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_caller_that_knows_an_older_generation_of_a_disk_reads_the_map_anew() {
    let world = World::new().await;
    register_disk(&*world.ledger, NODE, crate::storage_node::DISK, 2).await;
    world.node.set(Manner::Generation(DiskGeneration(2)));
    world.store().write(shard(1, 0, 100)).await.expect("written at the second attempt");
    world.node.set(Manner::Generation(DiskGeneration(3)));
    let error = world.store().read(&key(1, 0), None).await.expect_err("no such generation");
    assert!(matches!(error, ShardError::Offline { .. }), "{error}");
    assert!(error.to_string().contains("generation 2 is asked for, this is 3"), "{error}");
}

#[tokio::test]
async fn i2_bytes_that_changed_on_the_way_never_arrive() {
    let world = World::new().await;
    let store = world.store();
    store.write(shard(1, 0, 3 << 20)).await.expect("written");
    for (manner, what) in [
        (Manner::Alters, "CRC-32C"),
        (Manner::CutsShort, "of the 3145728 bytes"),
        (Manner::Pads, "more than the 3145728 bytes"),
        (Manner::Misdirects, "came for shard"),
    ] {
        world.node.set(manner);
        let error = store.read(&key(1, 0), None).await.expect_err("refused");
        assert!(matches!(error, ShardError::Io { .. }), "{manner:?}: {error}");
        assert!(error.to_string().contains(what), "{manner:?}: {error}");
    }
    world.node.set(Manner::Right);
    store.read(&key(1, 0), None).await.expect("read");
}

#[tokio::test]
async fn a_node_that_never_answers_is_given_up_at_the_deadline() {
    let world = World::with_deadline(Duration::from_millis(300)).await;
    let store = world.store();
    store.write(shard(1, 0, 3 << 20)).await.expect("written");
    for manner in [Manner::Hangs, Manner::StallsMidway] {
        world.node.set(manner);
        let error = store.read(&key(1, 0), None).await.expect_err("late");
        assert!(matches!(error, ShardError::Io { operation: "read", .. }), "{error}");
        assert!(error.to_string().contains("did not answer within"), "{error}");
    }
    world.node.set(Manner::Hangs);
    let error = store.write(shard(1, 1, 3 << 20)).await.expect_err("late");
    assert!(error.to_string().contains("did not answer within"), "{error}");
    assert!(store.status().await.offline.is_some());
    world.node.set(Manner::Right);
    store.read(&key(1, 0), None).await.expect("the connections still serve");
}
