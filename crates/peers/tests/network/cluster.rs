use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custos_core::{DiskId, ErrorKind, NodeId};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_peers::{ClusterOptions, ClusterPeers};
use custos_ports::{
    Cluster, Ledger, LedgerError,
    fakes::{CountingEntropy, MemoryLedger, MemoryShardStore},
};
use custos_wire::internal_v1::{AddDiskRequest, SetScrubRequest};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::storage_node::{
    DISK, NODE, World, key, register_disk, register_node, shard, spawn, submit,
};

const NOBODY: NodeId = NodeId([0x66; 16]);
const LONELY_DISK: DiskId = DiskId([0x77; 16]);

/// A ledger whose reads wait for leave, and are counted.
struct SlowLedger {
    inner: MemoryLedger,
    leave: Semaphore,
    reads: AtomicUsize,
}

#[async_trait]
impl Ledger for SlowLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        self.inner.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let answer = self.inner.query(query).await;
        self.leave.acquire().await.expect("open").forget();
        answer
    }
}

fn ledger() -> MemoryLedger {
    MemoryLedger::new("2026-03-01T08:00:00Z".parse().expect("a time"))
}

async fn why_offline(peers: &ClusterPeers, disk: DiskId) -> String {
    let store = peers.store(disk);
    let error = store.write(shard(1, 0, 10)).await.expect_err("offline");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    error.to_string()
}

#[tokio::test]
async fn a_disk_that_cannot_be_reached_says_why() {
    let world = World::new().await;
    let peers = &world.peers;
    let unknown = why_offline(peers, DiskId([0x11; 16])).await;
    assert!(unknown.contains("1111: out of service: it is not in the cluster map"), "{unknown}");

    register_node(&*world.ledger, NOBODY, "hermit", "", 1).await;
    register_disk(&*world.ledger, NOBODY, LONELY_DISK, 1).await;
    peers.refresh().await.expect("the map");
    let alone = why_offline(peers, LONELY_DISK).await;
    assert!(alone.contains("its node hermit has no endpoint"), "{alone}");
    let error = peers.node_client(NOBODY).err().expect("no way");
    assert!(error.to_string().contains("node hermit has no endpoint"), "{error}");

    let held = world.store();
    let reason = "worn out".to_owned();
    submit(&*world.ledger, Command::RemoveDisk { disk_id: DISK, reason }).await;
    peers.refresh().await.expect("the map");
    let removed = why_offline(peers, DISK).await;
    assert_eq!(removed, "disk 0 of node far: out of service: it was removed from the cluster");
    let error = held.write(shard(1, 0, 10)).await.expect_err("held from before");
    assert_eq!(error.to_string(), removed);

    let alone = spawn(world.ledger.clone(), None, Duration::from_secs(9));
    register_disk(&*world.ledger, NODE, DiskId([3; 16]), 1).await;
    alone.refresh().await.expect("the map");
    let unconnected = why_offline(&alone, DiskId([3; 16])).await;
    assert!(unconnected.contains("no connections to other nodes"), "{unconnected}");
}

#[tokio::test]
async fn a_disk_of_this_process_is_used_without_the_network() {
    let world = World::new().await;
    let local = Arc::new(MemoryShardStore::new("here"));
    world.peers.set_local(DISK, local.clone());
    world.store().write(shard(1, 0, 10)).await.expect("written");
    assert_eq!(local.keys(), [key(1, 0)]);
    assert!(world.node.store.keys().is_empty());
    world.peers.remove_local(DISK);
    world.store().write(shard(1, 1, 10)).await.expect("written");
    assert_eq!(world.node.store.keys(), [key(1, 1)]);
}

#[tokio::test]
async fn a_node_that_moved_is_followed_by_the_stores_that_are_held() {
    let mut world = World::new().await;
    let held = world.store();
    held.write(shard(1, 0, 10)).await.expect("written");
    let elsewhere = world.node.serve(&world.authority);
    world.server.kill();
    register_node(&*world.ledger, NODE, "far", &elsewhere.endpoint(), 2).await;
    world.peers.refresh().await.expect("the map");
    held.read(&key(1, 0), None).await.expect("read where the node is now");
}

#[tokio::test]
async fn many_refreshes_at_once_share_few_reads_and_see_what_was_before_them() {
    let slow = Arc::new(SlowLedger {
        inner: ledger(),
        leave: Semaphore::new(0),
        reads: AtomicUsize::new(0),
    });
    let peers = spawn(slow.clone(), None, Duration::from_secs(9));
    while slow.reads.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    // The first read has its answer already, and hangs: it must not serve who comes now.
    let epoch = register_node(&*slow, NODE, "far", "https://127.0.0.1:1", 1).await;
    let mut refreshes = JoinSet::new();
    for _ in 0..100 {
        let peers = peers.clone();
        refreshes.spawn(async move { peers.refresh().await });
    }
    slow.leave.add_permits(1000);
    while let Some(map) = refreshes.join_next().await {
        assert_eq!(map.expect("no panic").expect("the map").epoch, epoch);
    }
    let reads = slow.reads.load(Ordering::SeqCst);
    assert!((2..=3).contains(&reads), "{reads} reads");
}

#[tokio::test]
async fn a_change_of_the_map_is_noticed_without_being_asked_for() {
    let ledger = Arc::new(ledger());
    let options =
        ClusterOptions { poll_interval: Duration::from_millis(2), ..ClusterOptions::default() };
    let entropy = Arc::new(CountingEntropy::default());
    let peers = ClusterPeers::spawn(options, ledger.clone(), None, entropy);
    let mut changes = peers.changes();
    let epoch = register_node(&*ledger, NODE, "far", "https://127.0.0.1:1", 1).await;
    let map = changes.wait_for(|map| map.epoch == epoch).await.expect("alive").clone();
    assert_eq!(map.nodes[0].name, "far");
    assert_eq!(peers.map().epoch, epoch);
}

#[tokio::test]
async fn a_node_is_operated_by_its_id() {
    let world = World::new().await;
    let node = world.peers.node_client(NODE).expect("there");
    let status = node.status().await.expect("a status");
    assert_eq!((status.name.as_str(), status.disks.len()), ("far", 1));
    node.set_scrub(SetScrubRequest::default()).await.expect("set");
    node.detach_disk(DISK).await.expect("detached");
    let request = AddDiskRequest { path: "/nowhere".to_owned(), create: false };
    let error = node.add_disk(request).await.expect_err("no disk");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("/nowhere is no disk"), "{error}");
    let error = world.peers.node_client(NOBODY).err().expect("no such node");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
