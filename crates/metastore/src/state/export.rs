use std::fs;

use custos_core::Checkpoint;
use custos_ledger::{Answer, Query};
use rocksdb::DB;

use super::{
    database::read_mark,
    machine::{StateReader, Stores},
    manifest::is_data,
    snapshots::SnapshotDir,
    view::StateView,
};
use crate::{durable, error::StoreError, raft_types::LogId, tasks};

/// A copy of the state at one moment, for a backup: goes when it is dropped.
pub(crate) struct Exported {
    pub(crate) dir: SnapshotDir,
    /// The last entry in it.
    pub(crate) last_applied: LogId,
    /// The custody log in it, with its origin line.
    pub(crate) checkpoint: Checkpoint,
    /// Names and lengths.
    pub(crate) files: Vec<(String, u64)>,
}

impl StateReader {
    /// Takes a copy of the state as it is now. Table files are hard links, so it costs a flush and a
    /// few names. A copy that cannot be taken says nothing against the state itself.
    pub(crate) async fn export(&self) -> Result<Exported, StoreError> {
        self.fault.check_store()?;
        let stores = self.stores.clone();
        let exported = tasks::spawn_blocking(move || export(&stores)).await;
        exported.unwrap_or_else(|error| {
            Err(StoreError::Stopped { reason: format!("the copy did not end: {error}") })
        })
    }
}

fn export(stores: &Stores) -> Result<Exported, StoreError> {
    let state = stores.generations.current();
    let dir = stores.snapshots.checkpoint(&state)?;
    let (last_applied, checkpoint) = describe(&stores.snapshots.look_into(&dir)?)?;
    let mut files = Vec::new();
    for name in durable::file_names(dir.path())?.into_iter().filter(|name| is_data(name)) {
        let path = dir.path().join(&name);
        let bytes = fs::metadata(&path).map_err(StoreError::io("stat", &path))?.len();
        files.push((name, bytes));
    }
    Ok(Exported { dir, last_applied, checkpoint, files })
}

/// What a state holds, as it says itself.
pub(super) fn describe(db: &DB) -> Result<(LogId, Checkpoint), StoreError> {
    let last_applied = read_mark(db)?
        .last_applied
        .ok_or_else(|| StoreError::damaged("state", "nothing was ever applied to it"))?;
    let view = StateView::new(db);
    let answer = custos_ledger::query(&view, &Query::Checkpoint);
    view.finish()?;
    match answer {
        Ok(Answer::Checkpoint(checkpoint)) => Ok((last_applied, checkpoint)),
        _ => Err(StoreError::damaged("state", "it has no custody log")),
    }
}
