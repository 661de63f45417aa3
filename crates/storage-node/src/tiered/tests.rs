//! Two folders as the two parts: what a bucket adds is tested where buckets are.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use custos_core::{DiskId, EvidenceId, LogIndex, Timestamp};
use custos_ports::fakes::conformance;
use custos_ports::fakes::{FixedClock, MemoryLedger};
use custos_ports::{RemovalOrder, RemovalReason, ShardError, ShardKey, ShardStore, ShardWrite};
use custos_shardstore::{LocalDisk, OpenMode, Options};

use super::mover::MoverProgress;
use super::{Mover, TieredStore};
use crate::disk::{Backend, Orders};

const NOW_MS: i64 = 1_800_000_000_000;
const DAY_MS: i64 = 86_400_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS)
}

fn part(dir: &Path, name: &str) -> Arc<dyn Backend> {
    let mode = OpenMode::Create { id: DiskId([7; 16]) };
    let mut options = Options::new(dir.join(name), name, mode);
    options.preallocate_bytes = 64 << 10;
    Arc::new(LocalDisk::open(options).expect("opened"))
}

struct Parts {
    _dir: tempfile::TempDir,
    hot: Arc<dyn Backend>,
    cold: Arc<dyn Backend>,
    store: Arc<TieredStore>,
}

impl Parts {
    fn new() -> Self {
        Self::cold_after(30)
    }

    fn cold_after(days: u32) -> Self {
        let dir = tempfile::tempdir().expect("tempdir");
        let (hot, cold) = (part(dir.path(), "hot"), part(dir.path(), "cold"));
        let clock = Arc::new(FixedClock(now()));
        let store = Arc::new(TieredStore::new(hot.clone(), cold.clone(), days, clock));
        Self { _dir: dir, hot, cold, store }
    }

    fn mover(&self) -> Mover {
        Mover {
            store: self.store.clone(),
            orders: Orders::new(Arc::new(MemoryLedger::new(now())), Arc::new(FixedClock(now()))),
            bytes_per_second: u64::MAX / 4,
            pause: Duration::from_secs(3600),
        }
    }

    /// Goes once over the folder.
    async fn move_once(&self) -> MoverProgress {
        let handle = self.mover().start();
        let mut progress = handle.progress.clone();
        let done = *progress.wait_for(|progress| progress.rounds == 1).await.expect("it runs");
        handle.stop().await;
        done
    }
}

/// Shard `number` of evidence that was opened so many days ago.
fn aged(days: i64, number: u64) -> ShardWrite {
    let opened = Timestamp::from_millis(NOW_MS - days * DAY_MS);
    let evidence_id = EvidenceId::from_parts(opened, [5; 10]);
    let write = conformance::shard(number, 20_000);
    ShardWrite { key: ShardKey { evidence_id, ..write.key }, ..write }
}

