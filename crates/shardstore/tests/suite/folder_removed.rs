use std::fs;

use custos_core::ErrorKind;
use custos_ports::{ShardError, ShardStore};
use custos_shardstore::LocalDisk;

use crate::support::{ORDER, create, extent, key, read, shard};

fn assert_offline(outcome: Result<(), ShardError>, reason: &str) {
    let error = outcome.expect_err("out of service");
    assert!(matches!(error, ShardError::Offline { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains(reason), "{error}");
}

async fn disk_with_a_shard(dir: &std::path::Path) -> LocalDisk {
    let disk = create(dir);
    disk.write(shard(1, 100_000)).await.expect("written");
    read(&disk, 1).await.expect("readable");
    disk
}

#[tokio::test]
async fn a_disk_whose_folder_is_removed_fails_reads() {
    let dir = tempfile::tempdir().expect("tempdir");
    let dir = dir.path().join("disk");
    let disk = disk_with_a_shard(&dir).await;
    fs::remove_dir_all(&dir).expect("removed");
    assert_offline(read(&disk, 1).await.map(drop), "was removed");
    let list = disk.list(key(1).vault, key(1).evidence_id, None, 10).await;
    assert_offline(list.map(drop), "was removed");
    let offline = disk.status().await.offline.expect("says so");
    assert!(offline.contains("was removed"), "{offline}");
}

#[tokio::test]
async fn a_disk_whose_folder_is_removed_acknowledges_no_write() {
    let dir = tempfile::tempdir().expect("tempdir");
    let dir = dir.path().join("disk");
    let disk = disk_with_a_shard(&dir).await;
    fs::remove_dir_all(&dir).expect("removed");
    assert_offline(disk.write(shard(2, 10)).await, "was removed");
    assert_offline(disk.remove(&[key(1)], ORDER).await, "was removed");
}

#[tokio::test]
async fn status_alone_notices_a_removed_folder() {
    let dir = tempfile::tempdir().expect("tempdir");
    let dir = dir.path().join("disk");
    let disk = disk_with_a_shard(&dir).await;
    assert_eq!(disk.status().await.offline, None);
    fs::remove_dir_all(&dir).expect("removed");
    assert!(disk.status().await.offline.is_some());
}

#[tokio::test]
async fn an_emptied_or_moved_folder_counts_as_removed() {
    let dir = tempfile::tempdir().expect("tempdir");
    let emptied = dir.path().join("emptied");
    let disk = disk_with_a_shard(&emptied).await;
    for entry in fs::read_dir(&emptied).expect("listed") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            fs::remove_dir_all(path).expect("removed");
        } else {
            fs::remove_file(path).expect("removed");
        }
    }
    assert_offline(disk.write(shard(2, 10)).await, "was removed");

    let moved = dir.path().join("moved");
    let disk = disk_with_a_shard(&moved).await;
    fs::rename(&moved, dir.path().join("elsewhere")).expect("moved");
    fs::create_dir(&moved).expect("an empty folder in its place");
    assert_offline(disk.write(shard(2, 10)).await, "was removed");
    assert_offline(read(&disk, 1).await.map(drop), "was removed");
}

#[tokio::test]
async fn a_removed_extent_takes_the_disk_out_of_service() {
    for by_read in [true, false] {
        let dir = tempfile::tempdir().expect("tempdir");
        let disk = disk_with_a_shard(dir.path()).await;
        let path = extent(dir.path(), 1);
        fs::remove_file(&path).expect("removed");
        let outcome =
            if by_read { read(&disk, 1).await.map(drop) } else { disk.write(shard(2, 10)).await };
        assert_offline(outcome, "EXT-00000001.ext was removed");
        assert_offline(disk.write(shard(3, 10)).await, "EXT-00000001.ext was removed");
    }
}
