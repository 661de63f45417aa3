use custos_core::{ChunkIndex, Fullness, LogIndex, VaultId};
use custos_ports::{
    RemovalOrder, RemovalReason, ShardError,
    fakes::{Fault, conformance},
};

use crate::storage_node::{Manner, World, key, shard};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_store_behind_the_network_keeps_every_promise_of_a_store() {
    let world = World::new().await;
    conformance::check(world.store()).await;
}

#[tokio::test]
async fn a_shard_written_over_the_network_reads_back_whole_and_in_part() {
    let world = World::new().await;
    let store = world.store();
    for (slot, len) in (0..).zip([1, 1000, MIB, MIB + 1, 3 * MIB + 7]) {
        let shard = shard(1, slot, len);
        store.write(shard.clone()).await.expect("written");
        let whole = store.read(&shard.key, None).await.expect("read");
        assert_eq!((&whole.header, &whole.payload), (&shard.header, &shard.payload), "{len}");
        let (start, end) = (len / 3, len - len / 3);
        let part = store.read(&shard.key, Some(start as u64..end as u64)).await.expect("read");
        assert_eq!(part.payload, shard.payload.slice(start..end), "{len}");
        store.verify(&shard.key).await.expect("whole");
    }
    assert_eq!(world.node.store.keys().len(), 5, "and nothing else was written");
}

#[tokio::test]
async fn listings_and_removals_over_the_network_are_those_of_the_store() {
    let world = World::new().await;
    let store = world.store();
    for slot in 0..7 {
        store.write(shard(1, slot, 10)).await.expect("written");
        store.write(shard(2, slot, 10)).await.expect("written");
    }
    let evidence_id = key(1, 0).evidence_id;
    let first = store.list(VaultId(0), evidence_id, None, 4).await.expect("a page");
    assert!(first.more && first.items.len() == 4);
    let after = first.items.last().map(|item| item.key);
    let second = store.list(VaultId(0), evidence_id, after, 4).await.expect("a page");
    assert!(!second.more && second.items.len() == 3);
    assert_eq!(second.items[0].header, shard(1, 4, 10).header);
    let chunk = store.list_chunk(VaultId(0), evidence_id, ChunkIndex(3)).await.expect("a chunk");
    assert_eq!(chunk, [first.items, second.items].concat());
    let all = store.list_all(None, None, 1000).await.expect("all");
    assert_eq!(all.items.len(), 14);
    assert!(store.list_all(Some(VaultId(1)), None, 1000).await.expect("none").items.is_empty());
    assert_eq!(store.quarantine(10).await.expect("empty"), []);

    let keys: Vec<_> = all.items.iter().map(|item| item.key).skip(1).collect();
    let reason = RemovalReason::AbortedUpload;
    let order = RemovalOrder { reason, ledger_index: LogIndex(7) };
    store.remove(&keys, order).await.expect("removed");
    assert_eq!(world.node.store.keys(), [key(1, 0)]);

    let status = store.status().await;
    assert_eq!((status.name.as_str(), status.shards), ("disk 0 of node far", 1));
    assert_eq!((status.offline, status.fullness), (None, Fullness::Normal));
}

#[tokio::test]
async fn failures_of_the_far_store_are_the_same_here_and_name_disk_and_node() {
    let world = World::new().await;
    let store = world.store();
    let missing = store.read(&key(1, 0), None).await.expect_err("missing");
    assert!(matches!(&missing, ShardError::NotFound { key: found, .. } if **found == key(1, 0)));
    assert!(missing.to_string().starts_with("disk 0 of node far: "), "{missing}");
    store.write(shard(1, 0, 100)).await.expect("written");
    let range = store.read(&key(1, 0), Some(50..200)).await.expect_err("too far");
    assert!(matches!(range, ShardError::Range { start: 50, end: 200, len: 100, .. }), "{range}");
    world.node.store.set_fault(Fault::Corrupt);
    let corrupt = store.verify(&key(1, 0)).await.expect_err("corrupt");
    assert!(matches!(corrupt, ShardError::Corrupt { .. }), "{corrupt}");
    world.node.store.set_fault(Fault::Offline);
    let offline = store.read(&key(1, 0), None).await.expect_err("offline");
    assert!(matches!(offline, ShardError::Offline { .. }), "{offline}");
    assert!(store.status().await.offline.is_some());
}

#[tokio::test]
async fn a_refusal_before_the_payload_was_taken_is_still_heard() {
    let world = World::new().await;
    world.node.set(Manner::Full);
    for slot in 0..8 {
        let refused = world.store().write(shard(1, slot, 32 * MIB)).await.expect_err("full");
        assert!(matches!(refused, ShardError::Full { .. }), "{refused}");
    }
    world.node.set(Manner::Right);
    world.store().write(shard(1, 0, MIB)).await.expect("the connection still serves");
}