async fn has(store: &dyn ShardStore, key: &ShardKey) -> bool {
    match store.read(key, None).await {
        Ok(_) => true,
        Err(ShardError::NotFound { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_in_two_parts_keeps_the_promises_of_a_shard_store() {
    let parts = Parts::new();
    conformance::check(parts.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_shards_move_and_are_found_as_before() {
    let parts = Parts::new();
    let (old, young) = (aged(31, 1), aged(29, 2));
    for write in [&old, &young] {
        parts.store.write(write.clone()).await.expect("written");
    }
    let listed = parts.store.list_all(None, None, 10).await.expect("listed");
    assert_eq!(parts.move_once().await, MoverProgress { rounds: 1, moved: 1, failed: 0 });
    assert_eq!(
        (has(&*parts.hot, &old.key).await, has(&*parts.cold, &old.key).await),
        (false, true)
    );
    assert_eq!(
        (has(&*parts.hot, &young.key).await, has(&*parts.cold, &young.key).await),
        (true, false)
    );
    for write in [&old, &young] {
        conformance::assert_whole(&*parts.store, write).await;
        parts.store.verify(&write.key).await.expect("whole");
    }
    assert_eq!(parts.store.list_all(None, None, 10).await.expect("listed"), listed);
    assert_eq!(parts.store.status().await.shards, 2);
    // Written again it is known, and other bytes are refused, though the folder has none of it.
    parts.store.write(old.clone()).await.expect("the same again");
    assert!(!has(&*parts.hot, &old.key).await);
    let other = ShardWrite { payload: young.payload.clone(), ..old.clone() };
    let refused = parts.store.write(other).await;
    assert!(matches!(refused, Err(ShardError::Conflict { .. })), "{refused:?}");
    let order = RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(0) };
    parts.store.remove(&[old.key, young.key], order).await.expect("removed");
    assert_eq!(parts.store.status().await.shards, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_at_a_lower_age_is_found_at_a_higher_one_and_removed_everywhere() {
    let parts = Parts::new();
    let write = aged(1, 1);
    parts.cold.write(write.clone()).await.expect("moved when the age was 0 days");
    conformance::assert_whole(&*parts.store, &write).await;
    parts.store.verify(&write.key).await.expect("whole");
    let ShardKey { vault, evidence_id, chunk, .. } = write.key;
    let listed = parts.store.list_chunk(vault, evidence_id, chunk).await.expect("listed");
    assert_eq!(listed.len(), 1);
    let listed = parts.store.list(vault, evidence_id, None, 10).await.expect("listed");
    assert_eq!(listed.items.len(), 1);
    let order = RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(0) };
    parts.store.remove(&[write.key], order).await.expect("removed");
    assert!(!has(&*parts.cold, &write.key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_zero_days_a_shard_moves_as_soon_as_it_is_written() {
    let parts = Parts::cold_after(0);
    let handle = parts.mover().start();
    let mut progress = handle.progress.clone();
    progress.wait_for(|progress| progress.rounds == 1).await.expect("it runs");
    for (number, days) in [(1, 0), (2, 7)] {
        let write = aged(days, number);
        parts.store.write(write.clone()).await.expect("written");
        progress.wait_for(|progress| progress.moved == number).await.expect("it moves");
        assert!(!has(&*parts.hot, &write.key).await);
        conformance::assert_whole(&*parts.store, &write).await;
    }
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bucket_is_away_the_folder_takes_what_belongs_there() {
    let parts = Parts::cold_after(0);
    parts.cold.close().await;
    let write = aged(7, 1);
    parts.store.write(write.clone()).await.expect("written");
    conformance::assert_whole(&*parts.store, &write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_cut_short_is_finished_and_other_bytes_in_the_bucket_stop_it() {
    let parts = Parts::new();
    let (copied, conflict) = (aged(31, 1), aged(31, 2));
    parts.hot.write(copied.clone()).await.expect("written");
    parts.cold.write(copied.clone()).await.expect("copied before the crash");
    parts.hot.write(conflict.clone()).await.expect("written");
    let other = ShardWrite { payload: copied.payload.clone(), ..conflict.clone() };
    parts.cold.write(other).await.expect("something else");
    assert_eq!(parts.store.list_all(None, None, 10).await.expect("listed").items.len(), 2);
    assert_eq!(parts.move_once().await, MoverProgress { rounds: 1, moved: 1, failed: 1 });
    assert!(!has(&*parts.hot, &copied.key).await);
    conformance::assert_whole(&*parts.store, &copied).await;
    conformance::assert_whole(&*parts.store, &conflict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_footage_does_not_notice_that_the_bucket_is_away() {
    let parts = Parts::new();
    parts.cold.close().await;
    let (write, absent) = (aged(1, 1), aged(1, 2).key);
    parts.store.write(write.clone()).await.expect("written");
    conformance::assert_whole(&*parts.store, &write).await;
    for missing in
        [parts.store.read(&absent, None).await.map(drop), parts.store.verify(&absent).await]
    {
        assert!(matches!(missing, Err(ShardError::NotFound { .. })), "{missing:?}");
    }
    let ShardKey { vault, evidence_id, chunk, .. } = write.key;
    let page = parts.store.list(vault, evidence_id, None, 10).await.expect("listed");
    assert_eq!(page.items.len(), 1);
    let held = parts.store.list_chunk(vault, evidence_id, chunk).await.expect("listed");
    assert_eq!(held, page.items);
    let status = parts.store.status().await;
    assert_eq!(status.offline, None);
    assert!(status.suspect.expect("suspect").starts_with("its bucket is out of service"));
    let order = RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(0) };
    parts.store.remove(&[write.key], order).await.expect("removed");
    assert!(!has(&*parts.hot, &write.key).await);
    let old = aged(31, 3).key;
    parts.store.read(&old, None).await.expect_err("what may be there is asked for there");
}
