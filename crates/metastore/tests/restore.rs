//! A ledger is copied while it serves, and a copy becomes a node again.

mod support;

use std::{fs, path::Path};

use custos_core::MetaId;
use custos_ledger::{Answer, Query};
use custos_metastore::{
    ExportedFile, LedgerExport, MetaStore, MetaStoreHandle, OpenError, Options, RestoreDraft,
};
use custos_ports::Ledger;
use support::{has_upload, log_size, open_begun, open_upload, options};

fn copy_to(export: &LedgerExport, draft: &RestoreDraft) {
    for ExportedFile { name, bytes, path } in export.files() {
        let copied = fs::copy(path, draft.files_dir().join(name)).expect("copied");
        assert_eq!(copied, bytes);
    }
}

async fn restored(export: &LedgerExport, dir: &Path, node: MetaId) -> MetaStoreHandle {
    let draft = RestoreDraft::begin(dir).expect("an empty folder");
    copy_to(export, &draft);
    let state = draft.open().expect("it opens");
    assert_eq!(state.position(), export.position());
    assert_eq!(state.checkpoint(), export.checkpoint());
    state.give_to(node).expect("it is given");
    MetaStore::open(Options { node_id: node, ..options(dir) }).await.expect("it goes on")
}

async fn checkpoint(store: &MetaStoreHandle) -> custos_core::Checkpoint {
    match store.query(Query::Checkpoint).await {
        Ok(Answer::Checkpoint(checkpoint)) => checkpoint,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_copy_holds_what_was_acknowledged_before_it_and_nothing_later() {
    let home = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(&home.path().join("old")).await;
    for number in 0..30 {
        store.submit(open_upload(number)).await.expect("it opens");
    }
    let export = store.export().await.expect("a copy");
    assert_eq!(export.by(), MetaId(1));
    assert_eq!(*export.checkpoint(), checkpoint(&store).await);
    store.submit(open_upload(99)).await.expect("it goes on meanwhile");
    let term = store.status().expect("running").term;

    let dir = home.path().join("new");
    let node = MetaId(7);
    let copy = restored(&export, &dir, node).await;
    assert_eq!(checkpoint(&copy).await, *export.checkpoint());
    assert!(has_upload(&copy, 29).await && !has_upload(&copy, 99).await);
    let status = copy.status().expect("running");
    assert!(status.term > term, "{status:?}");
    assert!(status.last_log_index > Some(export.position().index), "{status:?}");
    let members = copy.members().await.expect("itself");
    assert_eq!(members.iter().map(|it| (it.id, it.is_voter)).collect::<Vec<_>>(), [(node, true)]);
    copy.submit(open_upload(50)).await.expect("it takes commands");
    copy.shutdown().await;

    // As any other directory from now on.
    let again = MetaStore::open(Options { node_id: node, ..options(&dir) }).await.expect("again");
    assert!(has_upload(&again, 50).await && has_upload(&again, 0).await);
    assert_eq!(log_size(&again).await, 32);
    let second = again.export().await.expect("a copy of the copy");
    let third = restored(&second, &home.path().join("third"), MetaId(8)).await;
    assert!(has_upload(&third, 50).await);
    drop(second);
    third.shutdown().await;
    again.shutdown().await;
    let other = MetaStore::open(options(&dir)).await;
    assert!(matches!(other, Err(OpenError::WrongNode { .. })), "its old self is not believed");
    drop(export);
    store.shutdown().await;
}

#[tokio::test]
async fn table_files_of_a_copy_are_those_of_the_next_one_and_go_when_nobody_holds_them() {
    let home = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(home.path()).await;
    let tables = |export: &LedgerExport| {
        let files = export.files().into_iter().filter(|file| file.name.ends_with(".sst"));
        files.map(|file| (file.name, file.bytes)).collect::<Vec<_>>()
    };
    store.submit(open_upload(1)).await.expect("it opens");
    let first = store.export().await.expect("a copy");
    store.submit(open_upload(2)).await.expect("it opens");
    let second = store.export().await.expect("a copy");
    let (before, after) = (tables(&first), tables(&second));
    assert!(!before.is_empty());
    assert!(before.iter().all(|file| after.contains(file)), "{before:?} {after:?}");
    assert!(after.len() > before.len());
    let place = first.files()[0].path.parent().expect("a folder").to_owned();
    assert!(place.exists());
    drop(first);
    assert!(!place.exists(), "a copy takes no space once it was given");
    drop(second);
    store.shutdown().await;
}

#[tokio::test]
async fn a_copy_that_lacks_a_file_or_has_a_damaged_one_becomes_no_node() {
    let home = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(&home.path().join("old")).await;
    store.submit(open_upload(1)).await.expect("it opens");
    let export = store.export().await.expect("a copy");
    let is_table = |file: &ExportedFile| file.name.ends_with(".sst");
    let table = export.files().into_iter().find(is_table).expect("it has tables").name;
    for (number, damage) in [0, 1].into_iter().enumerate() {
        let dir = home.path().join(format!("new-{number}"));
        let draft = RestoreDraft::begin(&dir).expect("an empty folder");
        copy_to(&export, &draft);
        let path = draft.files_dir().join(&table);
        if damage == 0 {
            fs::remove_file(&path).expect("removed");
        } else {
            let mut bytes = fs::read(&path).expect("read");
            bytes[10] ^= 1;
            fs::write(&path, bytes).expect("written");
        }
        assert!(draft.open().is_err(), "damage {damage}");
        assert!(RestoreDraft::begin(&dir).is_err(), "a folder with something in it");
    }
    drop(export);
    store.shutdown().await;
}
