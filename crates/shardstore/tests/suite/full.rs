use custos_core::ErrorKind;
use custos_ports::{ShardError, ShardStore};
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{ORDER, assert_absent, assert_whole, create, key, open, shard};

#[tokio::test]
async fn a_full_disk_refuses_writes_and_still_serves_reads_and_removals() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    for number in 1..4 {
        disk.write(shard(number, 50_000)).await.expect("written");
    }
    drop(disk);

    let mut options = Options::new(dir.path(), "full", OpenMode::Existing);
    options.space_kept_back_bytes = u64::MAX;
    let disk = LocalDisk::open(options).expect("opened");
    for _ in 0..2 {
        let error = disk.write(shard(4, 50_000)).await.expect_err("no space");
        assert!(matches!(error, ShardError::Full { .. }), "{error}");
        assert_eq!(error.kind(), ErrorKind::Exhausted);
    }
    assert_whole(&disk, &shard(1, 50_000)).await;
    disk.remove(&[key(2)], ORDER).await.expect("removals have space of their own");
    assert_absent(&disk, 2).await;
    assert_absent(&disk, 4).await;
    assert_eq!(disk.status().await.offline, None);
    drop(disk);

    let disk = open(dir.path());
    disk.write(shard(4, 50_000)).await.expect("there is space again");
    for number in [1, 3, 4] {
        assert_whole(&disk, &shard(number, 50_000)).await;
    }
    assert_absent(&disk, 2).await;
}
