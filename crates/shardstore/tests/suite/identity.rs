use custos_core::{DiskGeneration, RunId};
use custos_ports::ShardStore;
use custos_shardstore::{DiskId, LocalDisk, OpenError, OpenMode, Options};

use crate::support::{ID, assert_whole, create, shard};

#[tokio::test]
async fn a_disk_is_opened_by_one_at_a_time_and_only_as_itself() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    assert_eq!(disk.id(), ID);
    let write = shard(1, 1000);
    disk.write(write.clone()).await.expect("written");
    let open = |expected_id| {
        let options = Options::new(dir.path(), "again", OpenMode::Existing);
        LocalDisk::open(Options { expected_id, ..options })
    };
    assert!(matches!(open(None), Err(OpenError::Locked { .. })));
    drop(disk);

    let other = DiskId::from_bytes([7; 16]);
    let error = open(Some(other)).expect_err("another disk");
    assert!(matches!(error, OpenError::WrongIdentity { found: ID, .. }));
    assert!(error.to_string().contains("swapped"), "{error}");
    let again = LocalDisk::open(Options::new(dir.path(), "x", OpenMode::Create { id: other }));
    assert!(matches!(again, Err(OpenError::Exists { found: ID, .. })));

    assert_whole(&open(Some(ID)).expect("itself"), &write).await;
}

#[tokio::test]
async fn a_closed_disk_is_offline_and_opens_again() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    let write = shard(1, 100_000);
    disk.write(write.clone()).await.expect("written");
    disk.close().await;
    assert!(disk.write(shard(2, 1)).await.is_err());
    assert_eq!(disk.status().await.offline.as_deref(), Some("closed"));
    drop(disk);
    let disk = crate::support::open(dir.path());
    assert_eq!(disk.scan_report(), custos_shardstore::ScanReport::default(), "nothing to scan");
    assert_whole(&disk, &write).await;
}

#[tokio::test]
async fn a_disk_is_taken_into_service_in_two_steps_that_may_be_repeated() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, second] = [RunId::from_bytes([1; 16]), RunId::from_bytes([2; 16])];
    let disk = create(dir.path());
    assert_eq!(disk.generation(), DiskGeneration(0));
    assert_eq!(disk.begin_opening(first).expect("begun"), (DiskGeneration(1), first));
    drop(disk);
    let disk = crate::support::open(dir.path());
    assert_eq!(disk.generation(), DiskGeneration(0), "a claim is not yet a generation");
    let again = disk.begin_opening(second).expect("the claim that stands");
    assert_eq!(again, (DiskGeneration(1), first));
    assert_eq!(disk.finish_opening().expect("finished"), DiskGeneration(1));
    assert_eq!(disk.finish_opening().expect("nothing to finish"), DiskGeneration(1));
    drop(disk);
    let disk = crate::support::open(dir.path());
    assert_eq!(disk.generation(), DiskGeneration(1));
    assert_eq!(disk.begin_opening(second).expect("begun"), (DiskGeneration(2), second));
}
