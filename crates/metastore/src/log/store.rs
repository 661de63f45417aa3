use std::{
    fmt::Debug,
    ops::{Bound, RangeBounds},
    path::Path,
    sync::Arc,
};

use custos_core::MetaId;
use openraft::{
    LogState, OptionalSend, RaftLogReader,
    storage::{LogFlushed, RaftLogStorage},
};
use rocksdb::{Direction, IteratorMode, ReadOptions};
use tokio::task;

use super::{
    keys,
    tail::Found,
    worker::{LogDb, LogWriter, WriteOp},
};
use crate::{
    dir_lock::DirLock,
    error::{StoreError, storage_error},
    fault::Fault,
    raft_types::{Entry, LogId, StorageError, StorageIoError, TypeConfig, Vote},
    records, recovery,
    rocks::RocksSetup,
    state_floor::StateFloor,
};

/// Entries of one limited read stop after this many bytes, so that a follower far behind is fed in
/// bounded portions.
const READ_BYTES_MAX: usize = 2 << 20;

/// The Raft log, the vote, and the marks that go with them.
pub(crate) struct LogStore {
    node: u64,
    log: Arc<LogDb>,
    floor: StateFloor,
    writer: LogWriter,
    fault: Fault,
}

/// Reads entries beside the store; many may exist.
pub(crate) struct LogReader {
    log: Arc<LogDb>,
    fault: Fault,
}

impl LogStore {
    /// Opens the log database of `node` in `dir`. Its worker ends when the store is dropped.
    pub(crate) fn open(
        dir: &Path,
        node: MetaId,
        setup: &RocksSetup,
        lock: DirLock,
        floor: StateFloor,
        fault: Fault,
    ) -> Result<Self, StoreError> {
        let log = Arc::new(LogDb::new(setup.open_log(dir)?, lock));
        let writer = LogWriter::start(Arc::clone(&log), fault.clone())?;
        Ok(Self { node: node.0, log, floor, writer, fault })
    }

    /// First and last of what is in the log.
    pub(crate) fn state(&self) -> Result<LogState<TypeConfig>, StoreError> {
        let last_purged_log_id = self
            .read_mark(keys::PURGED)?
            .map(|bytes| records::decode_log_id("purge mark", &bytes))
            .transpose()?;
        let from = IteratorMode::From(&keys::entry(u64::MAX), Direction::Reverse);
        let last = self.log.db.iterator(from).next().transpose();
        let last_entry = match last.map_err(StoreError::rocks("read the raft log"))? {
            Some((key, value)) => match keys::entry_index(&key) {
                Some(index) => Some(records::decode_entry(index, &value)?.log_id),
                None => None,
            },
            None => None,
        };
        // The tail has it while it is being written.
        let last_entry = self.log.tail.lock().last().or(last_entry);
        Ok(LogState { last_purged_log_id, last_log_id: last_entry.or(last_purged_log_id) })
    }

    fn read_mark(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.log.db.get(key).map_err(StoreError::rocks("read the raft log"))
    }

    fn reader(&self) -> LogReader {
        LogReader { log: Arc::clone(&self.log), fault: self.fault.clone() }
    }

    fn fail(
        &self,
        build: fn(openraft::AnyError) -> StorageIoError,
    ) -> impl Fn(StoreError) -> StorageError {
        move |error| storage_error(build, &self.fault.raised_by(error))
    }
}

impl LogReader {
    /// Entries of `start..end`, and no further than `bytes_max` once there is one.
    async fn read(
        &self,
        start: u64,
        end: Option<u64>,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let Found { stored_end, entries: newest } =
            self.log.tail.lock().read(start, end, bytes_max);
        if stored_end.is_some_and(|end| end <= start) {
            return Ok(newest);
        }
        let log = Arc::clone(&self.log);
        let read = move || read_entries(&log, start, stored_end, bytes_max);
        let entries = task::spawn_blocking(read).await.unwrap_or_else(|_| {
            Err(StoreError::Stopped { reason: "the runtime is shutting down".to_owned() })
        });
        let mut entries = entries.map_err(|error| {
            storage_error(StorageIoError::read_logs, &self.fault.raised_by(error))
        })?;
        // A limited read that found something has enough: the two together may be too much.
        if entries.is_empty() || bytes_max == usize::MAX {
            entries.extend(newest);
        }
        Ok(entries)
    }
}

