use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use custos_core::Timestamp;
use custos_ports::{ShardError, ShardStore, ShardWrite};
use custos_shardstore::limits::SPARE_FILES_MAX;
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{
    ID, ORDER, Random, assert_absent, assert_whole, copy_dir, extent, extent_count, files_named,
    flip, key, remove_index, shard,
};

/// Extents of a few records, and space given back only when it is asked for.
fn options(dir: &Path, mode: OpenMode) -> Options {
    let mut options = Options::new(dir, "disk 0", mode);
    options.extent_bytes_max = 256 << 10;
    options.preallocate_bytes = 64 << 10;
    options.compaction_bytes_per_second = 0;
    options
}

fn create(dir: &Path) -> LocalDisk {
    LocalDisk::open(options(dir, OpenMode::Create { id: ID })).expect("made")
}

fn open(dir: &Path) -> LocalDisk {
    LocalDisk::open(options(dir, OpenMode::Existing)).expect("opened")
}

/// Shard `number`, to be kept for `months` more months.
fn kept_for(number: u64, months: u32) -> ShardWrite {
    let retain_until = Timestamp::from_millis(1_800_000_000_000).plus_days(30 * months);
    ShardWrite { retain_until, ..shard(number, 20_000) }
}

async fn write_all(disk: &LocalDisk, shards: impl Iterator<Item = ShardWrite>) {
    for shard in shards {
        disk.write(shard).await.expect("written");
    }
}

async fn remove_all(disk: &LocalDisk, numbers: impl Iterator<Item = u64>) {
    let keys: Vec<_> = numbers.map(key).collect();
    disk.remove(&keys, ORDER).await.expect("removed");
}

#[tokio::test]
async fn extents_of_which_nothing_is_needed_are_unlinked_and_stay_gone() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    write_all(&disk, (0..30).map(|number| kept_for(number, 0))).await;
    write_all(&disk, (30..60).map(|number| kept_for(number, 5))).await;
    remove_all(&disk, 0..30).await;
    let (extents, stored) = (extent_count(dir.path()), disk.status().await.stored_bytes);
    let done = disk.compact().await.expect("compacted");
    assert!(done.extents_removed >= 3, "{done:?}");
    assert_eq!(done.extents_kept, 0, "{done:?}");
    assert!(extent_count(dir.path()) < extents);
    assert!(disk.status().await.stored_bytes < stored);
    assert_eq!(disk.compact().await.expect("compacted").extents_removed, 0, "all was done");
    drop(disk);
    for round in ["with its index", "rebuilt"] {
        let disk = open(dir.path());
        assert_eq!(disk.scan_report().damaged_extents, 0, "{round}");
        assert_eq!(disk.status().await.shards, 30, "{round}");
        for number in 0..30 {
            assert_absent(&disk, number).await;
            assert_whole(&disk, &kept_for(30 + number, 5)).await;
        }
        drop(disk);
        remove_index(dir.path());
    }
}

#[tokio::test]
async fn what_is_left_of_an_extent_that_is_mostly_garbage_moves_and_stays_the_same() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    write_all(&disk, (0..60).map(|number| kept_for(number, 0))).await;
    remove_all(&disk, (0..60).filter(|number| number % 4 != 0)).await;
    let before = disk.list(key(0).vault, key(0).evidence_id, None, 100).await.expect("listed");
    let done = disk.compact().await.expect("compacted");
    assert!(done.extents_removed >= 4 && done.bytes_moved > 0, "{done:?}");
    drop(disk);
    for round in ["with its index", "rebuilt"] {
        let disk = open(dir.path());
        let after = disk.list(key(0).vault, key(0).evidence_id, None, 100).await.expect("listed");
        assert_eq!(after, before, "{round}");
        for number in 0..60 {
            if number % 4 == 0 {
                assert_whole(&disk, &kept_for(number, 0)).await;
            } else {
                assert_absent(&disk, number).await;
            }
        }
        drop(disk);
        remove_index(dir.path());
    }
}

#[tokio::test]
async fn a_removal_outlasts_the_extent_that_said_so() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    // Shard 1 lies in the first extent, beside shards that stay; its tombstone in a later one.
    write_all(&disk, (0..40).map(|number| kept_for(number, 0))).await;
    remove_all(&disk, std::iter::once(1)).await;
    write_all(&disk, (40..80).map(|number| kept_for(number, 0))).await;
    remove_all(&disk, 20..70).await;
    disk.compact().await.expect("compacted");
    drop(disk);
    remove_index(dir.path());
    let disk = open(dir.path());
    for number in 0..80 {
        if number == 1 || (20..70).contains(&number) {
            assert_absent(&disk, number).await;
        } else {
            assert_whole(&disk, &kept_for(number, 0)).await;
        }
    }
}

