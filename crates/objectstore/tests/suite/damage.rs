//! I2 genuine: bytes that do not verify are never handed out, whoever altered them.

use std::fs;

use custos_objectstore::{OpenMode, S3Store};
use custos_ports::fakes::conformance::{ORDER, VAULT, assert_whole, key, shard};
use custos_ports::{ShardError, ShardStore};

use crate::proxy::Mischief;
use crate::server::Server;
use crate::support::{behind_proxy, create, object, options};

const HEAD_BYTES: usize = 8192;

fn flip(server: &Server, object: &str, at: usize) {
    let file = server.file(object);
    let mut bytes = fs::read(&file).expect("read");
    bytes[at] ^= 0x40;
    fs::write(file, bytes).expect("written");
}

async fn assert_corrupt(store: &S3Store, number: u64, says: &str) {
    let outcome = store.verify(&key(number)).await;
    let Err(ShardError::Corrupt { what, .. }) = outcome else {
        panic!("shard {number}: {outcome:?}")
    };
    assert!(what.contains(says), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_flipped_byte_of_an_object_is_found_and_a_rewrite_mends_it() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    let write = shard(1, 200_000);
    store.write(write.clone()).await.expect("written");
    let name = object(&key(1));
    for (at, says) in [
        (0, "magic"),
        (9, "version"),
        (100, "CRC-32C of the head"),
        (8191, "CRC-32C of the head"),
        (HEAD_BYTES, "payload block 0 (from payload byte 0)"),
        (HEAD_BYTES + 65_536, "payload block 1 (from payload byte 65536)"),
        (HEAD_BYTES + 199_999, "payload block 3"),
    ] {
        flip(&server, &name, at);
        assert_corrupt(&store, 1, says).await;
        assert!(store.read(&key(1), None).await.is_err());
        store.write(write.clone()).await.expect("written anew");
        assert_whole(&store, &write).await;
    }
    assert_eq!(store.status().await.shards, 1, "still one shard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_read_does_not_mind_damage_that_it_does_not_touch() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    let write = shard(1, 2 << 20);
    store.write(write.clone()).await.expect("written");
    flip(&server, &object(&key(1)), HEAD_BYTES + 65_536 * 3);
    for range in [0..65_536, 65_536 * 4..65_536 * 5, (2 << 20) - 1..2 << 20] {
        let read = store.read(&key(1), Some(range.clone())).await.expect("readable");
        let (start, end) = (range.start as usize, range.end as usize);
        assert!(read.payload == write.payload.slice(start..end), "{range:?}");
    }
    let outcome = store.read(&key(1), Some(65_536 * 3..65_536 * 3 + 1)).await;
    assert!(matches!(outcome, Err(ShardError::Corrupt { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_cut_at_any_place_or_too_long_is_corrupt() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    let write = shard(1, 100_000);
    store.write(write.clone()).await.expect("written");
    let file = server.file(&object(&key(1)));
    let whole = fs::read(&file).expect("read");
    for len in [0, 1, 4096, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, whole.len() - 1] {
        fs::write(&file, &whole[..len]).expect("cut");
        for range in [None, Some(99_999..100_000)] {
            let outcome = store.read(&key(1), range).await;
            assert!(matches!(outcome, Err(ShardError::Corrupt { .. })), "{len}: {outcome:?}");
        }
    }
    let longer = [whole.as_slice(), b"x"].concat();
    fs::write(&file, longer).expect("written");
    assert_corrupt(&store, 1, "the object has 108193 bytes, its head says 108192").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_under_the_name_of_another_is_corrupt_and_never_handed_out() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    store.write(shard(1, 5_000)).await.expect("written");
    store.write(shard(2, 5_000)).await.expect("written");
    let (from, to) = (server.file(&object(&key(1))), server.file(&object(&key(2))));
    fs::copy(from, to).expect("copied");
    assert_corrupt(&store, 2, "it is of another shard").await;
    // Listed by name for the scrub, left out where its head would be told.
    let all = store.list_all(None, None, 10).await.expect("listed");
    assert_eq!(all.items.iter().map(|entry| entry.key).collect::<Vec<_>>(), [key(1), key(2)]);
    let page = store.list(VAULT, key(1).evidence_id, None, 10).await.expect("listed");
    assert_eq!(page.items.iter().map(|entry| entry.key).collect::<Vec<_>>(), [key(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_returns_wrong_bytes_is_named_and_survived() {
    let (store, proxy, _server) = behind_proxy().await;
    let write = shard(1, 300_000);
    store.write(write.clone()).await.expect("written");
    store.write(shard(2, 300_000)).await.expect("written");

    proxy.set(Mischief::AltersDownloads);
    assert_corrupt(&store, 1, "payload block 4").await;
    proxy.set(Mischief::Misdirects);
    assert_whole(&store, &write).await;
    assert_corrupt(&store, 2, "it is of another shard").await;
    proxy.set(Mischief::ShortensDownloads);
    let outcome = store.read(&key(1), None).await;
    assert!(matches!(outcome, Err(ShardError::Corrupt { .. })), "{outcome:?}");
    let status = store.status().await;
    assert!(status.io_errors >= 3, "{status:?}");

    proxy.set(Mischief::None);
    assert_whole(&store, &write).await;
    assert_eq!(store.status().await.suspect, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_or_broken_answer_is_read_once_more() {
    let (store, proxy, _server) = behind_proxy().await;
    let write = shard(1, 300_000);
    store.write(write.clone()).await.expect("written");
    for mischief in [Mischief::AltersNextDownload, Mischief::BreaksNextDownload] {
        proxy.set(mischief);
        assert_whole(&store, &write).await;
    }
    proxy.set(Mischief::BreaksDownloads);
    let outcome = store.read(&key(1), None).await;
    let Err(ShardError::Io { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("broke off"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_altered_on_its_way_in_is_not_acknowledged() {
    let (store, proxy, _server) = behind_proxy().await;
    proxy.set(Mischief::AltersUploads);
    for len in [5_000, 17 << 20] {
        let outcome = store.write(shard(1, len)).await;
        assert!(outcome.is_err(), "{len}");
    }
    proxy.set(Mischief::None);
    let write = shard(1, 5_000);
    store.write(write.clone()).await.expect("written, over whatever lay there");
    assert_whole(&store, &write).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_server_vouches_for_is_read_back_before_it_is_acknowledged() {
    let (store, proxy, _server) = behind_proxy().await;
    proxy.set(Mischief::LosesUploads);
    let outcome = store.write(shard(1, 5_000)).await;
    let Err(ShardError::Io { reason, .. }) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("does not give back what was written"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_objects_are_listed_and_kept() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    store.write(shard(1, 5_000)).await.expect("written");
    let stray = server.file("custos/disk-7/00000003/notes.txt");
    fs::write(&stray, b"not ours").expect("written");
    drop(store);
    let store = S3Store::open(options(&server.endpoint(), OpenMode::Existing)).await.expect("open");
    let found = store.quarantine(10).await.expect("listed");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].place, "custos/disk-7/00000003/notes.txt");
    assert_eq!(store.status().await.quarantined, 1);
    let page = store.list_all(None, None, 10).await.expect("listed");
    assert_eq!((page.items.len(), page.more), (1, false));
    store.remove(&[key(1)], ORDER).await.expect("removed");
    assert!(stray.exists());
}
