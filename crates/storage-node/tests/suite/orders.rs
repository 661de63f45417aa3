//! I3: nothing is removed without an order that the ledger knows.

use custos_core::{
    Act, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, LogIndex,
    Salt, SealedParts, Sha256Hash, ShardWrite, UploadKey, VaultId,
};
use custos_ledger::{Answer, Command, Query};
use custos_ports::{Ledger, RemovalOrder, RemovalReason, ShardError, ShardKey, ShardStore};

use crate::rig::{Rig, shard_of, store};

const HEAD: Salt = Salt([0x4e; 16]);

fn id(number: u8) -> EvidenceId {
    EvidenceId::from_bytes([number; 16])
}

async fn open(rig: &Rig, number: u8) {
    rig.submit(Command::OpenUpload {
        upload_key: UploadKey([number; 32]),
        evidence_id: id(number),
        descriptor: Descriptor::of_kind(EvidenceKind::Video),
        profile: ErasureProfile::P2_1,
        chunk_size: ChunkSize::DEFAULT,
        vault: VaultId(0),
        wrapped_key: vec![0x5a; 60],
    })
    .await;
}

async fn abort(rig: &Rig, number: u8) -> LogIndex {
    open(rig, number).await;
    let reason = "given up".to_owned();
    rig.submit(Command::AbortUpload { evidence_id: id(number), reason }).await;
    last(rig, Act::UploadAborted).await
}

async fn seal(rig: &Rig, number: u8) -> LogIndex {
    open(rig, number).await;
    let parts = SealedParts {
        size: 10,
        blake3: Blake3Hash([1; 32]),
        sha256: Sha256Hash([2; 32]),
        head_salt: Some(HEAD),
        missing_shards: 0,
    };
    rig.submit(Command::Seal { evidence_id: id(number), parts }).await;
    last(rig, Act::Sealed).await
}

/// The newest entry of the custody log, which says `act`.
async fn last(rig: &Rig, act: Act) -> LogIndex {
    let Ok(Answer::Checkpoint(checkpoint)) = rig.ledger.query(Query::Checkpoint).await else {
        panic!("no checkpoint");
    };
    let index = LogIndex(checkpoint.size - 1);
    let query = Query::Entries { from: index, limit: 1, evidence_id: None, record: None };
    let Ok(Answer::Entries { items, .. }) = rig.ledger.query(query).await else {
        panic!("no entries");
    };
    assert_eq!(items[0].act, act);
    index
}

async fn three_disks(rig: &Rig) -> custos_storage_node::StorageNodeHandle {
    let node = rig.start("a", 3).await;
    rig.create_vault(node.stores().iter().map(|(id, _)| *id).collect()).await;
    node
}

async fn refused(store: &dyn ShardStore, key: ShardKey, order: RemovalOrder) -> String {
    match store.remove(&[key], order).await {
        Err(ShardError::NotOrdered { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i3_shards_go_only_by_an_order_that_the_custody_log_bears_out() {
    let rig = Rig::new();
    let node = three_disks(&rig).await;
    let store = store(&node, 0).1;
    let aborted = abort(&rig, 1).await;
    let sealed = seal(&rig, 2).await;
    let write = shard_of(id(1), 0, 1000);
    store.write(write.clone()).await.expect("written");
    let order = |reason, index| RemovalOrder { reason, ledger_index: index };
    use RemovalReason::{AbortedUpload, Disposition, Moved, SupersededAttempt};
    for (order, says) in [
        (order(AbortedUpload, sealed), "says sealed, not upload-aborted"),
        (order(AbortedUpload, LogIndex(9_999)), "the custody log has no entry 9999"),
        (order(AbortedUpload, LogIndex(u64::MAX)), "the custody log has no entry"),
        (order(SupersededAttempt, aborted), "says upload-aborted, not sealed"),
        (order(SupersededAttempt, sealed), "is not about 01010101"),
        (order(Moved, aborted), "no entry of the custody log can order moved yet"),
        (order(Disposition, aborted), "says upload-aborted, not disposition-ordered"),
        (order(Disposition, sealed), "says sealed, not disposition-ordered"),
    ] {
        let reason = refused(&*store, write.key, order).await;
        assert!(reason.contains(says), "{order:?}: {reason}");
    }
    let other = shard_of(id(2), 0, 1000).key;
    let mixed = store.remove(&[write.key, other], order(AbortedUpload, aborted)).await;
    assert!(mixed.expect_err("refused").to_string().contains("one evidence item only"));
    store.read(&write.key, None).await.expect("it is still there");
    store.remove(&[write.key], order(AbortedUpload, aborted)).await.expect("removed");
    assert!(matches!(store.read(&write.key, None).await, Err(ShardError::NotFound { .. })));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i3_the_last_attempt_of_a_chunk_is_kept_and_so_is_the_one_that_the_seal_names() {
    let rig = Rig::new();
    let node = three_disks(&rig).await;
    let store = store(&node, 0).1;
    let sealed = seal(&rig, 2).await;
    let order = RemovalOrder { reason: RemovalReason::SupersededAttempt, ledger_index: sealed };
    let attempt = |salt: Salt| {
        let write = shard_of(id(2), 0, 1000);
        ShardWrite { key: ShardKey { salt, ..write.key }, ..write }
    };
    let (old, older, head) = (attempt(Salt([1; 16])), attempt(Salt([2; 16])), attempt(HEAD));
    store.write(old.clone()).await.expect("written");
    store.write(older.clone()).await.expect("written");
    // Both at once would leave nothing, so both are kept.
    store.remove(&[old.key, older.key], order).await.expect("passed over");
    store.read(&old.key, None).await.expect("kept");
    store.read(&older.key, None).await.expect("kept");
    // One of them may go, the last one not.
    store.remove(&[older.key], order).await.expect("removed");
    assert!(store.read(&older.key, None).await.is_err());
    store.remove(&[old.key], order).await.expect("passed over");
    store.read(&old.key, None).await.expect("kept");
    store.write(head.clone()).await.expect("written");
    let reason = refused(&*store, head.key, order).await;
    assert!(reason.contains("the seal names this attempt"), "{reason}");
    store.remove(&[old.key], order).await.expect("removed");
    assert!(store.read(&old.key, None).await.is_err());
    store.read(&head.key, None).await.expect("kept");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i3_of_two_attempts_that_are_removed_at_the_same_time_one_is_kept() {
    let rig = Rig::new();
    let node = three_disks(&rig).await;
    let store = store(&node, 0).1;
    let sealed = seal(&rig, 2).await;
    let order = RemovalOrder { reason: RemovalReason::SupersededAttempt, ledger_index: sealed };
    for number in 0..20 {
        let keys = [Salt([1; 16]), Salt([2; 16])].map(|salt| {
            let write = shard_of(id(2), number, 1000);
            ShardWrite { key: ShardKey { salt, ..write.key }, ..write }
        });
        for write in &keys {
            store.write(write.clone()).await.expect("written");
        }
        let [one, other] = keys.map(|write| [write.key]);
        let removed = tokio::join!(store.remove(&one, order), store.remove(&other, order));
        removed.0.expect("removed or passed over");
        removed.1.expect("removed or passed over");
        assert_eq!(held(&*store, [one[0], other[0]]).await, 1, "shard {number}");
    }
    node.shutdown().await;
}

/// How many of these a store has.
async fn held(store: &dyn ShardStore, keys: [ShardKey; 2]) -> usize {
    let mut kept = 0;
    for key in keys {
        kept += usize::from(store.read(&key, None).await.is_ok());
    }
    kept
}
