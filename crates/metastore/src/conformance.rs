//! The stores as openraft sees them, on real RocksDB in temporary directories: its own conformance
//! suite, snapshots from one node to another, faults.

use std::sync::Arc;

use custos_core::{Actor, MetaId, Timestamp};
use custos_ledger::{
    Answer, Command, CommandBatch, Envelope, IncompleteDescriptor, Outcome, Policy, Query,
};
use futures::FutureExt;
use openraft::{
    EntryPayload, RaftSnapshotBuilder,
    storage::{RaftLogStorage, RaftStateMachine},
    testing::{StoreBuilder, Suite, log_id},
};
use tempfile::TempDir;

use crate::{
    dir_lock::{DirLock, LockEnd},
    fault::Fault,
    log::LogStore,
    raft_types::{EncodedBatch, Entry, Snapshot, StorageError, TypeConfig, Vote},
    rocks::RocksSetup,
    state::StateMachine,
    state_floor::StateFloor,
};

struct OnRocksDb;

fn open(dir: &TempDir) -> (LogStore, StateMachine) {
    let (log, machine, _floor, _end) = open_to_reopen(dir);
    (log, machine)
}

/// What is dropped is closed when the `LockEnd` says so: a worker may hold the directory a little
/// longer.
fn open_to_reopen(dir: &TempDir) -> (LogStore, StateMachine, StateFloor, LockEnd) {
    let (lock, end) = DirLock::acquire(dir.path()).expect("lock");
    let setup = Arc::new(RocksSetup::new());
    let fault = Fault::new();
    let floor = StateFloor::new();
    let log = open_log(dir, &setup, lock.clone(), floor.clone(), fault.clone());
    let log_state = log.state().expect("read log");
    let machine = StateMachine::open(dir.path(), &setup, &lock, floor.clone(), fault, &log_state);
    (log, machine.expect("open state"), floor, end)
}

fn open_log(
    dir: &TempDir,
    setup: &RocksSetup,
    lock: DirLock,
    floor: StateFloor,
    fault: Fault,
) -> LogStore {
    LogStore::open(&dir.path().join("log"), MetaId(1), setup, lock, floor, fault).expect("open log")
}

impl StoreBuilder<TypeConfig, LogStore, StateMachine, TempDir> for OnRocksDb {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError> {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (log, machine, floor, _end) = open_to_reopen(&dir);
        // The suite purges what it never applied.
        floor.raise(Some(log_id(1, 1, u64::MAX)));
        Ok((dir, log, machine))
    }
}

#[test]
fn log_and_state_pass_openrafts_conformance_suite() {
    Suite::test_all(OnRocksDb).expect("conforms");
}

fn commands(index: u64, envelopes: Vec<Envelope>) -> Entry {
    let stamped = Timestamp::from_millis(1_700_000_000_000);
    let batch = CommandBatch { stamped, envelopes };
    Entry {
        log_id: log_id(1, 1, index),
        payload: EntryPayload::Normal(EncodedBatch(batch.encode().into())),
    }
}

fn init() -> Envelope {
    let policy = Policy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        retention_days_av: 365,
        retention_days_other: 365,
    };
    let command = Command::InitCluster { origin: "custos.test/0123abcd".to_owned(), policy };
    Envelope { request_id: [1; 16], actor: Actor::system(), entry_salt: [2; 16], command }
}

async fn has_begun(machine: &StateMachine) -> bool {
    match machine.reader().query(Query::Cluster).await.expect("answered") {
        Answer::Cluster(info) => info.is_some(),
        other => panic!("an answer to another query: {other:?}"),
    }
}

/// A node with one command applied, and the snapshot of it.
async fn with_snapshot() -> (TempDir, LogStore, StateMachine, Snapshot) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (log, mut machine) = open(&dir);
    let replies = machine.apply([commands(1, vec![init()])]).await.expect("applied");
    assert!(matches!(replies[0].0[..], [Ok(Outcome::Initialised)]));
    let snapshot = machine.get_snapshot_builder().await.build_snapshot().await.expect("built");
    (dir, log, machine, snapshot)
}

#[tokio::test]
async fn an_installed_snapshot_replaces_the_state_and_is_there_after_reopening() {
    let (_leader_dir, _leader_log, _leader, snapshot) = with_snapshot().await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let (log, mut machine, _floor, mut end) = open_to_reopen(&dir);
    assert!(!has_begun(&machine).await);
    machine.install_snapshot(&snapshot.meta, snapshot.snapshot).await.expect("installed");
    assert!(has_begun(&machine).await);
    drop((log, machine));
    end.wait().await;

    // As after a crash between the install and the purge of the log.
    let (_log, mut machine) = open(&dir);
    assert!(has_begun(&machine).await);
    assert_eq!(machine.applied_state().await.expect("read").0, snapshot.meta.last_log_id);
    let current = machine.get_current_snapshot().await.expect("read").expect("kept");
    assert_eq!(current.meta, snapshot.meta);
    let generations: Vec<_> = std::fs::read_dir(dir.path().join("state")).expect("list").collect();
    assert_eq!(generations.len(), 2, "ACTIVE and one generation: {generations:?}");
}

