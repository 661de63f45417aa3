//! What a metastore finds when it opens again: all of it, or a clear error.

mod support;

use std::{fs, path::Path};

use custos_core::{ErrorKind, MetaId};
use custos_metastore::{MetaStore, OpenError, Options};
use custos_ports::Ledger;
use support::{has_upload, log_size, open, open_begun, open_upload, options};
use tempfile::TempDir;

async fn fill(dir: &Path, uploads: u64) {
    let store = open_begun(dir).await;
    for number in 0..uploads {
        store.submit(open_upload(number)).await.expect("the upload opens");
    }
    store.shutdown().await;
}

async fn open_error(options: Options) -> OpenError {
    match MetaStore::open(options).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

/// A store with so many uploads, as a kill would leave it.
async fn filled_and_killed(dir: &Path, uploads: u64) -> TempDir {
    let store = open_begun(dir).await;
    for number in 0..uploads {
        store.submit(open_upload(number)).await.expect("the upload opens");
    }
    let image = crash_image(dir);
    store.shutdown().await;
    image
}

/// What the disk has of a store that runs, as a kill of its process would leave it: the log, and of
/// the state what was flushed.
fn crash_image(dir: &Path) -> TempDir {
    let image = tempfile::tempdir().expect("temporary directory");
    copy(dir, image.path());
    image
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir_all(&target).expect("made");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[tokio::test]
async fn i1_everything_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 20).await;
    let mut last_term = 0;
    for _ in 0..3 {
        let store = open(dir.path()).await;
        assert_eq!(log_size(&store).await, 21);
        for number in 0..20 {
            assert!(has_upload(&store, number).await, "upload {number}");
        }
        let term = store.status().expect("running").term;
        assert!(term >= last_term, "terms never go back");
        last_term = term;
        store.shutdown().await;
    }
}

#[tokio::test]
async fn i1_a_state_that_was_not_flushed_is_rebuilt_from_the_log() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let image = filled_and_killed(dir.path(), 20).await;
    let store = open(image.path()).await;
    assert_eq!(log_size(&store).await, 21);
    assert!(has_upload(&store, 0).await && has_upload(&store, 19).await);
    store.shutdown().await;
}

#[tokio::test]
async fn i1_a_purged_log_and_a_state_that_was_not_flushed_since_still_make_everything() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let options =
        |dir: &Path| Options { snapshot_entries: 20, snapshot_tail_entries: 5, ..options(dir) };
    let store = MetaStore::open(options(dir.path())).await.expect("opens");
    store.submit(support::init()).await.expect("the cluster begins");
    // Snapshots are taken beside the commands: go on until a purge has followed one.
    let mut uploads = 0;
    while store.status().expect("running").purged_index.is_none_or(|purged| purged < 40) {
        assert!(uploads < 4000, "no snapshot was followed by a purge");
        store.submit(open_upload(uploads)).await.expect("the upload opens");
        uploads += 1;
    }
    let image = crash_image(dir.path());
    store.shutdown().await;

    let store = MetaStore::open(options(image.path())).await.expect("opens again");
    assert_eq!(log_size(&store).await, uploads + 1);
    for number in 0..uploads {
        assert!(has_upload(&store, number).await, "upload {number} of {uploads}");
    }
    store.shutdown().await;
}

#[tokio::test]
async fn a_directory_is_open_once_at_a_time() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // The first one is not disturbed.
    store.submit(open_upload(1)).await.expect("the upload opens");
    store.shutdown().await;
    open(dir.path()).await.shutdown().await;
}

#[tokio::test]
async fn a_newer_format_is_named_and_left_alone() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 1).await;
    let newer = r#"{ "format_version": 2, "something": "new" }"#;
    fs::write(dir.path().join("meta.json"), newer).expect("write");
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::NewerFormat { found: 2, supported: 1, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let kept = fs::read_to_string(dir.path().join("meta.json")).expect("read");
    assert_eq!(kept, newer);
}

#[tokio::test]
async fn a_damaged_identity_is_named() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 1).await;
    fs::write(dir.path().join("meta.json"), b"{ \"format").expect("write");
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::DamagedIdentity { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_serves_its_own_node_only() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 1).await;
    let other = Options { node_id: MetaId(2), ..options(dir.path()) };
    let error = open_error(other).await;
    assert!(matches!(error, OpenError::WrongNode { found: 1, expected: 2, .. }), "{error}");
}

#[tokio::test]
async fn a_foreign_directory_is_not_taken_over() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fs::write(dir.path().join("thesis.txt"), b"years of work").expect("write");
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::NotAMetaStore { .. }), "{error}");
    assert!(error.to_string().contains("thesis.txt"), "{error}");
}

#[tokio::test]
async fn a_node_that_lost_its_log_does_not_come_back_as_itself() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 5).await;
    fs::remove_dir_all(dir.path().join("log")).expect("remove");
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::LogShort { .. }), "{error}");
    fs::remove_dir_all(dir.path().join("state")).expect("remove");
    fs::remove_dir_all(dir.path().join("log")).expect("remove");
    let error = open_error(options(dir.path())).await;
    assert!(matches!(error, OpenError::LogLost { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Integrity);
}

#[tokio::test]
async fn a_damaged_log_entry_is_named_and_no_panic() {
    let dir = tempfile::tempdir().expect("temporary directory");
    fill(dir.path(), 5).await;
    let log = rocksdb::DB::open_default(dir.path().join("log")).expect("open");
    let last = log.iterator(rocksdb::IteratorMode::End).next().expect("entries").expect("read");
    log.put(&last.0, b"\xff\xff\xff").expect("write");
    drop(log);
    let error = open_error(options(dir.path())).await;
    assert!(error.to_string().contains("damaged log entry"), "{error}");
    // The failed attempt does not keep the directory locked.
    let again = open_error(options(dir.path())).await;
    assert!(!matches!(again, OpenError::InUse { .. }), "{again}");
}

#[tokio::test]
async fn a_log_with_a_hole_is_named_and_nothing_is_applied_over_it() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let image = filled_and_killed(dir.path(), 5).await;
    let log = rocksdb::DB::open_default(image.path().join("log")).expect("open");
    let keys: Vec<_> = log
        .iterator(rocksdb::IteratorMode::Start)
        .map(|pair| pair.expect("read").0)
        .filter(|key| key[0] == 1)
        .collect();
    log.delete(&keys[keys.len() / 2]).expect("delete");
    drop(log);
    let error = open_error(options(image.path())).await;
    assert!(error.to_string().contains("is missing"), "{error}");
}

#[tokio::test]
async fn a_dropped_store_lets_its_directory_go() {
    let dir = tempfile::tempdir().expect("temporary directory");
    drop(open_begun(dir.path()).await);
    // Tasks end one after the other once nobody holds the store: each attempt lets them run.
    let mut attempts = 0;
    let store = loop {
        match MetaStore::open(options(dir.path())).await {
            Ok(store) => break store,
            Err(OpenError::InUse { .. }) if attempts < 100_000 => attempts += 1,
            Err(error) => panic!("after {attempts} attempts: {error}"),
        }
    };
    assert_eq!(log_size(&store).await, 1);
    store.shutdown().await;
}
