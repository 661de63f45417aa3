use std::process::Command;

use custos_core::{ErrorKind, Fullness};
use custos_ports::{ShardError, ShardStore, ShardWrite, WritePurpose};
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{ID, ORDER, assert_absent, assert_whole, create, key, open, shard};

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

#[tokio::test]
async fn repair_is_refused_before_new_evidence_is() {
    let dir = tempfile::tempdir().expect("tempdir");
    drop(create(dir.path()));
    let mut options = Options::new(dir.path(), "filling", OpenMode::Existing);
    options.near_full_permille = 0;
    options.backfill_full_permille = 0;
    let disk = LocalDisk::open(options).expect("opened");
    assert_eq!(disk.status().await.fullness, Fullness::BackfillFull);
    let repair = ShardWrite { purpose: WritePurpose::Backfill, ..shard(1, 5_000) };
    let error = disk.write(repair.clone()).await.expect_err("too full for that");
    assert!(matches!(error, ShardError::Full { .. }), "{error}");
    disk.write(shard(1, 5_000)).await.expect("new evidence still goes in");
    disk.write(repair).await.expect("it is there already");
}

/// A file system of its own that is gone when the test is.
struct SmallFileSystem {
    dir: tempfile::TempDir,
}

impl SmallFileSystem {
    /// `None` where the test may not mount one.
    fn mount(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("tempdir");
        let mut mount = Command::new("mount");
        let mount = mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path());
        let is_mounted = mount.output().is_ok_and(|outcome| outcome.status.success());
        if !is_mounted {
            println!("no file system can be mounted here: its test proves nothing");
        }
        is_mounted.then_some(Self { dir })
    }

    fn options(&self, mode: OpenMode) -> Options {
        let mut options = Options::new(self.dir.path().join("disk"), "small", mode);
        options.extent_bytes_max = 4 << 20;
        options.preallocate_bytes = 1 << 20;
        options.space_kept_back_bytes = 8 << 20;
        options.compaction_bytes_per_second = 0;
        options
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.dir.path()).status();
    }
}

#[tokio::test]
async fn a_small_file_system_fills_up_and_empties_again() {
    let Some(small) = SmallFileSystem::mount("size=64m") else { return };
    let disk = LocalDisk::open(small.options(OpenMode::Create { id: ID })).expect("made");
    let mut seen = vec![Fullness::Normal];
    let mut written = 0;
    let error = loop {
        let outcome = disk.write(shard(written, 300_000)).await;
        let now = disk.status().await.fullness;
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        match outcome {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ShardError::Full { .. }), "{error}");
    assert_eq!(seen, Fullness::ALL, "each mark was passed");
    assert!(written > 140, "{written} shards of 300,000 bytes went into 64 MiB");
    let status = disk.status().await;
    assert_eq!(status.offline, None);
    assert!(status.free_bytes >= 8 << 20, "{status:?}");
    assert!(status.stored_bytes >= written * 300_000, "{status:?}");

    // Deletes and what gives back space work on the full disk.
    let removed: Vec<_> = (0..written).filter(|number| number % 3 != 0).map(key).collect();
    disk.remove(&removed, ORDER).await.expect("removed");
    let done = disk.compact().await.expect("compacted");
    assert!(done.bytes_freed > 10 << 20, "{done:?}");
    assert!(disk.status().await.fullness < Fullness::NearFull);
    disk.write(shard(10_000, 300_000)).await.expect("there is space again");
    drop(disk);
    let disk = LocalDisk::open(small.options(OpenMode::Existing)).expect("opened");
    for number in (0..written).filter(|number| number % 3 == 0) {
        assert_whole(&disk, &shard(number, 300_000)).await;
    }
    assert_absent(&disk, 1).await;
}

#[tokio::test]
async fn a_lack_of_inodes_refuses_shards_and_not_removals() {
    let Some(small) = SmallFileSystem::mount("size=64m,nr_inodes=90") else { return };
    let mut options = small.options(OpenMode::Create { id: ID });
    options.extent_bytes_max = 16 << 10;
    options.preallocate_bytes = 4 << 10;
    let disk = LocalDisk::open(options).expect("made");
    let mut written = 0;
    let error = loop {
        match disk.write(shard(written, 7_000)).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ShardError::Full { .. }), "{error}");
    let status = disk.status().await;
    assert_eq!((status.fullness, status.offline), (Fullness::Full, None));
    assert!(status.free_bytes > 32 << 20, "bytes there are");
    disk.remove(&[key(0), key(1), key(2)], ORDER).await.expect("removed");
    assert!(disk.compact().await.expect("compacted").extents_removed > 0);
    assert_whole(&disk, &shard(written - 1, 7_000)).await;
}
