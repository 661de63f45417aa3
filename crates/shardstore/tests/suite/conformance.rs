//! What every shard store promises, on any implementation of the port.

use std::sync::Arc;

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId};
use custos_ports::{ShardError, ShardKey, ShardStore, ShardWrite};
use custos_shardstore::{LocalDisk, OfflineDisk, OpenMode, Options};

use crate::support::{ID, ORDER, assert_absent, assert_whole, bytes, create, key, shard};

const KIB: usize = 1 << 10;

/// Runs every promise on an empty store.
async fn check(store: Arc<dyn ShardStore>) {
    what_is_written_reads_back_at_every_size(&*store).await;
    any_range_reads_as_the_same_bytes_of_the_whole(&*store).await;
    ranges_past_the_end_are_refused(&*store).await;
    the_same_shard_again_is_fine_and_other_bytes_are_refused(&*store).await;
    shards_outside_the_limits_are_refused(&*store).await;
    listings_are_in_order_and_paged(&*store).await;
    removed_shards_are_gone_and_may_come_again(&*store).await;
    many_writes_at_once_all_last(store.clone()).await;
}

async fn what_is_written_reads_back_at_every_size(store: &dyn ShardStore) {
    let edges = [1, 511, 512, 4095, 4096, 4097, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1];
    let large = [128 * KIB, 128 * KIB + 4096, 1000 * KIB + 17, 2048 * KIB, 5 * 1024 * KIB];
    for (number, len) in (1000..).zip(edges.into_iter().chain(large)) {
        let write = shard(number, len);
        store.write(write.clone()).await.expect("written");
        assert_whole(store, &write).await;
    }
    assert_absent(store, 999).await;
}

async fn any_range_reads_as_the_same_bytes_of_the_whole(store: &dyn ShardStore) {
    let write = shard(2000, 300 * KIB + 5);
    store.write(write.clone()).await.expect("written");
    let len = write.payload.len();
    let edges = [0, 1, 4096, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 200 * KIB, len - 1, len];
    for start in edges {
        for end in edges.into_iter().filter(|end| *end >= start) {
            let read = store.read(&write.key, Some(start as u64..end as u64)).await;
            let read = read.expect("readable");
            assert!(read.payload == write.payload.slice(start..end), "{start}..{end}");
            assert_eq!(read.header, write.header);
        }
    }
}

async fn ranges_past_the_end_are_refused(store: &dyn ShardStore) {
    let write = shard(2100, 100);
    store.write(write.clone()).await.expect("written");
    let backwards = std::ops::Range { start: 7, end: 3 };
    for range in [0..101, 100..101, 200..300, u64::MAX - 1..u64::MAX, backwards] {
        let outcome = store.read(&write.key, Some(range.clone())).await;
        assert!(matches!(outcome, Err(ShardError::Range { len: 100, .. })), "{range:?}");
    }
}

async fn the_same_shard_again_is_fine_and_other_bytes_are_refused(store: &dyn ShardStore) {
    let write = shard(2200, 10_000);
    store.write(write.clone()).await.expect("written");
    let before = store.status().await.shards;
    store.write(write.clone()).await.expect("the same again");
    let mut other_payload = write.payload.to_vec();
    other_payload[9_999] ^= 1;
    let other_header = Bytes::from_static(b"another header");
    for other in [
        ShardWrite { payload: other_payload.into(), ..write.clone() },
        ShardWrite { payload: write.payload.slice(1..), ..write.clone() },
        ShardWrite { header: other_header, ..write.clone() },
    ] {
        let outcome = store.write(other).await;
        assert!(matches!(outcome, Err(ShardError::Conflict { .. })), "{outcome:?}");
    }
    assert_whole(store, &write).await;
    assert_eq!(store.status().await.shards, before);
}

async fn shards_outside_the_limits_are_refused(store: &dyn ShardStore) {
    let empty = ShardWrite { payload: Bytes::new(), ..shard(2300, 1) };
    let long_header = ShardWrite { header: bytes(1, 513), ..shard(2300, 1) };
    for write in [empty, long_header] {
        assert!(store.write(write).await.is_err());
    }
    assert_absent(store, 2300).await;
}

