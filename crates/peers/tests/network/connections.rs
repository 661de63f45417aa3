use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use custos_core::Role;
use custos_peers::{
    Channels,
    fakes::{TestAuthority, TestServer},
};
use custos_ports::{Cluster, ShardError};
use custos_wire::internal_v1::shard_server::ShardServer;
use tokio::task::JoinSet;

use crate::storage_node::{DISK, Manner, World, key, register_node, shard, spawn};

/// Far less than the deadline of a call, far more than it takes to notice.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn calls_under_way_fail_soon_when_the_node_dies() {
    let mut world = World::new().await;
    let store = world.store();
    store.write(shard(1, 0, 3 << 20)).await.expect("written");
    let before = world.node.requests.load(Ordering::SeqCst);
    let mut calls = JoinSet::new();
    world.node.set(Manner::StallsMidway);
    let reader = store.clone();
    calls.spawn(async move { reader.read(&key(1, 0), None).await.map(drop) });
    while world.node.requests.load(Ordering::SeqCst) < before + 1 {
        tokio::task::yield_now().await;
    }
    world.node.set(Manner::Hangs);
    let writer = store.clone();
    calls.spawn(async move { writer.write(shard(1, 1, 3 << 20)).await });
    while world.node.requests.load(Ordering::SeqCst) < before + 2 {
        tokio::task::yield_now().await;
    }
    world.server.kill();
    let killed = Instant::now();
    while let Some(call) = calls.join_next().await {
        let error = call.expect("no panic").expect_err("the node is dead");
        assert!(matches!(error, ShardError::Io { .. }), "{error}");
    }
    assert!(killed.elapsed() < SOON, "{:?}", killed.elapsed());
}

#[tokio::test]
async fn a_dead_node_fails_at_once_by_name_and_serves_again_when_it_is_back() {
    let mut world = World::new().await;
    let store = world.store();
    store.write(shard(1, 0, 100)).await.expect("written");
    let address = world.server.address();
    world.server.kill();
    let began = Instant::now();
    for _ in 0..200 {
        let error = store.read(&key(1, 0), None).await.expect_err("the node is dead");
        assert!(matches!(error, ShardError::Io { .. }), "{error}");
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let service = ShardServer::new(world.node.clone());
    let tls = world.authority.server();
    world.server = TestServer::start_at(address, tls, |mut server| server.add_service(service));
    while store.read(&key(1, 0), None).await.is_err() {
        tokio::task::yield_now().await;
        assert!(began.elapsed() < SOON, "it does not come back");
    }
}

#[tokio::test]
async fn a_server_that_another_authority_vouches_for_gets_nothing() {
    let world = World::new().await;
    let foreign = Channels::new(TestAuthority::new().client("gateway-1", Role::System));
    let peers = spawn(world.ledger.clone(), Some(foreign), SOON);
    peers.refresh().await.expect("the map");
    let error = peers.store(DISK).write(shard(1, 0, 100)).await.expect_err("not believed");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(world.node.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_believed() {
    let world = World::new().await;
    let service = ShardServer::new(world.node.clone());
    let tls = world.authority.server_named("storage-7.example");
    let server = TestServer::start(tls, |mut server| server.add_service(service));
    register_node(&*world.ledger, crate::storage_node::NODE, "far", &server.endpoint(), 2).await;
    world.peers.refresh().await.expect("the map");
    let error = world.store().write(shard(1, 0, 100)).await.expect_err("not believed");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(world.node.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_caller_that_is_no_node_is_refused_by_role() {
    let world = World::new().await;
    let station = Channels::new(world.authority.client("station-1", Role::Station));
    let peers = spawn(world.ledger.clone(), Some(station), SOON);
    peers.refresh().await.expect("the map");
    let error = peers.store(DISK).write(shard(1, 0, 100)).await.expect_err("refused");
    assert!(matches!(error, ShardError::Offline { .. }), "{error}");
    assert!(error.to_string().contains("station-1 has the role station"), "{error}");
    assert_eq!(world.node.requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn i10_more_calls_than_the_limit_are_shed_by_name() {
    let world = World::new().await;
    world.node.set(Manner::Hangs);
    let mut calls = JoinSet::new();
    for _ in 0..custos_peers::limits::CALLS_PER_ENDPOINT_MAX {
        let store: Arc<_> = world.store();
        calls.spawn(async move { store.verify(&key(1, 0)).await });
    }
    // Those that are under way never end: the first that ends is the one that is shed.
    let error = loop {
        tokio::task::yield_now().await;
        let store = world.store();
        calls.spawn(async move { store.verify(&key(1, 0)).await });
        if let Some(ended) = calls.try_join_next() {
            break ended.expect("no panic").expect_err("shed");
        }
    };
    assert!(matches!(error, ShardError::Overloaded { .. }), "{error}");
    assert!(error.to_string().contains("2048 calls to https://"), "{error}");
}
