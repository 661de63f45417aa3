use std::path::{Path, PathBuf};

use custos_core::Refusal;
use custos_ledger::{Answer, CommandBatch, Query};
use openraft::EntryPayload;
use rocksdb::{DB, IteratorMode, ReadOptions, WriteBatch, WriteOptions};

use super::{keys, overlay::Overlay, read_cache::ReadCache, view::StateView};
use crate::{
    dir_lock::DirLock,
    durable::RetirableDir,
    error::StoreError,
    raft_types::{Entry, LogId, Replies, StoredMembership},
    records,
    rocks::RocksSetup,
};

/// How far a state has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) last_applied: Option<LogId>,
    pub(super) membership: StoredMembership,
}

/// One generation of the state. Its directory goes when it is retired and no reader is left.
pub(super) struct StateDb {
    // In this order: the database closes, then its directory may go, then the lock may end.
    db: DB,
    /// For `apply` alone.
    cache: ReadCache,
    dir: RetirableDir,
    _lock: DirLock,
}

impl StateDb {
    pub(super) fn open(
        path: PathBuf,
        setup: &RocksSetup,
        lock: DirLock,
    ) -> Result<Self, StoreError> {
        let db = setup.open_state(&path)?;
        Ok(Self { db, cache: ReadCache::default(), dir: RetirableDir::new(path), _lock: lock })
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn retire(&self) {
        self.dir.retire();
    }

    /// Takes a retirement back.
    pub(super) fn keep(&self) {
        self.dir.keep();
    }

    pub(super) fn mark(&self) -> Result<Mark, StoreError> {
        read_mark(&self.db)
    }

    /// The last entry of the snapshot that this state was installed from.
    pub(super) fn installed(&self) -> Result<Option<LogId>, StoreError> {
        let bytes = self.db.get(keys::INSTALLED).map_err(StoreError::rocks("read the state"))?;
        bytes.map(|bytes| records::decode_log_id("install mark", &bytes)).transpose()
    }

    /// Writes durably from which snapshot this state comes.
    pub(super) fn set_installed(&self, last_applied: Option<LogId>) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        let written = match last_applied {
            Some(id) => self.db.put_opt(keys::INSTALLED, records::encode_log_id(&id), &options),
            None => self.db.delete_opt(keys::INSTALLED, &options),
        };
        written.map_err(StoreError::rocks("write the state"))
    }

    /// Applies one committed entry: its effects and the mark that it is applied are one write.
    ///
    /// The write goes into memory alone. The log is on disk, and is kept until a snapshot has flushed
    /// the state: what a crash takes from the state is applied again from the log, exactly as before,
    /// because the mark goes with the data.
    pub(super) fn apply(&self, entry: Entry) -> Result<Replies, StoreError> {
        let mut batch = WriteBatch::default();
        batch.put(keys::LAST_APPLIED, records::encode_log_id(&entry.log_id));
        let replies = match entry.payload {
            EntryPayload::Blank => Vec::new(),
            EntryPayload::Membership(membership) => {
                let stored = StoredMembership::new(Some(entry.log_id), membership);
                batch.put(keys::MEMBERSHIP, records::encode_membership(&stored));
                Vec::new()
            }
            EntryPayload::Normal(encoded) => {
                let commands = CommandBatch::decode(&encoded.0)
                    .map_err(|error| StoreError::damaged("command batch", error.to_string()))?;
                let mut overlay = Overlay::new(&self.db, &self.cache);
                let replies = commands
                    .envelopes
                    .iter()
                    .map(|envelope| custos_ledger::apply(&mut overlay, envelope, commands.stamped))
                    .collect();
                overlay.finish(&mut batch)?;
                replies
            }
        };
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        self.db.write_opt(batch, &options).map_err(StoreError::rocks("write the state"))?;
        Ok(Replies(replies))
    }

    /// Answers `query` from the state at this moment.
    pub(super) fn query(&self, query: &Query) -> Result<Result<Answer, Refusal>, StoreError> {
        let view = StateView::new(&self.db);
        let answer = custos_ledger::query(&view, query);
        view.finish()?;
        Ok(answer)
    }

    /// Reads every pair once: RocksDB compares the checksum of each block that it touches.
    pub(super) fn read_through(&self) -> Result<(), StoreError> {
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        for pair in self.db.iterator_opt(IteratorMode::Start, options) {
            pair.map_err(StoreError::rocks("verify a snapshot"))?;
        }
        Ok(())
    }
}

/// The mark in any state database, a snapshot included.
pub(super) fn read_mark(db: &DB) -> Result<Mark, StoreError> {
    // Both under one snapshot: membership and position are of the same moment.
    let snapshot = db.snapshot();
    let get = |key: &[u8]| snapshot.get(key).map_err(StoreError::rocks("read the state"));
    let last_applied = get(keys::LAST_APPLIED)?
        .map(|bytes| records::decode_log_id("apply mark", &bytes))
        .transpose()?;
    let membership = get(keys::MEMBERSHIP)?
        .map(|bytes| records::decode_membership(&bytes))
        .transpose()?
        .unwrap_or_default();
    Ok(Mark { last_applied, membership })
}