async fn listings_are_in_order_and_paged(store: &dyn ShardStore) {
    let evidence_id = EvidenceId::from_bytes([0x11; 16]);
    let neighbour = EvidenceId::from_bytes([0x12; 16]);
    let at = |number: u64| ShardKey { evidence_id, ..key(number) };
    let crown = ShardKey { chunk: ChunkIndex::CROWN, ..at(0) };
    let mut expected: Vec<ShardKey> = (0..25).map(at).collect();
    expected.push(crown);
    for key in expected.iter().rev() {
        store.write(ShardWrite { key: *key, ..shard(1, 100) }).await.expect("written");
    }
    let other = ShardKey { evidence_id: neighbour, ..key(0) };
    store.write(ShardWrite { key: other, ..shard(1, 100) }).await.expect("written");

    for limit in [1, 7, 26, 100] {
        let mut listed = Vec::new();
        let mut after = None;
        loop {
            let page = store.list(key(0).vault, evidence_id, after, limit).await.expect("page");
            assert!(page.items.len() <= limit);
            listed.extend(page.items.iter().map(|entry| entry.key));
            after = listed.last().copied();
            if !page.more {
                break;
            }
        }
        assert_eq!(listed, expected, "pages of {limit}");
    }
    let vault = key(0).vault;
    let chunk = store.list_chunk(vault, evidence_id, ChunkIndex(2)).await.expect("listed");
    assert_eq!(chunk.iter().map(|entry| entry.key).collect::<Vec<_>>(), expected[8..12]);
    assert_eq!((chunk[0].payload_len, &chunk[0].header), (100, &shard(1, 100).header));
    let crowns = store.list_chunk(vault, evidence_id, ChunkIndex::CROWN).await.expect("listed");
    assert_eq!(crowns.len(), 1);
    let unknown = EvidenceId::from_bytes([0x77; 16]);
    let page = store.list(vault, unknown, None, 10).await.expect("page");
    assert!(page.items.is_empty() && !page.more);
}

async fn removed_shards_are_gone_and_may_come_again(store: &dyn ShardStore) {
    let before = store.status().await;
    for number in 2400..2410 {
        store.write(shard(number, 5_000)).await.expect("written");
    }
    let keys: Vec<_> = (2400..2409).chain([99_999]).map(key).collect();
    store.remove(&keys, ORDER).await.expect("removed, the unknown one passed over");
    store.remove(&keys, ORDER).await.expect("again");
    store.remove(&[], ORDER).await.expect("none");
    assert_absent(store, 2400).await;
    assert_whole(store, &shard(2409, 5_000)).await;
    let other = shard(2400, 6_000);
    store.write(other.clone()).await.expect("written anew, with other bytes");
    assert_whole(store, &other).await;
    let after = store.status().await;
    assert_eq!(after.shards, before.shards + 2);
    assert_eq!(after.payload_bytes, before.payload_bytes + 11_000);
}

async fn many_writes_at_once_all_last(store: Arc<dyn ShardStore>) {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 3000..3300 {
        let store = store.clone();
        tasks.spawn(async move {
            let write = shard(number, 1_000 + usize::try_from(number).expect("small") * 7);
            store.write(write.clone()).await.expect("written");
            // Twice at once is as good as twice in turn.
            let (again, read) =
                tokio::join!(store.write(write.clone()), store.read(&write.key, Some(0..1_000)),);
            again.expect("written again");
            assert!(read.expect("readable").payload == write.payload.slice(..1_000));
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_disk_keeps_the_promises_of_a_shard_store() {
    let dir = tempfile::tempdir().expect("tempdir");
    check(Arc::new(create(dir.path()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_disk_with_tiny_extents_keeps_them_too() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut options = Options::new(dir.path(), "tiny", OpenMode::Create { id: ID });
    options.extent_bytes_max = 100 << 10;
    options.preallocate_bytes = 4096;
    check(Arc::new(LocalDisk::open(options).expect("opened"))).await;
}

#[tokio::test]
async fn an_offline_disk_says_why_at_every_call() {
    let disk = OfflineDisk::new("disk 4 (/data/disks/4)", "its folder is missing");
    let vault = key(0).vault;
    let evidence = key(0).evidence_id;
    let errors = [
        disk.write(shard(1, 1)).await.err(),
        disk.read(&key(1), None).await.err(),
        disk.list(vault, evidence, None, 1).await.err(),
        disk.list_chunk(vault, evidence, ChunkIndex(0)).await.err(),
        disk.remove(&[key(1)], ORDER).await.err(),
    ];
    for error in errors {
        let text = error.expect("refused").to_string();
        assert_eq!(text, "disk 4 (/data/disks/4): out of service: its folder is missing");
    }
    assert_eq!(disk.status().await.offline.as_deref(), Some("its folder is missing"));
}
