use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use custos_core::{Checkpoint, MetaId};
use custos_ledger::{Answer, Query};
use openraft::BasicNode;
use rocksdb::WriteOptions;

use super::{database::StateDb, export::describe, generations, keys};
use crate::{
    dir_lock::DirLock,
    error::StoreError,
    raft_types::{LogId, Membership, StoredMembership},
    records,
    rocks::RocksSetup,
};

/// A state that was put together from a backup's files, before it belongs to a node.
pub(crate) struct RestoredDb {
    state: StateDb,
    /// The last entry in it.
    pub(crate) last_applied: LogId,
    /// The custody log in it.
    pub(crate) checkpoint: Checkpoint,
}

impl RestoredDb {
    /// Opens the files that lie at [`generations::first`] below the folder `dir` of all generations,
    /// and reads all of them once.
    pub(crate) fn open(dir: &Path, setup: &RocksSetup, lock: DirLock) -> Result<Self, StoreError> {
        let state = StateDb::open(generations::first(dir), setup, lock)?;
        state.read_through()?;
        let (last_applied, checkpoint) = describe(state.db())?;
        Ok(Self { state, last_applied, checkpoint })
    }

    pub(crate) fn query(&self, query: &Query) -> Result<Answer, StoreError> {
        let answer = self.state.query(query)?;
        answer.map_err(|refusal| StoreError::damaged("restored state", refusal.to_string()))
    }

    /// Gives the state to `node`, which is alone from now on, and puts it in force below `dir`.
    ///
    /// It counts as installed from a snapshot: no log reaches back to it, and none has to.
    pub(crate) fn give_to(self, node: MetaId, dir: &Path) -> Result<(), StoreError> {
        let before = self.state.mark()?.membership;
        let alone = Membership::new(
            vec![BTreeSet::from([node.0])],
            BTreeMap::from([(node.0, BasicNode::default())]),
        );
        let membership = StoredMembership::new(*before.log_id(), alone);
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.state
            .db()
            .put_opt(keys::MEMBERSHIP, records::encode_membership(&membership), &options)
            .map_err(StoreError::rocks("write the state"))?;
        self.state.set_installed(Some(self.last_applied))?;
        self.state.db().flush().map_err(StoreError::rocks("flush the state"))?;
        drop(self);
        generations::name_first(dir)
    }
}
