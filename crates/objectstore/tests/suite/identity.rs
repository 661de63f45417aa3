//! A disk in a bucket is recognised: foreign, swapped, missing, damaged, and used by two.

use std::fs;

use custos_core::{DiskGeneration, DiskId, RunId};
use custos_objectstore::{OpenError, OpenMode, S3Store};
use custos_ports::ShardStore;
use custos_ports::fakes::conformance::{assert_whole, shard};

use crate::proxy::{Mischief, Proxy};
use crate::server::Server;
use crate::support::{ID, PREFIX, create, options};

const IDENTITY: &str = "custos/disk-7/custos-disk.json";

async fn open(server: &Server) -> Result<S3Store, OpenError> {
    S3Store::open(options(&server.endpoint(), OpenMode::Existing)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_is_made_once_and_recognised_afterwards() {
    let server = Server::start();
    let outcome = open(&server).await;
    assert!(matches!(outcome, Err(OpenError::NoIdentity { .. })), "{outcome:?}");
    let store = create(&server.endpoint()).await;
    assert_eq!((store.id(), store.generation()), (ID, DiskGeneration(0)));
    assert_eq!(store.name(), format!("cold 1 (bucket footage, prefix {PREFIX}/)"));
    store.write(shard(1, 5_000)).await.expect("written");
    drop(store);

    let outcome = S3Store::open(options(&server.endpoint(), OpenMode::Create { id: ID })).await;
    assert!(matches!(outcome, Err(OpenError::Exists { found: ID, .. })), "{outcome:?}");
    let mut other = options(&server.endpoint(), OpenMode::Existing);
    other.expected_id = Some(DiskId::from_bytes([1; 16]));
    let error = S3Store::open(other).await.expect_err("refused");
    assert!(matches!(error, OpenError::WrongIdentity { found: ID, .. }), "{error}");
    assert!(error.to_string().contains("name the right one"), "{error}");

    let store = open(&server).await.expect("opened");
    assert_whole(&store, &shard(1, 5_000)).await;
    let status = store.status().await;
    assert_eq!((status.shards, status.payload_bytes), (1, 5_000), "counted at opening");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_without_an_identity_are_left_alone() {
    let server = Server::start();
    create(&server.endpoint()).await.write(shard(1, 10)).await.expect("written");
    fs::remove_file(server.file(IDENTITY)).expect("removed");
    let outcome = S3Store::open(options(&server.endpoint(), OpenMode::Create { id: ID })).await;
    assert!(matches!(outcome, Err(OpenError::Orphaned { .. })), "{outcome:?}");
    assert!(!server.file(IDENTITY).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_and_damaged_identities_are_named() {
    let server = Server::start();
    drop(create(&server.endpoint()).await);
    fs::write(server.file(IDENTITY), r#"{"format":"custos-bucket","version":9}"#).expect("written");
    let text = open(&server).await.expect_err("refused").to_string();
    assert!(text.contains("disk format 9, this version reads up to 1"), "{text}");
    for damaged in ["", "{", r#"{"format":"custos-disk","version":1}"#] {
        fs::write(server.file(IDENTITY), damaged).expect("written");
        let outcome = open(&server).await;
        assert!(matches!(outcome, Err(OpenError::BadIdentity { .. })), "{damaged}: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_stands_in_the_bucket_until_it_is_finished() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    let (first, second) = (RunId::from_bytes([1; 16]), RunId::from_bytes([2; 16]));
    let claim = store.begin_opening(first).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(1), first));
    assert_eq!(store.generation(), DiskGeneration(0));
    drop(store);

    let store = open(&server).await.expect("opened");
    let claim = store.begin_opening(second).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(1), first), "the claim that stands there already");
    assert_eq!(store.finish_opening().await.expect("finished"), DiskGeneration(1));
    assert_eq!(store.finish_opening().await.expect("nothing to finish"), DiskGeneration(1));
    assert_eq!(store.generation(), DiskGeneration(1));
    drop(store);

    let store = open(&server).await.expect("opened");
    assert_eq!(store.generation(), DiskGeneration(1));
    let claim = store.begin_opening(second).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(2), second));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_use_one_prefix_are_told_apart() {
    let server = Server::start();
    let one = create(&server.endpoint()).await;
    let other = open(&server).await.expect("opened");
    one.begin_opening(RunId::from_bytes([1; 16])).await.expect("begun");
    one.finish_opening().await.expect("finished");
    let error = other.begin_opening(RunId::from_bytes([2; 16])).await.expect_err("refused");
    assert!(matches!(error, OpenError::Taken { .. }), "{error}");
    assert!(error.to_string().contains(&format!("disk {ID} of generation 1")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_open_at_once_the_slower_is_refused_and_spoils_nothing() {
    let server = Server::start();
    let proxy = Proxy::before(&server.address).await;
    let one = create(&server.endpoint()).await;
    let other = S3Store::open(options(&proxy.endpoint, OpenMode::Existing)).await.expect("opened");
    // It has read the identity, and its claim is on its way.
    proxy.set(Mischief::HoldsUploads);
    let slower = tokio::spawn(async move { other.begin_opening(RunId::from_bytes([2; 16])).await });
    proxy.held(1).await;
    let first = RunId::from_bytes([1; 16]);
    let claim = one.begin_opening(first).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(1), first));
    proxy.set(Mischief::None);
    let error = slower.await.expect("ended").expect_err("refused");
    assert!(matches!(error, OpenError::Taken { .. }), "{error}");
    assert!(error.to_string().contains("claimed as generation 1"), "{error}");
    drop(one);

    // The claim that the ledger may have accepted meanwhile stands.
    let one = open(&server).await.expect("opened");
    let claim = one.begin_opening(RunId::from_bytes([3; 16])).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(1), first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_lost_in_the_ledger_does_not_lock_the_bucket() {
    let server = Server::start();
    let one = create(&server.endpoint()).await;
    let (first, second) = (RunId::from_bytes([1; 16]), RunId::from_bytes([2; 16]));
    one.begin_opening(first).await.expect("begun");
    // As a service leaves it that knows no conditions, when two begin at once.
    let identity = fs::read_to_string(server.file(IDENTITY)).expect("read");
    let claimed = identity.replace(&first.to_string(), &second.to_string());
    assert_ne!(claimed, identity);
    fs::write(server.file(IDENTITY), claimed).expect("written");
    // The ledger accepted the first.
    assert_eq!(one.finish_opening().await.expect("finished"), DiskGeneration(1));
    let next = open(&server).await.expect("opened");
    let claim = next.begin_opening(second).await.expect("begun");
    assert_eq!(claim, (DiskGeneration(2), second));
    let error = one.begin_opening(first).await.expect_err("refused");
    assert!(matches!(error, OpenError::Taken { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_copied_from_another_disk_are_not_taken_for_its_own() {
    let server = Server::start();
    let store = create(&server.endpoint()).await;
    store.write(shard(1, 10)).await.expect("written");
    let other = DiskId::from_bytes([2; 16]);
    let identity = fs::read_to_string(server.file(IDENTITY)).expect("read");
    let identity = identity.replace(&ID.to_string(), &other.to_string());
    fs::write(server.file(IDENTITY), identity).expect("written");
    let store = open(&server).await.expect("opened");
    let error = store.verify(&shard(1, 10).key).await.expect_err("refused");
    assert!(error.to_string().contains(&format!("it is of disk {ID}")), "{error}");
}
