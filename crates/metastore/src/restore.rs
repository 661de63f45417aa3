use std::path::{Path, PathBuf};

use custos_core::{Checkpoint, MetaId};
use custos_ledger::{Answer, Query};

use crate::{
    dir_lock::DirLock, durable, error::OpenError, export::LogPosition, identity::Identity,
    log::write_first_vote, raft_types::Vote, rocks::RocksSetup, state::RestoredDb,
};

const STATE_DIR: &str = "state";

/// A node's directory that is being made from a backup: first its files, then their proof, then
/// the node. All calls block.
pub struct RestoreDraft {
    dir: PathBuf,
    lock: DirLock,
}

/// The same with the files there, readable, and not yet a node's.
pub struct RestoredState {
    dir: PathBuf,
    lock: DirLock,
    setup: RocksSetup,
    db: RestoredDb,
}

impl RestoreDraft {
    /// Begins in `dir`, which must be missing or empty.
    ///
    /// # Errors
    /// When it is not, or the file system fails.
    pub fn begin(dir: &Path) -> Result<Self, OpenError> {
        durable::create_dir(dir)?;
        if let Some(found) = durable::file_names(dir)?.into_iter().next() {
            return Err(OpenError::NotAMetaStore { dir: dir.to_owned(), found });
        }
        let (lock, _end) = DirLock::acquire(dir)?;
        durable::create_dir(&dir.join(STATE_DIR))?;
        let draft = Self { dir: dir.to_owned(), lock };
        durable::create_dir(&draft.files_dir())?;
        Ok(draft)
    }

    /// Where the files of the backup must lie under their names, synced, and nothing else.
    #[must_use]
    pub fn files_dir(&self) -> PathBuf {
        crate::state::first_generation(&self.dir.join(STATE_DIR))
    }

    /// Opens the files and reads all of them once, which compares every checksum in them.
    ///
    /// # Errors
    /// When they are damaged or no ledger.
    pub fn open(self) -> Result<RestoredState, OpenError> {
        let Self { dir, lock } = self;
        let setup = RocksSetup::new();
        let db = RestoredDb::open(&dir.join(STATE_DIR), &setup, lock.clone())?;
        Ok(RestoredState { dir, lock, setup, db })
    }
}

impl RestoredState {
    /// The last entry in it.
    #[must_use]
    pub fn position(&self) -> LogPosition {
        LogPosition::of(self.db.last_applied)
    }

    /// The custody log in it, as it says itself.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.db.checkpoint
    }

    /// Reads from it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn query(&self, query: &Query) -> Result<Answer, OpenError> {
        Ok(self.db.query(query)?)
    }

    /// Makes it the directory of `node`, which has all votes of its group, being alone. Its log is
    /// empty and goes on behind what is in the state, in a later term.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn give_to(self, node: MetaId) -> Result<(), OpenError> {
        let Self { dir, lock, setup, db } = self;
        let vote = Vote::new(db.last_applied.leader_id.term, node.0);
        db.give_to(node, &dir.join(STATE_DIR))?;
        write_first_vote(&dir.join("log"), &setup, &vote)?;
        Identity::of_member(node).write(&dir)?;
        for folder in ["log", STATE_DIR] {
            durable::sync_dir(&dir.join(folder))?;
        }
        durable::sync_dir(&dir)?;
        drop(lock);
        Ok(())
    }
}