#[tokio::test]
async fn a_record_that_does_not_verify_keeps_its_extent() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    write_all(&disk, (0..40).map(|number| kept_for(number, 0))).await;
    drop(disk);
    // Header, then the head of shard 0, then its payload.
    flip(&extent(dir.path(), 1), 2 * 4096 + 10);
    let disk = open(dir.path());
    remove_all(&disk, 2..36).await;
    let done = disk.compact().await.expect("compacted");
    assert_eq!(done.extents_kept, 1, "{done:?}");
    assert!(done.extents_removed > 0, "{done:?}");
    assert!(extent(dir.path(), 1).exists());
    let outcome = disk.read(&key(0), None).await;
    assert!(matches!(outcome, Err(ShardError::Corrupt { .. })), "{outcome:?}");
    for number in [1, 36, 39] {
        assert_whole(&disk, &kept_for(number, 0)).await;
    }
    assert_eq!(disk.compact().await.expect("compacted").extents_kept, 0, "it is not tried again");
}

#[tokio::test]
async fn an_extent_with_something_unknown_in_it_is_never_removed() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    write_all(&disk, (0..40).map(|number| kept_for(number, 0))).await;
    drop(disk);
    // The head of shard 0 is lost: nobody can say what it was.
    flip(&extent(dir.path(), 1), 4096 + 60);
    remove_index(dir.path());
    let disk = open(dir.path());
    remove_all(&disk, 1..40).await;
    assert!(disk.compact().await.expect("compacted").extents_removed > 0);
    assert!(extent(dir.path(), 1).exists());
    assert!(disk.status().await.quarantined > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_go_on_while_what_they_read_moves() {
    let seed = 20_261_122;
    println!("seed {seed}");
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = Arc::new(create(dir.path()));
    write_all(&disk, (0..100).map(|number| kept_for(number, 0))).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..4)
        .map(|reader| {
            let (disk, is_over, reads) = (disk.clone(), is_over.clone(), reads.clone());
            tokio::spawn(async move {
                let mut random = Random(seed + reader);
                while !is_over.load(Ordering::Relaxed) {
                    let number = random.below(25) * 4;
                    assert_whole(&*disk, &kept_for(number, 0)).await;
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for round in 1..4 {
        remove_all(&disk, (0..100).filter(|number| number % 4 == round)).await;
        let done = disk.compact().await.expect("compacted");
        println!("round {round}: {done:?}, {} reads", reads.load(Ordering::Relaxed));
        // Into files that extents just read were in.
        let more = round * 100..round * 100 + 30;
        write_all(&disk, more.map(|number| kept_for(number, 0))).await;
    }
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.expect("every read succeeded");
    }
    assert_eq!(disk.status().await.offline, None);
}

#[tokio::test]
async fn extents_given_back_become_new_ones_and_a_few_wait_for_it() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    write_all(&disk, (0..100).map(|number| kept_for(number, 0))).await;
    remove_all(&disk, 0..90).await;
    let done = disk.compact().await.expect("compacted");
    assert!(done.extents_removed as usize > SPARE_FILES_MAX, "{done:?}");
    let spares = files_named(dir.path(), "SPARE-").len();
    println!("{spares} spare files: none where the file system cannot zero them at once");
    assert!(spares == 0 || spares == SPARE_FILES_MAX, "{spares}");
    write_all(&disk, (100..160).map(|number| kept_for(number, 0))).await;
    assert_eq!(files_named(dir.path(), "SPARE-").len(), 0, "all were of use");
    drop(disk);
    for round in ["with its index", "rebuilt"] {
        let disk = open(dir.path());
        assert_eq!(disk.status().await.quarantined, 0, "{round}");
        for number in 90..160 {
            assert_whole(&disk, &kept_for(number, 0)).await;
        }
        drop(disk);
        remove_index(dir.path());
    }
}

#[tokio::test]
async fn an_extent_that_comes_back_after_it_was_given_back_changes_nothing() {
    let dir = tempfile::tempdir().expect("tempdir");
    let before = dir.path().join("before");
    let dir = dir.path().join("disk");
    let disk = create(&dir);
    write_all(&disk, (0..60).map(|number| kept_for(number, 0))).await;
    remove_all(&disk, (0..60).filter(|number| number % 4 != 0)).await;
    copy_dir(&dir.join("extents"), &before);
    let done = disk.compact().await.expect("compacted");
    assert!(done.extents_removed > 0, "{done:?}");
    drop(disk);
    // As after a crash that undid the unlinking and nothing else.
    for number in 1..100 {
        let (old, now) = (before.join(format!("EXT-{number:08}.ext")), extent(&dir, number));
        if old.exists() && !now.exists() {
            std::fs::copy(old, now).expect("put back");
        }
    }
    let disk = open(&dir);
    for number in 0..60 {
        if number % 4 == 0 {
            assert_whole(&disk, &kept_for(number, 0)).await;
        } else {
            assert_absent(&disk, number).await;
        }
    }
    let again = disk.compact().await.expect("compacted");
    assert!(again.extents_removed >= done.extents_removed, "{again:?}");
    assert_eq!(disk.status().await.shards, 15);
}
