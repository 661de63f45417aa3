//! What every shard store promises, on any implementation of the port.
//!
//! A crate that implements [`ShardStore`] calls [`check`] on an empty store. The builders beside it
//! make shards that depend on a number alone, so that a test knows what it must read.

use std::sync::Arc;

use bytes::Bytes;
use custos_core::limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX};
use custos_core::{ChunkIndex, EvidenceId, LogIndex, Salt, ShardSlot, Timestamp, VaultId};

use crate::{
    RemovalOrder, RemovalReason, ShardError, ShardKey, ShardStore, ShardWrite, WritePurpose,
};

const KIB: usize = 1 << 10;

/// The vault that [`key`] names.
pub const VAULT: VaultId = VaultId(3);

/// An order that cites an entry, for stores that do not look it up.
pub const ORDER: RemovalOrder =
    RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: LogIndex(42) };

/// Runs every promise on an empty store.
///
/// # Panics
/// When a promise is not kept, with what was seen.
pub async fn check(store: Arc<dyn ShardStore>) {
    an_empty_store_lists_nothing(&*store).await;
    everything_is_listed_in_order_by_vault_and_in_all(&*store).await;
    what_is_written_reads_back_at_every_size(&*store).await;
    any_range_reads_as_the_same_bytes_of_the_whole(&*store).await;
    ranges_past_the_end_are_refused(&*store).await;
    the_same_shard_again_is_fine_and_other_bytes_are_refused(&*store).await;
    shards_outside_the_limits_are_refused(&*store).await;
    the_largest_shard_is_kept(&*store).await;
    what_repair_writes_is_kept_as_what_is_ingested(&*store).await;
    a_whole_shard_verifies_and_an_unknown_one_is_named(&*store).await;
    listings_are_in_order_and_paged(&*store).await;
    removed_shards_are_gone_and_may_come_again(&*store).await;
    many_writes_at_once_all_last(store.clone()).await;
    nothing_is_quarantined(&*store).await;
}

/// `len` pseudo-random bytes (SplitMix64), the same for the same `seed`.
#[must_use]
pub fn bytes(seed: u64, len: usize) -> Bytes {
    let mut state = seed;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        out.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    out.truncate(len);
    out.into()
}

/// Name of shard `number` of one evidence item: four slots a chunk.
///
/// # Panics
/// When there is no such chunk.
#[must_use]
pub fn key(number: u64) -> ShardKey {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&number.to_le_bytes());
    ShardKey {
        vault: VAULT,
        evidence_id: EvidenceId::from_bytes([0xe1; 16]),
        chunk: ChunkIndex(u32::try_from(number / 4).expect("small")),
        slot: ShardSlot(u8::try_from(number % 4).expect("below 4")),
        salt: Salt(salt),
    }
}

/// Shard `number` with `len` bytes that depend on both.
#[must_use]
pub fn shard(number: u64, len: usize) -> ShardWrite {
    let header_len = usize::try_from(number % 400).expect("below 400") + 40;
    ShardWrite {
        key: key(number),
        retain_until: Timestamp::from_millis(1_800_000_000_000),
        purpose: WritePurpose::Ingest,
        header: bytes(number ^ 0x4ead, header_len),
        payload: bytes(number.wrapping_mul(31) ^ len as u64, len),
    }
}

/// Reads a shard whole and compares it.
///
/// # Panics
/// When it cannot be read or differs.
pub async fn assert_whole(store: &dyn ShardStore, expected: &ShardWrite) {
    let read = store.read(&expected.key, None).await.expect("readable");
    assert_eq!(read.header, expected.header);
    assert!(read.payload == expected.payload, "payload of {:?} differs", expected.key);
}

/// Checks that the store says it has no shard `number`.
///
/// # Panics
/// When it says anything else.
pub async fn assert_absent(store: &dyn ShardStore, number: u64) {
    let outcome = store.read(&key(number), None).await;
    assert!(matches!(outcome, Err(ShardError::NotFound { .. })), "shard {number}: {outcome:?}");
}

async fn an_empty_store_lists_nothing(store: &dyn ShardStore) {
    let status = store.status().await;
    assert_eq!((status.shards, status.payload_bytes, status.offline), (0, 0, None));
    assert_eq!(status.name, store.name());
    let page = store.list_all(None, None, 10).await.expect("page");
    assert!(page.items.is_empty() && !page.more, "{page:?}");
    let page = store.list(VAULT, key(0).evidence_id, None, 10).await.expect("page");
    assert!(page.items.is_empty() && !page.more, "{page:?}");
}

/// Comes first: it expects to find nothing of others.
async fn everything_is_listed_in_order_by_vault_and_in_all(store: &dyn ShardStore) {
    let evidence = |byte: u8| EvidenceId::from_bytes([byte; 16]);
    let mut expected: Vec<ShardKey> = Vec::new();
    for vault in [0, 1, 0x0a, 0x0100_0000, u32::MAX].map(VaultId) {
        for (evidence_id, number) in [(evidence(0), 0), (evidence(0x7f), 5), (evidence(0xff), 6)] {
            expected.push(ShardKey { vault, evidence_id, ..key(number) });
        }
        let evidence_id = evidence(0xff);
        expected.push(ShardKey { vault, evidence_id, chunk: ChunkIndex::CROWN, ..key(0) });
    }
    for key in expected.iter().rev() {
        store.write(ShardWrite { key: *key, ..shard(7, 77) }).await.expect("written");
    }
    for limit in [1, 3, 20, 1000] {
        assert_eq!(list_all(store, None, limit).await, expected, "pages of {limit}");
        for vault in [VaultId(1), VaultId(u32::MAX)] {
            let of_vault: Vec<_> = expected.iter().copied().filter(|k| k.vault == vault).collect();
            assert_eq!(list_all(store, Some(vault), limit).await, of_vault, "pages of {limit}");
        }
    }
    let unknown = store.list_all(Some(VaultId(99)), None, 10).await.expect("page");
    assert!(unknown.items.is_empty() && !unknown.more, "{unknown:?}");
    // What was there when the listing began may be gone when it goes on.
    let gone = ShardKey { chunk: ChunkIndex(1), ..expected[5] };
    let page = store.list_all(None, Some(gone), 1).await.expect("page");
    assert_eq!(page.items[0].key, *expected.iter().find(|key| **key > gone).expect("more"));

    store.remove(&expected, ORDER).await.expect("removed");
    assert!(list_all(store, None, 1000).await.is_empty());
}

