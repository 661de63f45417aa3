//! A store that answers, but for one shard.

use std::sync::Arc;
use std::time::Duration;

use custos_core::{Actor, DiskGeneration, DiskId, Labels, NodeId, RunId, ShardDamage, Timestamp};
use custos_ledger::{Answer, Command, DiskClaim, Envelope, Query};
use custos_ports::fakes::conformance;
use custos_ports::fakes::{CountingEntropy, Fault, FixedClock, MemoryLedger, MemoryShardStore};
use custos_ports::{Ledger, ShardKey, ShardStore};

use super::{DamageReporter, ScrubHandle, ScrubSettings, Scrubber};
use crate::BackendKind;
use crate::disk::MemoryDisk;

fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

const DISK: DiskId = DiskId([7; 16]);

fn start(dir: &tempfile::TempDir, disk: &Arc<MemoryDisk>, kind: BackendKind) -> ScrubHandle {
    start_with(Arc::new(MemoryLedger::new(now())), dir, disk, kind)
}

fn start_with(
    ledger: Arc<MemoryLedger>,
    dir: &tempfile::TempDir,
    disk: &Arc<MemoryDisk>,
    kind: BackendKind,
) -> ScrubHandle {
    let scrubber = Scrubber {
        disk_id: DISK,
        kind,
        store: disk.clone(),
        reporter: DamageReporter {
            ledger,
            entropy: Arc::new(CountingEntropy::default()),
            actor: Actor::system(),
        },
        clock: Arc::new(FixedClock(now())),
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

async fn submit(ledger: &MemoryLedger, number: u8, command: Command) {
    let actor = Actor::system();
    let envelope = Envelope { request_id: [number; 16], actor, entry_salt: [0; 16], command };
    ledger.submit(envelope).await.expect("the law takes it");
}

/// A ledger that knows the disk and has damage of these shards on record.
async fn ledger_with_damage(keys: &[ShardKey]) -> Arc<MemoryLedger> {
    let ledger = MemoryLedger::new(now());
    let (node_id, run) = (NodeId([1; 16]), RunId([1; 16]));
    let labels = Labels { host: "a".to_owned(), ..Labels::default() };
    let (name, endpoint) = ("a".to_owned(), String::new());
    submit(&ledger, 1, Command::RegisterNode { node_id, name, endpoint, labels, run }).await;
    // Its neighbours on the list are none of its business.
    let ids = [DiskId([6; 16]), DISK, DiskId([8; 16])];
    let claims = ids.map(|disk_id| DiskClaim {
        disk_id,
        name: "disk".to_owned(),
        weight: 1,
        generation: DiskGeneration(1),
        opening: run,
    });
    submit(&ledger, 2, Command::RegisterDisks { node_id, disks: claims.to_vec() }).await;
    let mut number = 3;
    for disk_id in ids {
        for key in keys {
            let damage = ShardDamage { key: *key, what: "checksum".to_owned() };
            submit(&ledger, number, Command::ReportDamage { disk_id, damage }).await;
            number += 1;
        }
    }
    Arc::new(ledger)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_takes_off_the_record_what_is_whole_again_and_nothing_else() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = disk(BackendKind::Local, &[2]).await;
    let keys = disk.store.keys();
    let gone = conformance::shard(99, 100).key;
    // One is whole, as after it was written anew; one is not; one is not there.
    let ledger = ledger_with_damage(&[keys[1], keys[2], gone]).await;
    let scrub = start_with(ledger.clone(), &dir, &disk, BackendKind::Local);
    let mut progress = scrub.progress();
    progress.wait_for(|progress| progress.pass_ended.is_some()).await.expect("it runs");
    scrub.stop().await;
    let query = Query::ListDamage { after: None, limit: 0, evidence_id: None };
    let Ok(Answer::Damage { items, .. }) = ledger.query(query).await else { panic!("damage") };
    let left: Vec<_> = items.iter().filter(|item| item.disk_id == DISK).collect();
    assert_eq!(items.len() - left.len(), 6, "that of other disks stays");
    let mut left: Vec<_> = left.iter().map(|item| item.damage.key).collect();
    let mut expected = vec![keys[2], gone];
    left.sort();
    expected.sort();
    assert_eq!(left, expected);
}