fn read_entries(
    log: &LogDb,
    start: u64,
    end: Option<u64>,
    bytes_max: usize,
) -> Result<Vec<Entry>, StoreError> {
    if end.is_some_and(|end| end <= start) {
        return Ok(Vec::new());
    }
    let mut options = ReadOptions::default();
    let upper = end.map_or_else(|| keys::ENTRIES_END.to_vec(), |end| keys::entry(end).to_vec());
    options.set_iterate_upper_bound(upper);
    let first = keys::entry(start);
    let from = IteratorMode::From(&first, Direction::Forward);
    let mut entries: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    for pair in log.db.iterator_opt(from, options) {
        let (key, value) = pair.map_err(StoreError::rocks("read the raft log"))?;
        let index = keys::entry_index(&key)
            .ok_or_else(|| StoreError::damaged("log entry", "its key is of an unknown kind"))?;
        let due = entries.last().map_or(start, |last| last.log_id.index + 1);
        // Only a purge takes entries away, and only from the beginning.
        if index != due && (!entries.is_empty() || purged_end(log)? < index) {
            return Err(StoreError::damaged("raft log", format!("entry {due} is missing")));
        }
        entries.push(records::decode_entry(index, &value)?);
        bytes += value.len();
        if bytes >= bytes_max {
            break;
        }
    }
    Ok(entries)
}

/// One past the last entry that was purged.
fn purged_end(log: &LogDb) -> Result<u64, StoreError> {
    let mark = log.db.get(keys::PURGED).map_err(StoreError::rocks("read the raft log"))?;
    let purged = mark.map(|bytes| records::decode_log_id("purge mark", &bytes)).transpose()?;
    Ok(purged.map_or(0, |id| id.index + 1))
}

fn half_open<RB: RangeBounds<u64>>(range: &RB) -> (u64, Option<u64>) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end.checked_add(1),
        Bound::Excluded(end) => Some(*end),
        Bound::Unbounded => None,
    };
    (start, end)
}

impl RaftLogReader<TypeConfig> for LogReader {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let (start, end) = half_open(&range);
        self.read(start, end, usize::MAX).await
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        self.read(start, Some(end), READ_BYTES_MAX).await
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        self.reader().try_get_log_entries(range).await
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        self.reader().limited_get_log_entries(start, end).await
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = LogReader;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        self.state().map_err(self.fail(StorageIoError::read_logs))
    }

    async fn get_log_reader(&mut self) -> LogReader {
        self.reader()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let put = WriteOp::Put(keys::VOTE.to_vec(), records::encode_vote(vote));
        let written = self.writer.write(vec![put]).await;
        written.map_err(self.fail(StorageIoError::write_vote))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self
            .read_mark(keys::VOTE)
            .and_then(|bytes| bytes.map(|bytes| records::decode_vote(&bytes)).transpose())
            .map_err(self.fail(StorageIoError::read_vote))?;
        // openraft reads it once, when it starts.
        Ok(vote.map(|vote| recovery::vote_after_restart(vote, self.node)))
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.log.mark_committed(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        if let Some(committed) = self.log.unwritten_mark() {
            return Ok(committed);
        }
        let committed = self.read_mark(keys::COMMITTED).and_then(|bytes| {
            bytes.map(|bytes| records::decode_log_id("commit mark", &bytes)).transpose()
        });
        committed.map_err(self.fail(StorageIoError::read_logs))
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let puts = self.log.take(entries);
        let end = self.log.tail.lock().last().map_or(0, |last| last.index + 1);
        let written = self.writer.append(puts, end, callback).await;
        written.map_err(self.fail(StorageIoError::write_logs))
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.log.tail.lock().truncate(log_id.index);
        let from = keys::entry(log_id.index).to_vec();
        let delete = WriteOp::DeleteRange(from, keys::ENTRIES_END.to_vec());
        let written = self.writer.write(vec![delete]).await;
        written.map_err(self.fail(StorageIoError::write_logs))
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        // Raft only purges what a snapshot holds, and taking or installing a snapshot makes the
        // state durable up to it: what goes here is never needed to rebuild the state.
        tokio::select! {
            () = self.floor.reaches(log_id) => {}
            reason = self.fault.wait() => {
                let stopped = StoreError::Stopped { reason: reason.to_string() };
                return Err(self.fail(StorageIoError::write_logs)(stopped));
            }
        }
        self.log.tail.lock().purge(log_id.index);
        let ops = vec![
            WriteOp::Put(keys::PURGED.to_vec(), records::encode_log_id(&log_id)),
            WriteOp::DeleteRange(keys::entry(0).to_vec(), after(&keys::entry(log_id.index))),
        ];
        let written = self.writer.write(ops).await;
        written.map_err(self.fail(StorageIoError::write_logs))
    }
}

/// The least key greater than `key`.
fn after(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}
