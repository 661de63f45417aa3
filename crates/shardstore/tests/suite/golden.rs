use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use custos_core::{
    ChunkIndex, DiskGeneration, EvidenceId, LogIndex, RunId, Salt, ShardSlot, Timestamp, VaultId,
};
use custos_ports::{RemovalOrder, RemovalReason, ShardKey, ShardStore, ShardWrite, WritePurpose};

use crate::support::{assert_whole, copy_dir, create, open};

fn golden(version: u32) -> PathBuf {
    PathBuf::from(format!("tests/golden/disk-v{version}"))
}

/// Panics unless file `made` of the disk has exactly the promised bytes.
fn assert_promised(dir: &Path, made: &str, promised: &str) {
    let made_bytes = fs::read(dir.join(made)).expect("made");
    let promised = fs::read(golden(2).join(promised)).expect("golden file");
    let longer = made_bytes.len().max(promised.len());
    if let Some(at) = (0..longer).find(|at| made_bytes.get(*at) != promised.get(*at)) {
        panic!("{made} differs from its golden file at byte {at}");
    }
}

fn first() -> ShardWrite {
    ShardWrite {
        key: ShardKey {
            vault: VaultId(0x0102_0304),
            evidence_id: EvidenceId::from_bytes(*b"evidence-id-0001"),
            chunk: ChunkIndex(0x0a0b_0c0d),
            slot: ShardSlot(5),
            salt: Salt(*b"salt-of-attempt1"),
        },
        retain_until: Timestamp::from_millis(1_830_297_600_000),
        purpose: WritePurpose::Ingest,
        header: Bytes::from_static(b"codec header"),
        payload: Bytes::from_static(b"the payload of a shard"),
    }
}

/// Two checksummed blocks.
fn second() -> ShardWrite {
    let first = first();
    let payload: Vec<u8> = (0..70_000_u32).map(|at| u8::try_from(at % 7).expect("small")).collect();
    let key = ShardKey { chunk: ChunkIndex::CROWN, ..first.key };
    ShardWrite { key, header: Bytes::new(), payload: payload.into(), ..first }
}

fn third() -> ShardWrite {
    let first = first();
    ShardWrite { key: ShardKey { slot: ShardSlot(6), ..first.key }, ..first }
}

#[tokio::test]
async fn the_format_on_disk_is_the_one_that_was_promised() {
    let dir = tempfile::tempdir().expect("tempdir");
    let disk = create(dir.path());
    for write in [first(), second(), third()] {
        disk.write(write).await.expect("written");
    }
    let order =
        RemovalOrder { reason: RemovalReason::SupersededAttempt, ledger_index: LogIndex(9_876) };
    disk.remove(&[third().key], order).await.expect("removed");
    drop(disk);
    assert_promised(dir.path(), "extents/EXT-00000001.ext", "extents/EXT-00000001.ext");
    assert_promised(dir.path(), "disk.json", "disk.json");
    let disk = open(dir.path());
    let run = RunId::from_bytes([0x4e; 16]);
    for generation in [1, 2] {
        let claim = disk.begin_opening(run).expect("begun");
        assert_eq!(claim, (DiskGeneration(generation), run));
        if generation == 1 {
            disk.finish_opening().expect("finished");
        }
    }
    assert_promised(dir.path(), "disk.json", "disk-opening.json");
}

#[tokio::test]
async fn a_disk_of_format_1_is_readable_for_ever() {
    is_readable_as_promised(1).await;
}

#[tokio::test]
async fn a_disk_of_format_2_is_readable_for_ever() {
    is_readable_as_promised(2).await;
    let dir = tempfile::tempdir().expect("tempdir");
    copy_dir(&golden(2), dir.path());
    fs::rename(dir.path().join("disk-opening.json"), dir.path().join("disk.json")).expect("there");
    let disk = open(dir.path());
    assert_eq!(disk.generation(), DiskGeneration(1));
    let claim = disk.begin_opening(RunId::from_bytes([1; 16])).expect("the one that stands");
    assert_eq!(claim, (DiskGeneration(2), RunId::from_bytes([0x4e; 16])));
}

async fn is_readable_as_promised(version: u32) {
    let dir = tempfile::tempdir().expect("tempdir");
    copy_dir(&golden(version), dir.path());
    let disk = open(dir.path());
    assert_eq!(disk.generation(), DiskGeneration(0));
    assert_whole(&disk, &first()).await;
    assert_whole(&disk, &second()).await;
    assert!(disk.read(&third().key, None).await.is_err(), "it was removed");
    assert_eq!((disk.scan_report().shards, disk.scan_report().tombstones), (3, 1));
    let entry = disk.list(first().key.vault, first().key.evidence_id, None, 1).await.expect("page");
    assert_eq!(entry.items[0].retain_until, first().retain_until);
}
