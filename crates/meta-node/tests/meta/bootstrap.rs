use std::{sync::Arc, time::Duration};

use custos_core::{ClusterMap, DiskGeneration, DiskId, Epoch, ErasureProfile, NodeId, RunId};
use custos_ledger::{Answer, Command, DiskClaim, Query};
use custos_meta_node::Bootstrap;
use custos_ports::{Ledger, fakes::CountingEntropy};
use tokio::task::JoinSet;

use crate::world::{Fate, LossyLedger, command, register};

const NODES: u8 = 6;

fn bootstrap() -> Bootstrap {
    Bootstrap {
        poll_interval: Duration::from_millis(1),
        ..Bootstrap::new(usize::from(NODES), ErasureProfile::P4_2)
    }
}

async fn run(ledger: Arc<LossyLedger>) {
    bootstrap().run(ledger, Arc::new(CountingEntropy::default())).await;
}

/// Node `number` comes with two disks.
async fn node_comes(ledger: &dyn Ledger, number: u8) {
    ledger.submit(register(number, number)).await.expect("registered");
    let disks = (0..2)
        .map(|disk| DiskClaim {
            disk_id: DiskId([number * 2 + disk; 16]),
            name: format!("disk {disk}"),
            weight: 100,
            generation: DiskGeneration(1),
            opening: RunId([number; 16]),
        })
        .collect();
    let node_id = NodeId([number; 16]);
    let claim = command(100 + number, Command::RegisterDisks { node_id, disks });
    ledger.submit(claim).await.expect("registered");
}

async fn map(ledger: &dyn Ledger) -> ClusterMap {
    match ledger.query(Query::ClusterMap { newer_than: Epoch(0) }).await {
        Ok(Answer::ClusterMap(Some(map))) => *map,
        other => panic!("{other:?}"),
    }
}

/// Vaults that a plan for twelve disks has: about 100 slots a disk, in a power of two.
const PLANNED: usize = 256;

#[tokio::test]
async fn vaults_are_made_when_the_last_expected_node_has_come_and_not_before() {
    let ledger = LossyLedger::new();
    let running = tokio::spawn(run(ledger.clone()));
    for number in 1..NODES {
        node_comes(&*ledger, number).await;
    }
    // It has looked at the map of five nodes when it has read it twice more.
    let calls = || ledger.calls.load(std::sync::atomic::Ordering::SeqCst);
    let before = calls();
    while calls() < before + 2 {
        tokio::task::yield_now().await;
    }
    assert!(map(&*ledger).await.vaults.is_empty());
    node_comes(&*ledger, NODES).await;
    running.await.expect("it ends");
    let map = map(&*ledger).await;
    assert_eq!(map.vaults.len(), PLANNED);
    assert!(map.vaults.iter().all(|vault| vault.profile == ErasureProfile::P4_2));
}

#[tokio::test]
async fn many_meta_nodes_at_once_make_the_vaults_once() {
    let ledger = LossyLedger::new();
    for number in 1..=NODES {
        node_comes(&*ledger, number).await;
    }
    let mut running = JoinSet::new();
    for _ in 0..5 {
        running.spawn(run(ledger.clone()));
    }
    running.join_all().await;
    assert_eq!(map(&*ledger).await.vaults.len(), PLANNED);
}

#[tokio::test]
async fn a_ledger_whose_answers_get_lost_is_asked_until_all_vaults_are_there() {
    let ledger = LossyLedger::new();
    for number in 1..=NODES {
        node_comes(&*ledger, number).await;
    }
    // Two reads; the first half of the vaults; a read; the second half.
    ledger.fates.lock().extend([Fate::Lost, Fate::Heard, Fate::Lost, Fate::Heard, Fate::Lost]);
    run(ledger.clone()).await;
    assert!(ledger.fates.lock().is_empty());
    assert_eq!(map(&*ledger).await.vaults.len(), PLANNED);
}

#[tokio::test]
async fn a_cluster_that_has_vaults_keeps_them_as_they_are() {
    let ledger = LossyLedger::new();
    for number in 1..=NODES {
        node_comes(&*ledger, number).await;
    }
    run(ledger.clone()).await;
    let before = map(&*ledger).await;
    run(ledger.clone()).await;
    assert_eq!(map(&*ledger).await, before);
}
