use std::{path::Path, sync::Arc};

use custos_ledger::{Answer, Query};
use custos_ports::LedgerError;
use openraft::{LogState, OptionalSend, RaftSnapshotBuilder, storage::RaftStateMachine};
use tokio::task;

use super::{
    database::StateDb,
    generations::Generations,
    snapshots::{SnapshotDir, Snapshots},
};
use crate::{
    dir_lock::DirLock,
    error::{OpenError, StoreError, storage_error},
    fault::Fault,
    raft_types::{
        Entry, LogId, Replies, Snapshot, SnapshotMeta, StorageError, StorageIoError,
        StoredMembership, TypeConfig,
    },
    recovery::{self, Marks, SnapshotFate},
    rocks::RocksSetup,
    state_floor::StateFloor,
};

/// Applies committed entries and keeps snapshots, for openraft.
pub(crate) struct StateMachine {
    stores: Arc<Stores>,
    floor: StateFloor,
    fault: Fault,
}

/// Reads the state beside the machine.
#[derive(Clone)]
pub(crate) struct StateReader {
    pub(super) stores: Arc<Stores>,
    pub(super) fault: Fault,
}

/// Takes one snapshot of the generation that was in force when it was made.
pub(crate) struct SnapshotBuilder {
    state: Arc<StateDb>,
    stores: Arc<Stores>,
    floor: StateFloor,
    fault: Fault,
}

pub(super) struct Stores {
    pub(super) generations: Generations,
    pub(super) snapshots: Snapshots,
}

impl StateMachine {
    /// Opens state and snapshots below `dir` and checks them against the log's `log_state`.
    pub(crate) fn open(
        dir: &Path,
        setup: &Arc<RocksSetup>,
        lock: &DirLock,
        floor: StateFloor,
        fault: Fault,
        log_state: &LogState<TypeConfig>,
    ) -> Result<Self, OpenError> {
        let generations = Generations::open(dir.join("state"), Arc::clone(setup), lock.clone())?;
        let snapshots = Snapshots::open(dir.join("snapshots"), Arc::clone(setup), lock.clone())?;
        let state = generations.current();
        let marks = Marks {
            log_end: log_state.last_log_id,
            purged: log_state.last_purged_log_id,
            applied: state.mark()?.last_applied,
            installed: state.installed()?,
            snapshot: snapshots.last_log_id(),
        };
        match recovery::judge(dir, &marks)? {
            SnapshotFate::Keep => floor.raise(marks.snapshot),
            SnapshotFate::Discard => snapshots.discard(),
        }
        floor.raise(marks.installed);
        Ok(Self { stores: Arc::new(Stores { generations, snapshots }), floor, fault })
    }

    pub(crate) fn reader(&self) -> StateReader {
        StateReader { stores: Arc::clone(&self.stores), fault: self.fault.clone() }
    }

    /// Runs blocking `work` on the stores away from the runtime's threads.
    async fn run<T: Send + 'static>(
        &self,
        build: fn(openraft::AnyError) -> StorageIoError,
        work: impl FnOnce(&Stores) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let stores = Arc::clone(&self.stores);
        run(&self.fault, build, move || work(&stores)).await
    }
}

/// Runs blocking `work`; any failure, a panic of the law included, raises the fault.
async fn run<T: Send + 'static>(
    fault: &Fault,
    build: fn(openraft::AnyError) -> StorageIoError,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StorageError> {
    let before = fault.check_store();
    let result = match before {
        Ok(()) => task::spawn_blocking(work).await.unwrap_or_else(|error| Err(unfinished(&error))),
        Err(error) => Err(error),
    };
    result.map_err(|error| storage_error(build, &fault.raised_by(error)))
}

/// Work that panicked is the law saying that the state is not the one it wrote; work that was
/// cancelled means that the runtime shuts down.
fn unfinished(error: &task::JoinError) -> StoreError {
    if error.is_panic() {
        StoreError::damaged("state", error.to_string())
    } else {
        StoreError::Stopped { reason: error.to_string() }
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let read = self
            .run(StorageIoError::read_state_machine, |stores| stores.generations.current().mark());
        let mark = read.await?;
        Ok((mark.last_applied, mark.membership))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Replies>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let applied = self.run(StorageIoError::write_state_machine, move |stores| {
            let state = stores.generations.current();
            entries.into_iter().map(|entry| state.apply(entry)).collect()
        });
        applied.await
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            state: self.stores.generations.current(),
            stores: Arc::clone(&self.stores),
            floor: self.floor.clone(),
            fault: self.fault.clone(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotDir>, StorageError> {
        let begun = self.run(
            |source| StorageIoError::write_snapshot(None, source),
            |stores| stores.snapshots.begin_receiving(),
        );
        begun.await.map(Box::new)
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<SnapshotDir>,
    ) -> Result<(), StorageError> {
        let (meta, last) = (meta.clone(), meta.last_log_id);
        let installed = self.run(
            |source| StorageIoError::write_snapshot(None, source),
            move |stores| {
                let manifest = stores.snapshots.verify(&meta, &snapshot)?;
                let staged = stores.generations.stage(&meta, &manifest, snapshot.path())?;
                // The state first: a crash in between leaves a state without its snapshot, which is
                // taken anew, and never a snapshot that is ahead of the state.
                stores.generations.activate(staged)?;
                stores.snapshots.adopt(&meta, &manifest, &snapshot)
            },
        );
        installed.await?;
        self.floor.raise(last);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        Ok(self.stores.snapshots.current())
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let (stores, state) = (Arc::clone(&self.stores), Arc::clone(&self.state));
        let build = move || stores.snapshots.build(&state);
        let built = run(&self.fault, |source| StorageIoError::write_snapshot(None, source), build);
        let snapshot = built.await?;
        self.floor.raise(snapshot.meta.last_log_id);
        Ok(snapshot)
    }
}

impl StateReader {
    /// Answers from the state as it is now; whether that is new enough is the caller's business.
    pub(crate) async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let state = self.stores.generations.current();
        let answer = task::spawn_blocking(move || state.query(&query)).await;
        match answer {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(error)) => {
                let reason = self.fault.raised_by(error).to_string();
                Err(LedgerError::Fault { reason })
            }
            Err(error) => Err(LedgerError::Fault { reason: format!("query did not end: {error}") }),
        }
    }
}
