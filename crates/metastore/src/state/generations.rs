use std::{fs, io, path::PathBuf, sync::Arc};

use parking_lot::RwLock;

use super::{database::StateDb, manifest::Manifest};
use crate::{
    dir_lock::DirLock, durable, error::StoreError, raft_types::SnapshotMeta, rocks::RocksSetup,
};

const ACTIVE_FILE: &str = "ACTIVE";
const PREFIX: &str = "gen-";

/// The state's databases: the one in force, and for a moment the one that replaces it.
///
/// A snapshot is never installed into the state in force: it becomes a new generation beside it,
/// and the file `ACTIVE` names which one counts. Replacing that file is the whole switch, so a
/// crash leaves either the old state or the new one.
pub(super) struct Generations {
    dir: PathBuf,
    setup: Arc<RocksSetup>,
    lock: DirLock,
    current: RwLock<Arc<StateDb>>,
}

/// A snapshot that was made a database, verified, and not yet put in force. Dropped before that,
/// its directory goes.
pub(super) struct Staged {
    number: u64,
    state: StateDb,
}

impl Generations {
    /// Opens the generation in force in `dir` and removes what a crash left of others.
    pub(super) fn open(
        dir: PathBuf,
        setup: Arc<RocksSetup>,
        lock: DirLock,
    ) -> Result<Self, StoreError> {
        durable::create_dir(&dir)?;
        let active = dir.join(ACTIVE_FILE);
        let number = match fs::read_to_string(&active) {
            Ok(name) => parse_name(name.trim_end()).ok_or_else(|| {
                StoreError::damaged(
                    "state",
                    format!("ACTIVE names {name:?}, which is no generation"),
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Named before it exists: from the first moment on, ACTIVE is never missing.
                if let Some(found) =
                    durable::file_names(&dir)?.into_iter().find(|n| n != "ACTIVE.draft")
                {
                    let reason = format!("{found} is there, but ACTIVE is not");
                    return Err(StoreError::damaged("state", reason));
                }
                durable::replace_file(&active, name(1).as_bytes())?;
                1
            }
            Err(error) => return Err(StoreError::io("read", active)(error)),
        };
        for other in durable::file_names(&dir)? {
            if parse_name(&other).is_some_and(|other| other != number) {
                durable::remove_dir(&dir.join(other))?;
            }
        }
        let state = StateDb::open(dir.join(name(number)), &setup, lock.clone())?;
        Ok(Self { dir, setup, lock, current: RwLock::new(Arc::new(state)) })
    }

    pub(super) fn current(&self) -> Arc<StateDb> {
        Arc::clone(&self.current.read())
    }

    /// Makes a database of a snapshot's files and verifies that it is what `meta` says.
    pub(super) fn stage(
        &self,
        meta: &SnapshotMeta,
        manifest: &Manifest,
        files: &std::path::Path,
    ) -> Result<Staged, StoreError> {
        let number = self.current_number() + 1;
        let dir = self.dir.join(name(number));
        durable::remove_dir(&dir)?;
        durable::link_or_copy_files(files, manifest.file_names(), &dir)?;
        let state = StateDb::open(dir, &self.setup, self.lock.clone())?;
        // Until it is in force it goes when dropped.
        state.retire();
        let staged = Staged { number, state };
        staged.state.read_through()?;
        let mark = staged.state.mark()?;
        if mark.last_applied != meta.last_log_id || mark.membership != meta.last_membership {
            let reason = format!("it says that it is {meta}, but holds {mark:?}");
            return Err(StoreError::damaged("snapshot", reason));
        }
        staged.state.set_installed(meta.last_log_id)?;
        Ok(staged)
    }

    /// Puts a staged generation in force. Readers of the one before finish undisturbed.
    pub(super) fn activate(&self, staged: Staged) -> Result<(), StoreError> {
        let Staged { number, state } = staged;
        durable::replace_file(&self.dir.join(ACTIVE_FILE), name(number).as_bytes())?;
        state.keep();
        let before = std::mem::replace(&mut *self.current.write(), Arc::new(state));
        before.retire();
        Ok(())
    }

    fn current_number(&self) -> u64 {
        let current = self.current();
        let name = current.path().file_name().and_then(|name| name.to_str());
        name.and_then(parse_name).expect("generations are opened under their names")
    }
}

fn name(number: u64) -> String {
    format!("{PREFIX}{number:010}")
}

fn parse_name(text: &str) -> Option<u64> {
    let number = text.strip_prefix(PREFIX)?.parse().ok()?;
    (name(number) == text).then_some(number)
}

/// Where the first generation lies below `dir`.
pub(crate) fn first(dir: &std::path::Path) -> PathBuf {
    dir.join(name(1))
}

/// Puts the first generation below `dir` in force.
pub(super) fn name_first(dir: &std::path::Path) -> Result<(), StoreError> {
    durable::replace_file(&dir.join(ACTIVE_FILE), name(1).as_bytes())
}
