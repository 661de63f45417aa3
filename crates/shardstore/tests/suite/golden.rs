use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, LogIndex, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{RemovalOrder, RemovalReason, ShardKey, ShardStore, ShardWrite};

use crate::support::{assert_whole, copy_dir, create, open};

const FILES: [&str; 2] = ["disk.json", "extents/EXT-00000001.ext"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/disk-v1")
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
    for name in FILES {
        let made = fs::read(dir.path().join(name)).expect("made");
        let promised = fs::read(golden().join(name)).expect("golden file");
        if let Some(at) =
            (0..made.len().max(promised.len())).find(|at| made.get(*at) != promised.get(*at))
        {
            panic!("{name} differs from its golden file at byte {at}");
        }
    }
}

#[tokio::test]
async fn a_disk_of_format_1_is_readable_for_ever() {
    let dir = tempfile::tempdir().expect("tempdir");
    copy_dir(&golden(), dir.path());
    let disk = open(dir.path());
    assert_whole(&disk, &first()).await;
    assert_whole(&disk, &second()).await;
    assert!(disk.read(&third().key, None).await.is_err(), "it was removed");
    assert_eq!((disk.scan_report().shards, disk.scan_report().tombstones), (3, 1));
    let entry = disk.list(first().key.vault, first().key.evidence_id, None, 1).await.expect("page");
    assert_eq!(entry.items[0].retain_until, first().retain_until);
}
