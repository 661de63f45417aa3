//! A listing ends where the shards end, whatever its pages look like.

use std::fs;

use custos_objectstore::{OpenMode, S3Store};
use custos_ports::fakes::conformance::{VAULT, key, shard};
use custos_ports::{ShardError, ShardKey, ShardStore};

use crate::proxy::Mischief;
use crate::server::Server;
use crate::support::{behind_proxy, create, object, options};

async fn write(store: &S3Store, numbers: std::ops::Range<u64>) -> Vec<ShardKey> {
    for number in numbers.clone() {
        store.write(shard(number, 100)).await.expect("written");
    }
    let mut keys: Vec<ShardKey> = numbers.map(key).collect();
    keys.sort_unstable();
    keys
}

/// Every shard of all evidence, page by page.
async fn all(store: &S3Store, limit: usize) -> Vec<ShardKey> {
    let mut keys: Vec<ShardKey> = Vec::new();
    loop {
        let page = store.list_all(None, keys.last().copied(), limit).await.expect("listed");
        keys.extend(page.items.into_iter().map(|entry| entry.key));
        if !page.more {
            return keys;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_names_is_not_the_end_of_a_listing() {
    let (store, proxy, _server) = behind_proxy().await;
    let keys = write(&store, 1..6).await;
    proxy.set(Mischief::EmptiesFirstPages);
    for limit in [2, 1000] {
        assert_eq!(all(&store, limit).await, keys, "pages of {limit}");
    }
    let first = keys[0];
    let chunk = store.list_chunk(first.vault, first.evidence_id, first.chunk).await;
    assert!(chunk.expect("listed").iter().any(|entry| entry.key == first));
    let again = S3Store::open(options(&proxy.endpoint, OpenMode::Existing)).await.expect("opened");
    assert_eq!(again.status().await.shards, 5, "all are counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_whose_end_is_not_in_sight_fails_and_does_not_end() {
    let (store, proxy, _server) = behind_proxy().await;
    write(&store, 1..3).await;
    for (mischief, says) in [
        (Mischief::LosesPages, "says that more follow, and not how"),
        (Mischief::EmptiesPages, "pages without a name in a row"),
    ] {
        proxy.set(mischief);
        let outcome = store.list_all(None, None, 10).await;
        let Err(ShardError::Io { reason, .. }) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(says), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_damaged_heads_is_passed_over_until_a_shard_or_the_end() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    let keys = write(&store, 1..8).await;
    let evidence_id = keys[0].evidence_id;
    let of_evidence: Vec<ShardKey> =
        keys.iter().filter(|key| key.evidence_id == evidence_id).copied().collect();
    assert!(of_evidence.len() >= 4, "enough for a page and more: {}", of_evidence.len());
    let (last, damaged) = of_evidence.split_last().expect("some");
    for key in damaged {
        fs::write(server.file(&object(key)), [0; 9000]).expect("overwritten");
    }
    let page = store.list(VAULT, evidence_id, None, 2).await.expect("listed");
    assert_eq!(page.items.iter().map(|entry| entry.key).collect::<Vec<_>>(), [*last]);
    fs::write(server.file(&object(last)), [0; 9000]).expect("overwritten");
    let page = store.list(VAULT, evidence_id, None, 2).await.expect("listed");
    assert!(page.items.is_empty() && !page.more, "{page:?}");
}
