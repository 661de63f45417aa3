//! A store that answers, but for one shard.

use std::sync::Arc;
use std::time::Duration;

use custos_core::{Actor, DiskId, Timestamp};
use custos_ports::fakes::conformance;
use custos_ports::fakes::{CountingEntropy, Fault, FixedClock, MemoryLedger, MemoryShardStore};
use custos_ports::{ShardKey, ShardStore};

use super::{DamageReporter, ScrubHandle, ScrubSettings, Scrubber};
use crate::BackendKind;
use crate::disk::MemoryDisk;

fn start(dir: &tempfile::TempDir, disk: &Arc<MemoryDisk>, kind: BackendKind) -> ScrubHandle {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let scrubber = Scrubber {
        disk_id: DiskId([7; 16]),
        kind,
        store: disk.clone(),
        reporter: DamageReporter {
            ledger: Arc::new(MemoryLedger::new(now)),
            entropy: Arc::new(CountingEntropy::default()),
            actor: Actor::system(),
        },
        clock: Arc::new(FixedClock(now)),
        file: dir.path().join("scrub"),
        trouble_pause: Duration::from_millis(1),
    };
    scrubber.start(ScrubSettings { bytes_per_second: u64::MAX / 4, ..ScrubSettings::default() })
}

/// A disk with four shards of which these cannot be read.
async fn disk(kind: BackendKind, unreadable: &[usize]) -> Arc<MemoryDisk> {
    let disk = Arc::new(MemoryDisk::new(MemoryShardStore::new("disk 0"), kind));
    for number in 0..4 {
        disk.write(conformance::shard(number, 100)).await.expect("written");
    }
    let keys: Vec<ShardKey> = disk.store.keys();
    unreadable.iter().for_each(|number| disk.make_unreadable(keys[*number]));
    disk
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_that_can_never_be_read_are_reported_and_passed_on_every_kind_of_disk() {
    for kind in [BackendKind::Local, BackendKind::S3, BackendKind::Tiered] {
        for unreadable in [&[0][..], &[3], &[1, 2]] {
            let dir = tempfile::tempdir().expect("tempdir");
            let scrub = start(&dir, &disk(kind, unreadable).await, kind);
            let mut progress = scrub.progress();
            let ended = progress.wait_for(|progress| progress.pass_ended.is_some()).await;
            let ended = *ended.expect("it runs");
            assert_eq!(ended.shards_checked, 4, "{kind} {unreadable:?}");
            assert_eq!(ended.damaged, unreadable.len() as u64, "{kind} {unreadable:?}");
            scrub.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_which_nothing_can_be_read_is_waited_for() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = disk(BackendKind::S3, &[]).await;
    disk.store.set_fault(Fault::Offline);
    let scrub = start(&dir, &disk, BackendKind::S3);
    let mut progress = scrub.progress();
    progress.wait_for(|progress| progress.in_pass).await.expect("it runs");
    disk.store.set_fault(Fault::None);
    let ended = progress.wait_for(|progress| progress.pass_ended.is_some()).await;
    assert_eq!(ended.expect("it runs").damaged, 0);
    scrub.stop().await;
}
