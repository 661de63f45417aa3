use std::fs;
use std::path::Path;

use custos_core::Timestamp;
use custos_ports::{ShardEntry, ShardError, ShardStore, ShardWrite};
use custos_shardstore::{DiskId, LocalDisk, OpenMode, Options};

use crate::support::{
    ORDER, assert_absent, assert_whole, create, extent, extent_count, key, open, remove_index,
    shard,
};

async fn entries(disk: &LocalDisk) -> Vec<ShardEntry> {
    let page = disk.list(key(0).vault, key(0).evidence_id, None, 1000).await.expect("page");
    assert!(!page.more);
    page.items
}

async fn some_disk(dir: &Path) -> Vec<ShardWrite> {
    let disk = create(dir);
    let mut kept = Vec::new();
    for number in 0..40 {
        let write = shard(number, 1 + usize::try_from(number).expect("small") * 3_000);
        disk.write(write.clone()).await.expect("written");
        kept.push(write);
    }
    disk.remove(&[key(3), key(17)], ORDER).await.expect("removed");
    disk.remove(&[key(18)], ORDER).await.expect("removed");
    let anew = shard(18, 77);
    disk.write(anew.clone()).await.expect("written anew");
    kept.retain(|write| ![key(3), key(17), key(18)].contains(&write.key));
    kept.push(anew);
    kept
}

#[tokio::test]
async fn shards_and_tombstones_survive_reopening() {
    let dir = tempfile::tempdir().expect("tempdir");
    let kept = some_disk(dir.path()).await;
    for _ in 0..3 {
        let disk = open(dir.path());
        for write in &kept {
            assert_whole(&disk, write).await;
        }
        assert_absent(&disk, 3).await;
        assert_absent(&disk, 17).await;
        assert_eq!(disk.status().await.shards, 38);
    }
}

#[tokio::test]
async fn a_lost_index_is_rebuilt_exactly() {
    let dir = tempfile::tempdir().expect("tempdir");
    let kept = some_disk(dir.path()).await;
    let disk = open(dir.path());
    let (before, status) = (entries(&disk).await, disk.status().await);
    drop(disk);
    remove_index(dir.path());

    let disk = open(dir.path());
    assert_eq!(entries(&disk).await, before);
    let after = disk.status().await;
    assert_eq!((after.shards, after.payload_bytes), (status.shards, status.payload_bytes));
    let report = disk.scan_report();
    assert_eq!((report.shards, report.tombstones), (41, 3));
    assert_eq!((report.damaged_blocks, report.damaged_extents, report.torn_records), (0, 0, 0));
    for write in &kept {
        assert_whole(&disk, write).await;
    }
}

#[tokio::test]
async fn an_index_of_another_disk_is_not_believed() {
    let dirs = (tempfile::tempdir().expect("tempdir"), tempfile::tempdir().expect("tempdir"));
    let kept = some_disk(dirs.0.path()).await;
    let id = DiskId::from_bytes([2; 16]);
    let other = LocalDisk::open(Options::new(dirs.1.path(), "other", OpenMode::Create { id }));
    let other = other.expect("made");
    other.write(shard(900, 50)).await.expect("written");
    drop(other);
    remove_index(dirs.0.path());
    fs::rename(dirs.1.path().join("index"), dirs.0.path().join("index")).expect("swapped");

    let disk = open(dirs.0.path());
    assert_absent(&disk, 900).await;
    for write in &kept {
        assert_whole(&disk, write).await;
    }
}

#[tokio::test]
async fn a_damaged_index_is_rebuilt() {
    let dir = tempfile::tempdir().expect("tempdir");
    let kept = some_disk(dir.path()).await;
    for entry in fs::read_dir(dir.path().join("index")).expect("listed") {
        fs::write(entry.expect("entry").path(), b"rubbish").expect("written");
    }
    let disk = open(dir.path());
    for write in &kept {
        assert_whole(&disk, write).await;
    }
}

#[tokio::test]
async fn an_index_found_damaged_when_it_is_read_is_rebuilt_at_the_next_opening() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    for number in 0..400 {
        disk.write(shard(number, 100)).await.expect("written");
    }
    drop(disk);
    let files = fs::read_dir(dir.path().join("index")).expect("listed");
    let tables = files.map(|entry| entry.expect("entry").path());
    for table in tables.filter(|path| path.extension().is_some_and(|end| end == "sst")) {
        let middle = fs::metadata(&table).expect("there").len() / 2;
        crate::support::flip(&table, usize::try_from(middle).expect("small"));
    }

    let disk = open(dir.path());
    let page = disk.list_all(None, None, 1000).await.expect_err("its index is damaged");
    assert!(matches!(page, ShardError::Offline { .. }), "{page}");
    assert!(page.to_string().contains("index"), "{page}");
    drop(disk);
    let disk = open(dir.path());
    for number in 0..400 {
        assert_whole(&disk, &shard(number, 100)).await;
    }
    drop(disk);
    let disk = open(dir.path());
    assert_eq!(disk.scan_report().extents_scanned, 0, "it is rebuilt once");
}

#[tokio::test]
async fn an_older_index_is_brought_up_to_date() {
    let dir = tempfile::tempdir().expect("tempdir");
    let older = dir.path().join("older");
    let dir = dir.path().join("disk");
    let disk = create(&dir);
    disk.write(shard(1, 10_000)).await.expect("written");
    disk.write(shard(2, 10_000)).await.expect("written");
    drop(disk);
    crate::support::copy_dir(&dir.join("index"), &older);
    let disk = open(&dir);
    disk.remove(&[key(1)], ORDER).await.expect("removed");
    disk.write(shard(3, 10_000)).await.expect("written");
    drop(disk);
    remove_index(&dir);
    fs::rename(&older, dir.join("index")).expect("put back");

    let disk = open(&dir);
    assert_absent(&disk, 1).await;
    assert_whole(&disk, &shard(2, 10_000)).await;
    assert_whole(&disk, &shard(3, 10_000)).await;
    assert_eq!(disk.scan_report().shards, 1, "only what the index did not cover was scanned");
}

#[tokio::test]
async fn extents_are_grouped_by_retention_month_and_resumed() {
    let dir = tempfile::tempdir().expect("tempdir");
    let in_month = |number: u64| ShardWrite {
        retain_until: Timestamp::from_millis(1_800_000_000_000)
            .plus_days(u32::try_from(number % 10).expect("small") * 30),
        ..shard(number, 2_000)
    };
    for round in 0..3 {
        let disk = if round == 0 { create(dir.path()) } else { open(dir.path()) };
        for number in round * 30..round * 30 + 30 {
            disk.write(in_month(number)).await.expect("written");
        }
        drop(disk);
        assert_eq!(extent_count(dir.path()), 10);
    }
    remove_index(dir.path());
    let disk = open(dir.path());
    for number in 0..90 {
        assert_whole(&disk, &in_month(number)).await;
    }
}

#[tokio::test]
async fn closing_gives_back_what_was_preallocated() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    disk.write(shard(1, 5_000)).await.expect("written");
    let len = |dir: &Path| fs::metadata(extent(dir, 1)).expect("there").len();
    assert_eq!(len(dir.path()), 16 << 20);
    drop(disk);
    // Header, head and two blocks of payload.
    assert_eq!(len(dir.path()), 4 * 4096);
}