async fn list_all(store: &dyn ShardStore, vault: Option<VaultId>, limit: usize) -> Vec<ShardKey> {
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_all(vault, after, limit).await.expect("page");
        assert!(page.items.len() <= limit);
        for entry in page.items {
            assert!(entry.header.is_empty(), "{entry:?}");
            assert_eq!(entry.payload_len, 77);
            listed.push(entry.key);
        }
        if !page.more {
            return listed;
        }
        assert!(listed.last().copied() > after, "a page that promises more brings something");
        after = listed.last().copied();
    }
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
    let long_header = ShardWrite { header: bytes(1, SHARD_HEADER_BYTES_MAX + 1), ..shard(2300, 1) };
    let too_large = Bytes::from(vec![7; SHARD_PAYLOAD_BYTES_MAX + 1]);
    let too_large = ShardWrite { payload: too_large, ..shard(2300, 1) };
    for write in [empty, long_header, too_large] {
        assert!(store.write(write).await.is_err());
    }
    assert_absent(store, 2300).await;
}

async fn the_largest_shard_is_kept(store: &dyn ShardStore) {
    let mut write = shard(2350, SHARD_PAYLOAD_BYTES_MAX);
    write.header = bytes(2, SHARD_HEADER_BYTES_MAX);
    store.write(write.clone()).await.expect("written");
    assert_whole(store, &write).await;
    let end = SHARD_PAYLOAD_BYTES_MAX as u64;
    let read = store.read(&write.key, Some(end - 70_000..end)).await.expect("readable");
    assert!(read.payload == write.payload.slice(SHARD_PAYLOAD_BYTES_MAX - 70_000..));
    store.remove(&[write.key], ORDER).await.expect("removed");
    assert_absent(store, 2350).await;
}

async fn what_repair_writes_is_kept_as_what_is_ingested(store: &dyn ShardStore) {
    let repaired = ShardWrite { purpose: WritePurpose::Backfill, ..shard(2360, 3_000) };
    store.write(repaired.clone()).await.expect("written");
    assert_whole(store, &repaired).await;
    store.write(shard(2360, 3_000)).await.expect("the same, whatever it is written for");
}

async fn a_whole_shard_verifies_and_an_unknown_one_is_named(store: &dyn ShardStore) {
    let write = shard(2370, 150_000);
    store.write(write.clone()).await.expect("written");
    store.verify(&write.key).await.expect("whole");
    let outcome = store.verify(&key(2371)).await;
    assert!(matches!(outcome, Err(ShardError::NotFound { .. })), "{outcome:?}");
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
            let page = store.list(VAULT, evidence_id, after, limit).await.expect("page");
            assert!(page.items.len() <= limit);
            listed.extend(page.items.iter().map(|entry| entry.key));
            after = listed.last().copied();
            if !page.more {
                break;
            }
        }
        assert_eq!(listed, expected, "pages of {limit}");
    }
    let chunk = store.list_chunk(VAULT, evidence_id, ChunkIndex(2)).await.expect("listed");
    assert_eq!(chunk.iter().map(|entry| entry.key).collect::<Vec<_>>(), expected[8..12]);
    let ours = shard(1, 100);
    assert_eq!((chunk[0].payload_len, &chunk[0].header), (100, &ours.header));
    assert_eq!(chunk[0].retain_until, ours.retain_until);
    let crowns = store.list_chunk(VAULT, evidence_id, ChunkIndex::CROWN).await.expect("listed");
    assert_eq!(crowns.len(), 1);
    let unknown = EvidenceId::from_bytes([0x77; 16]);
    let page = store.list(VAULT, unknown, None, 10).await.expect("page");
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
    let tasks: Vec<_> = (3000..3300)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let write = shard(number, 1_000 + usize::try_from(number).expect("small") * 7);
                once_taken(|| store.write(write.clone())).await.expect("written");
                // Twice at once is as good as twice in turn.
                let (again, read) = tokio::join!(
                    once_taken(|| store.write(write.clone())),
                    once_taken(|| store.read(&write.key, Some(0..1_000)))
                );
                again.expect("written again");
                assert!(read.expect("readable").payload == write.payload.slice(..1_000));
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no writer failed");
    }
}

/// Asks until the store has room: what is more than it takes at once it must shed (invariant I10),
/// and must take when it is asked again.
async fn once_taken<T, F>(ask: impl Fn() -> F) -> Result<T, ShardError>
where
    F: Future<Output = Result<T, ShardError>>,
{
    loop {
        match ask().await {
            Err(ShardError::Overloaded { .. }) => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

async fn nothing_is_quarantined(store: &dyn ShardStore) {
    assert_eq!(store.quarantine(10).await.expect("listed"), []);
    assert_eq!(store.status().await.quarantined, 0);
}