#[tokio::test]
async fn a_damaged_or_cut_snapshot_is_refused_and_changes_nothing() {
    for damage in ["flip", "cut", "remove"] {
        let (leader_dir, _log, _leader, snapshot) = with_snapshot().await;
        let files = leader_dir.path().join("snapshots").join(&snapshot.meta.snapshot_id);
        let table = std::fs::read_dir(files)
            .expect("list")
            .map(|entry| entry.expect("entry").path())
            .find(|path| path.extension().is_some_and(|extension| extension == "sst"))
            .expect("a table file");
        let mut bytes = std::fs::read(&table).expect("read");
        match damage {
            "flip" => bytes[10] ^= 1,
            "cut" => bytes.truncate(bytes.len() - 1),
            _ => {}
        }
        std::fs::remove_file(&table).expect("remove");
        if damage != "remove" {
            std::fs::write(&table, bytes).expect("write");
        }

        let dir = tempfile::tempdir().expect("temporary directory");
        let (_log, mut machine) = open(&dir);
        let refused = machine.install_snapshot(&snapshot.meta, snapshot.snapshot).await;
        refused.expect_err(damage);
        assert!(!has_begun(&machine).await, "{damage}");
    }
}

#[tokio::test]
async fn the_same_entries_make_the_same_state_whether_applied_or_installed() {
    let (_dir, _log, mut leader, snapshot) = with_snapshot().await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let (_follower_log, mut follower) = open(&dir);
    follower.install_snapshot(&snapshot.meta, snapshot.snapshot).await.expect("installed");
    for machine in [&mut leader, &mut follower] {
        machine.apply([commands(2, vec![init()])]).await.expect("applied");
    }
    let leader = leader.reader().query(Query::Checkpoint).await.expect("answered");
    assert_eq!(leader, follower.reader().query(Query::Checkpoint).await.expect("answered"));
}

#[tokio::test]
async fn the_log_is_not_purged_before_the_snapshot_is_installed_that_holds_what_goes() {
    let (_leader_dir, _leader_log, _leader, snapshot) = with_snapshot().await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let (mut log, mut machine) = open(&dir);
    let last = snapshot.meta.last_log_id.expect("it holds something");
    // As openraft does, which does not wait for one before it asks for the other.
    let mut purging = std::pin::pin!(log.purge(last));
    assert!(purging.as_mut().now_or_never().is_none(), "purged too early");
    machine.install_snapshot(&snapshot.meta, snapshot.snapshot).await.expect("installed");
    purging.await.expect("purged");
}

#[tokio::test]
async fn a_fault_ends_the_wait_of_a_purge() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (lock, _end) = DirLock::acquire(dir.path()).expect("lock");
    let fault = Fault::new();
    let mut log = open_log(&dir, &RocksSetup::new(), lock, StateFloor::new(), fault.clone());
    fault.raise("the disk is on fire");
    log.purge(log_id(1, 1, 7)).await.expect_err("refused");
}

#[tokio::test]
async fn a_leader_does_not_come_back_as_one() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (mut log, machine, _floor, mut end) = open_to_reopen(&dir);
    log.save_vote(&Vote::new_committed(4, 1)).await.expect("saved");
    drop((log, machine));
    end.wait().await;
    let (mut log, _machine) = open(&dir);
    assert_eq!(log.read_vote().await.expect("read"), Some(Vote::new(4, 1)));
}

#[tokio::test]
async fn after_a_fault_nothing_is_written_any_more() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (lock, _end) = DirLock::acquire(dir.path()).expect("lock");
    let fault = Fault::new();
    let setup = RocksSetup::new();
    let mut log = open_log(&dir, &setup, lock, StateFloor::new(), fault.clone());
    log.save_vote(&Vote::new(1, 1)).await.expect("saved");
    fault.raise("the disk is on fire");
    log.save_vote(&Vote::new(2, 1)).await.expect_err("refused");
    assert_eq!(log.read_vote().await.expect("read"), Some(Vote::new(1, 1)));
    assert_eq!(&*fault.wait().await, "the disk is on fire");
    let error = fault.check().expect_err("raised");
    assert_eq!(error.kind(), custos_core::ErrorKind::Internal);
}

#[tokio::test]
async fn a_committed_entry_that_is_no_batch_raises_the_fault() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let (_log, mut machine) = open(&dir);
    let mut entry = commands(1, vec![init()]);
    entry.payload = EntryPayload::Normal(EncodedBatch(vec![0xff; 9].into()));
    machine.apply([entry]).await.expect_err("no batch");
    machine.apply([commands(1, vec![init()])]).await.expect_err("stopped for good");
}
