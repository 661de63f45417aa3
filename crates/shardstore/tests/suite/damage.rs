use std::fs;
use std::path::Path;

use custos_ports::{ShardError, ShardStore, ShardWrite};

use crate::support::{
    ID, assert_absent, assert_whole, bytes, copy_dir, create, disk_of, extent, flip, key, open,
    read, remove_index, shard,
};

const BLOCK: usize = 4096;

async fn corrupt(store: &dyn ShardStore, number: u64) -> String {
    match read(store, number).await {
        Err(ShardError::Corrupt { what, .. }) => what,
        outcome => panic!("shard {number} should be corrupt: {outcome:?}"),
    }
}

/// Three shards of 200,000, 10,000 and 10,000 bytes: records of 50, 4 and 4 blocks from block 1.
async fn three_shards(dir: &Path) -> [ShardWrite; 3] {
    let disk = create(dir);
    let writes = [shard(1, 200_000), shard(2, 10_000), shard(3, 10_000)];
    for write in &writes {
        disk.write(write.clone()).await.expect("written");
    }
    disk.close().await;
    writes
}

#[tokio::test]
async fn a_flipped_payload_byte_is_named_and_spoils_nothing_else() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, second, third] = three_shards(dir.path()).await;
    flip(&extent(dir.path(), 1), 2 * BLOCK + 131_072 + 5);
    for round in ["with its index", "rebuilt"] {
        let disk = open(dir.path());
        let what = corrupt(&disk, 1).await;
        let place = "payload block 2 (from payload byte 131072) of the record in extent 1 at \
                     offset 4096";
        assert!(what.contains(place), "{round}: {what}");
        let range = disk.read(&first.key, Some(0..131_072)).await.expect("undamaged part");
        assert!(range.payload == first.payload.slice(..131_072), "{round}");
        assert!(disk.read(&first.key, Some(150_000..150_001)).await.is_err(), "{round}");
        assert_whole(&disk, &second).await;
        assert_whole(&disk, &third).await;
        drop(disk);
        remove_index(dir.path());
    }
}

#[tokio::test]
async fn the_last_record_before_a_clean_stop_is_reported_and_not_forgotten() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, second, _] = three_shards(dir.path()).await;
    flip(&extent(dir.path(), 1), 56 * BLOCK + 7);
    for _ in 0..2 {
        remove_index(dir.path());
        let disk = open(dir.path());
        assert_eq!((disk.scan_report().torn_records, disk.scan_report().shards), (0, 3));
        assert!(corrupt(&disk, 3).await.contains("payload block 0"));
        assert_whole(&disk, &first).await;
        assert_whole(&disk, &second).await;
    }
}

#[tokio::test]
async fn a_flipped_head_byte_is_named_and_spoils_nothing_else() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, second, third] = three_shards(dir.path()).await;
    for offset in [0, 9, 11, 12, 20, 60, 100, 130, 200, 3000] {
        let at = 51 * BLOCK + offset;
        flip(&extent(dir.path(), 1), at);
        let disk = open(dir.path());
        let what = corrupt(&disk, 2).await;
        assert!(what.contains("record head in extent 1 at offset 208896"), "{offset}: {what}");
        assert_whole(&disk, &first).await;
        assert_whole(&disk, &third).await;
        drop(disk);
        flip(&extent(dir.path(), 1), at);
        assert_whole(&open(dir.path()), &second).await;
    }
    // Without an index nobody knows what the record was: it is counted and kept.
    flip(&extent(dir.path(), 1), 51 * BLOCK + 60);
    remove_index(dir.path());
    let before = fs::read(extent(dir.path(), 1)).expect("read");
    let disk = open(dir.path());
    assert_absent(&disk, 2).await;
    assert_whole(&disk, &first).await;
    assert_whole(&disk, &third).await;
    assert_eq!(disk.scan_report().damaged_blocks, 4);
    disk.close().await;
    assert!(fs::read(extent(dir.path(), 1)).expect("read") == before, "nothing was changed");
}

#[tokio::test]
async fn a_damaged_shard_is_healed_by_writing_it_again() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, ..] = three_shards(dir.path()).await;
    flip(&extent(dir.path(), 1), 2 * BLOCK);
    let disk = open(dir.path());
    corrupt(&disk, 1).await;
    let other = ShardWrite { payload: bytes(5, 200_000), ..first.clone() };
    assert!(matches!(disk.write(other).await, Err(ShardError::Conflict { .. })));
    disk.write(first.clone()).await.expect("healed");
    assert_whole(&disk, &first).await;
    assert_eq!(disk.status().await.shards, 3);
    drop(disk);
    remove_index(dir.path());
    assert_whole(&open(dir.path()), &first).await;
}

