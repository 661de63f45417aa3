//! The scrub finds what has gone bad, at the pace that it is told.

use std::fs;
use std::sync::Arc;

use custos_core::DiskId;
use custos_ledger::{Answer, DamageRecord, Query};
use custos_ports::{Ledger, ShardStore};
use custos_storage_node::{ScrubChange, ScrubProgress, ScrubSettings, StorageNodeHandle};
use tokio::sync::watch;

use crate::rig::{Rig, shard, store};

const FAST: u64 = u64::MAX / 4;

fn progress(node: &StorageNodeHandle, disk: DiskId) -> watch::Receiver<ScrubProgress> {
    node.scrub_progress(disk).expect("in service")
}

async fn until(
    progress: &mut watch::Receiver<ScrubProgress>,
    wanted: impl FnMut(&ScrubProgress) -> bool,
) -> ScrubProgress {
    *progress.wait_for(wanted).await.expect("the scrub runs")
}

async fn damage(rig: &Rig) -> Vec<DamageRecord> {
    match rig.ledger.query(Query::ListDamage { after: None, limit: 100, evidence_id: None }).await {
        Ok(Answer::Damage { items, .. }) => items,
        other => panic!("{other:?}"),
    }
}

async fn fill(store: &Arc<dyn ShardStore>, shards: u64, len: usize) {
    for number in 0..shards {
        store.write(shard(number, len)).await.expect("written");
    }
}

/// A node with one disk whose scrub stands still.
async fn paused(rig: &Rig) -> (StorageNodeHandle, DiskId, Arc<dyn ShardStore>) {
    let mut options = rig.options("a", 1);
    options.scrub = ScrubSettings { paused: true, bytes_per_second: FAST, period_days: 30 };
    let node = rig.start_with(options).await;
    let (disk, store) = store(&node, 0);
    (node, disk, store)
}

/// Flips a bit in every place of the extents where `needle` stands.
fn flip(rig: &Rig, needle: &[u8]) -> usize {
    let mut flipped = 0;
    for entry in fs::read_dir(rig.disk_dir("a", 0).join("extents")).expect("listed") {
        let path = entry.expect("entry").path();
        let mut bytes = fs::read(&path).expect("read");
        let found = bytes.windows(needle.len()).position(|window| window == needle);
        if let Some(at) = found {
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).expect("written");
            flipped += 1;
        }
    }
    flipped
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_found_and_on_record_in_the_ledger() {
    let rig = Rig::new();
    let (node, _, store) = paused(&rig).await;
    fill(&store, 20, 20_000).await;
    node.shutdown().await;
    let victim = shard(7, 20_000);
    assert_eq!(flip(&rig, &victim.payload[9_000..9_064]), 1);

    // The ledger is away at first: the damage waits for it.
    let (node, disk, _) = paused(&rig).await;
    *rig.ledger.away.lock() = 1;
    node.change_scrub(Some(disk), ScrubChange { paused: Some(false), ..Default::default() })
        .expect("in service");
    let ended = until(&mut progress(&node, disk), |progress| progress.pass_ended.is_some()).await;
    assert_eq!((ended.shards_checked, ended.damaged, ended.damaged_ever), (20, 1, 1));
    assert_eq!(ended.bytes_checked, 20 * 20_000);
    assert_eq!(*rig.ledger.away.lock(), 0);
    let found = damage(&rig).await;
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].disk_id, found[0].damage.key), (disk, victim.key));
    assert!(!found[0].damage.what.is_empty());

    // A new pass finds it again; it stays one record.
    let mut progress = progress(&node, disk);
    node.change_scrub(None, ScrubChange { start: true, ..Default::default() }).expect("all");
    until(&mut progress, |progress| progress.damaged_ever == 2 && !progress.in_pass).await;
    assert_eq!(damage(&rig).await.len(), 1);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pace_changes_while_the_scrub_waits_for_its_turn() {
    let rig = Rig::new();
    let (node, disk, store) = paused(&rig).await;
    fill(&store, 30, 50_000).await;
    // At a byte a second the second shard is due half a day after the first.
    let slow = ScrubChange { bytes_per_second: Some(1), paused: Some(false), ..Default::default() };
    node.change_scrub(Some(disk), slow).expect("in service");
    let mut progress = progress(&node, disk);
    until(&mut progress, |progress| progress.shards_checked == 1).await;
    let fast = ScrubChange { bytes_per_second: Some(FAST), ..Default::default() };
    node.change_scrub(Some(disk), fast).expect("in service");
    let ended = until(&mut progress, |progress| progress.pass_ended.is_some()).await;
    assert_eq!(ended.shards_checked, 30);
    let report = node.status().await.disks[0].scrub.expect("in service");
    assert_eq!(report.settings.bytes_per_second, FAST);
    assert_eq!(report.progress.permille(30), 1000);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_goes_on_after_a_restart_where_it_stood() {
    let rig = Rig::new();
    let (node, disk, store) = paused(&rig).await;
    fill(&store, 30, 1_000).await;
    let slow = ScrubChange { bytes_per_second: Some(1), paused: Some(false), ..Default::default() };
    node.change_scrub(Some(disk), slow).expect("in service");
    let stood = until(&mut progress(&node, disk), |progress| progress.shards_checked == 1).await;
    node.shutdown().await;

    let (node, disk, _) = paused(&rig).await;
    let mut progress = progress(&node, disk);
    let again = until(&mut progress, |progress| progress.in_pass).await;
    assert_eq!(again, stood);
    let on = ScrubChange { paused: Some(false), ..Default::default() };
    node.change_scrub(None, on).expect("all");
    let ended = until(&mut progress, |progress| progress.pass_ended.is_some()).await;
    assert_eq!(ended.shards_checked, 30, "29 more, not 30");
    node.shutdown().await;
}
