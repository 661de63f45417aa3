//! The guard around a disk that misbehaves.

use std::sync::Arc;
use std::time::Duration;

use custos_core::{DiskGeneration, Timestamp};
use custos_ports::fakes::{Fault, FixedClock, MemoryLedger, MemoryShardStore, conformance};
use custos_ports::{ShardError, ShardStore};

use super::{BackendKind, ByteBudget, HealthLimits, MemoryDisk, NodeStore, Orders};

fn guarded(limits: HealthLimits) -> (Arc<MemoryDisk>, NodeStore) {
    guarded_of(BackendKind::Local, limits)
}

fn guarded_of(kind: BackendKind, limits: HealthLimits) -> (Arc<MemoryDisk>, NodeStore) {
    let disk = Arc::new(MemoryDisk::new(MemoryShardStore::new("disk 0"), kind));
    let begin = Timestamp::from_millis(0);
    let orders = Orders::new(Arc::new(MemoryLedger::new(begin)), Arc::new(FixedClock(begin)));
    let budget = ByteBudget::new(64 << 20);
    (disk.clone(), NodeStore::new(disk, DiskGeneration(1), limits, budget, orders))
}

#[tokio::test]
async fn a_disk_whose_reads_fail_in_a_row_is_suspect_and_its_errors_are_counted() {
    let (disk, store) = guarded(HealthLimits::default());
    let write = conformance::shard(1, 100);
    store.write(write.clone()).await.expect("written");
    disk.store.set_fault(Fault::Corrupt);
    for _ in 0..3 {
        assert_eq!(store.status().await.suspect, None);
        assert!(matches!(store.read(&write.key, None).await, Err(ShardError::Corrupt { .. })));
    }
    let status = store.status().await;
    assert_eq!(status.suspect.as_deref(), Some("the last 3 reads failed"));
    assert_eq!(status.io_errors, 3);
    disk.store.set_fault(Fault::None);
    store.read(&write.key, None).await.expect("readable");
    assert_eq!(store.status().await.suspect, None);
}

#[tokio::test]
async fn whether_a_bucket_that_failed_is_well_again_is_left_to_the_bucket() {
    for kind in [BackendKind::S3, BackendKind::Tiered] {
        let (disk, store) = guarded_of(kind, HealthLimits::default());
        let write = conformance::shard(1, 100);
        store.write(write.clone()).await.expect("written");
        disk.store.set_fault(Fault::Corrupt);
        for _ in 0..9 {
            store.read(&write.key, None).await.expect_err("damaged");
        }
        assert_eq!(store.status().await.suspect, None, "{kind}: it does not say so itself");
    }
}

#[tokio::test]
async fn a_disk_whose_write_hangs_is_suspect_and_bytes_under_way_stay_bounded() {
    let limits = HealthLimits { stuck_after: Duration::ZERO, ..HealthLimits::default() };
    let (disk, store) = guarded(limits);
    let store = Arc::new(store);
    disk.store.set_fault(Fault::Stuck);
    let (writing, write) = (store.clone(), conformance::shard(1, 64 << 20));
    let hanging = tokio::spawn(async move { writing.write(write).await });
    // It has begun when it holds all of the memory and is being watched.
    while store.status().await.suspect.is_none() || store.reserve(1).is_ok() {
        tokio::task::yield_now().await;
    }
    let suspect = store.status().await.suspect;
    assert!(suspect.expect("suspect").starts_with("a write has not ended"));
    let refused = store.write(conformance::shard(2, 1)).await;
    assert!(matches!(refused, Err(ShardError::Overloaded { .. })), "{refused:?}");
    hanging.abort();
    assert!(hanging.await.expect_err("aborted").is_cancelled());
    store.reserve(1).expect_err("the disk holds what was given up");
    store.close("given up").await;
    drop(disk);
    store.reserve(64 << 20).expect("and nobody does now");
}

#[tokio::test]
async fn memory_for_a_read_is_set_aside_before_the_disk_is_asked() {
    let (disk, store) = guarded_of(BackendKind::S3, HealthLimits::default());
    let store = Arc::new(store);
    let write = conformance::shard(1, 100);
    store.write(write.clone()).await.expect("written");
    let others = store.reserve(61 << 20).expect("free");
    disk.store.set_fault(Fault::Stuck);
    let refused = store.read_reserved(write.key, None).await;
    assert!(matches!(refused, Err(ShardError::Overloaded { .. })), "{refused:?}");
    disk.store.set_fault(Fault::None);
    drop(others);
    let (read, reservation) = store.read_reserved(write.key, None).await.expect("read");
    assert_eq!(read.payload, write.payload);
    store.reserve(63 << 20).expect("only what the shard needs is set aside");
    drop(reservation);
}

#[tokio::test]
async fn a_disk_that_hangs_is_asked_once_for_its_status_and_its_last_figures_are_told() {
    let limits =
        HealthLimits { status_time_max: Duration::from_millis(300), ..HealthLimits::default() };
    let (disk, store) = guarded(limits);
    store.write(conformance::shard(1, 100)).await.expect("written");
    assert_eq!(store.status().await.shards, 1);
    disk.hang();
    for _ in 0..2 {
        let status = store.status().await;
        assert_eq!(status.shards, 1);
        assert!(status.suspect.expect("suspect").contains("did not say within 0.3 s"));
    }
    assert_eq!(disk.hanging(), 1);
    disk.go_on();
    assert_eq!(store.status().await.suspect, None);
}

#[tokio::test]
async fn a_write_that_ends_after_its_disk_was_taken_out_is_not_acknowledged() {
    let (disk, store) = guarded(HealthLimits::default());
    let write = conformance::shard(1, 100);
    let reservation = store.reserve(100).expect("free");
    store.take_out("another node has it");
    let refused = store.write_reserved(write.clone(), reservation).await;
    assert!(refused.expect_err("refused").to_string().contains("another node has it"));
    store.take_out("a second reason");
    assert_eq!(store.status().await.offline.as_deref(), Some("another node has it"));
    assert!(disk.store.keys().is_empty());
    store.close("closed").await;
    assert_eq!(Arc::strong_count(&disk), 1, "a closed store lets go of its disk");
}