#[tokio::test]
async fn a_record_torn_at_any_sector_is_passed_over_and_its_neighbours_stay() {
    let scratch = tempfile::tempdir().expect("tempdir");
    let dir = scratch.path().join("whole");
    let (first, last) = (shard(1, 100_000), shard(2, 10_000));
    let disk = create(&dir);
    disk.write(first.clone()).await.expect("written");
    drop(disk);
    let older_index = scratch.path().join("older-index");
    copy_dir(&dir.join("index"), &older_index);
    let disk = open(&dir);
    disk.write(last.clone()).await.expect("written");
    drop(disk);
    let whole = fs::read(extent(&dir, 1)).expect("read");
    // Header; head and 25 blocks; head and 3 blocks.
    let start = 27 * BLOCK;
    assert_eq!(whole.len(), start + 4 * BLOCK);

    for at in (start..whole.len()).step_by(512) {
        let cut = whole[..at].to_vec();
        let mut zeroed = cut.clone();
        zeroed.resize(1 << 20, 0);
        let mut hole = whole.clone();
        hole[at..at + 512].fill(0);
        hole.resize(1 << 20, 0);
        for (variant, content) in [("cut", cut), ("zeroed", zeroed), ("hole", hole)] {
            let dir = scratch.path().join(format!("{variant}-{at}"));
            disk_of(&dir, &content);
            if at % 1024 == 0 {
                copy_dir(&older_index, &dir.join("index"));
            }
            let disk = open(&dir);
            assert_whole(&disk, &first).await;
            let needed = start + BLOCK + 10_000;
            let is_whole =
                content.len() >= needed && content[start..needed] == whole[start..needed];
            if is_whole {
                assert_whole(&disk, &last).await;
            } else {
                assert_absent(&disk, 2).await;
            }
            disk.write(last.clone()).await.expect("the same can be written now");
            disk.write(shard(3, 3_000)).await.expect("and others");
            drop(disk);
            if at % 1024 == 512 {
                remove_index(&dir);
            }
            let disk = open(&dir);
            for write in [&first, &last, &shard(3, 3_000)] {
                assert_whole(&disk, write).await;
            }
            drop(disk);
            fs::remove_dir_all(dir).expect("removed");
        }
    }
}

#[tokio::test]
async fn an_extent_cut_short_or_missing_is_reported_and_never_written_over() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, ..] = three_shards(dir.path()).await;
    let path = extent(dir.path(), 1);
    let content = fs::read(&path).expect("read");
    fs::write(&path, &content[..53 * BLOCK]).expect("cut");
    let disk = open(dir.path());
    assert_eq!(disk.scan_report().damaged_extents, 1);
    assert_whole(&disk, &first).await;
    assert!(corrupt(&disk, 2).await.contains("extent 1 ends within the record"));
    assert!(corrupt(&disk, 3).await.contains("extent 1 ends within the record"));
    disk.write(shard(4, 100)).await.expect("into another extent");
    drop(disk);
    assert!(fs::read(&path).expect("read") == content[..53 * BLOCK]);

    fs::remove_file(&path).expect("removed");
    let disk = open(dir.path());
    assert!(corrupt(&disk, 1).await.contains("extent 1 is missing"));
    assert_whole(&disk, &shard(4, 100)).await;
    disk.write(shard(5, 100)).await.expect("written");
    assert!(!path.exists(), "its number is not given out again");
}

#[tokio::test]
async fn records_are_found_under_a_damaged_extent_header() {
    let dir = tempfile::tempdir().expect("tempdir");
    let writes = three_shards(dir.path()).await;
    flip(&extent(dir.path(), 1), 20);
    remove_index(dir.path());
    for _ in 0..2 {
        let disk = open(dir.path());
        for write in &writes {
            assert_whole(&disk, write).await;
        }
    }
}

#[tokio::test]
async fn extents_of_other_disks_and_rubbish_are_kept_and_not_served() {
    let dirs = (tempfile::tempdir().expect("tempdir"), tempfile::tempdir().expect("tempdir"));
    let writes = three_shards(dirs.0.path()).await;
    let id = custos_shardstore::DiskId::from_bytes([9; 16]);
    let mode = custos_shardstore::OpenMode::Create { id };
    let options = custos_shardstore::Options::new(dirs.1.path(), "other", mode);
    let other = custos_shardstore::LocalDisk::open(options).expect("made");
    assert_ne!(other.id(), ID);
    other.write(shard(500, 5_000)).await.expect("written");
    drop(other);
    let foreign = fs::read(extent(dirs.1.path(), 1)).expect("read");
    let own = fs::read(extent(dirs.0.path(), 1)).expect("read");
    fs::write(extent(dirs.0.path(), 2), &foreign).expect("put in");
    fs::write(extent(dirs.0.path(), 3), &own).expect("a copy under another number");
    fs::write(extent(dirs.0.path(), 4), bytes(1, 100_001)).expect("rubbish");
    fs::write(extent(dirs.0.path(), 5), b"").expect("empty");
    fs::write(dirs.0.path().join("extents/notes.txt"), b"mine").expect("foreign file");
    remove_index(dirs.0.path());

    let disk = open(dirs.0.path());
    assert_absent(&disk, 500).await;
    for write in &writes {
        assert_whole(&disk, write).await;
    }
    assert_eq!(disk.status().await.shards, 3);
    assert!(disk.scan_report().damaged_blocks >= 25);
    disk.write(shard(6, 100)).await.expect("written");
    drop(disk);
    assert!(fs::read(extent(dirs.0.path(), 2)).expect("kept") == foreign);
    assert!(fs::read(extent(dirs.0.path(), 3)).expect("kept") == own);
    assert_whole(&open(dirs.0.path()), &shard(6, 100)).await;
    assert_eq!(key(6), shard(6, 100).key);
}

#[tokio::test]
async fn a_record_with_an_absurd_length_is_passed_over() {
    let dir = tempfile::tempdir().expect("tempdir");
    let [first, _, third] = three_shards(dir.path()).await;
    let path = extent(dir.path(), 1);
    let mut content = fs::read(&path).expect("read");
    let head = 51 * BLOCK;
    content[head + 12..head + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    content[head + 128..head + 136].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&path, content).expect("written");
    remove_index(dir.path());
    let disk = open(dir.path());
    assert_absent(&disk, 2).await;
    assert_whole(&disk, &first).await;
    assert_whole(&disk, &third).await;
}
