use std::{io, sync::Arc, thread};

use openraft::storage::LogFlushed;
use parking_lot::Mutex;
use rocksdb::{DB, WriteBatch, WriteOptions};
use tokio::sync::{mpsc, oneshot};

use super::{keys, tail::Tail};
use crate::{
    dir_lock::DirLock,
    error::StoreError,
    fault::Fault,
    raft_types::{Entry, LogId, TypeConfig},
    records,
};

/// Writes that may wait for the worker. Raft itself has only a few under way at any time.
const QUEUE_ITEMS_MAX: usize = 64;
/// Most bytes that go into one write batch; one write larger than that goes alone.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// The log's database, and the lock of the directory it lies in, which ends after it.
pub(super) struct LogDb {
    pub(super) db: DB,
    pub(super) tail: Mutex<Tail>,
    /// A commit mark that is still to be written.
    committed: Mutex<Option<Option<LogId>>>,
    _lock: DirLock,
}

impl LogDb {
    pub(super) fn new(db: DB, lock: DirLock) -> Self {
        Self { db, tail: Mutex::default(), committed: Mutex::default(), _lock: lock }
    }

    /// Has the mark written together with what is written next. A crash may lose it: Raft commits
    /// the entries again.
    pub(super) fn mark_committed(&self, committed: Option<LogId>) {
        *self.committed.lock() = Some(committed);
    }

    /// The mark that is still to be written.
    pub(super) fn unwritten_mark(&self) -> Option<Option<LogId>> {
        *self.committed.lock()
    }

    /// Hands the entries to whoever reads, and says how they are written.
    pub(super) fn take(&self, entries: impl IntoIterator<Item = Entry>) -> Vec<WriteOp> {
        let mut tail = self.tail.lock();
        let put = |entry: Entry| {
            let key = keys::entry(entry.log_id.index).to_vec();
            let put = WriteOp::Put(key, records::encode_entry(&entry));
            tail.push(entry);
            put
        };
        entries.into_iter().map(put).collect()
    }
}

/// One change of the log database.
pub(super) enum WriteOp {
    Put(Vec<u8>, Vec<u8>),
    /// From the first key up to, not including, the second.
    DeleteRange(Vec<u8>, Vec<u8>),
}

impl WriteOp {
    fn bytes(&self) -> usize {
        match self {
            Self::Put(key, value) => key.len() + value.len(),
            Self::DeleteRange(start, end) => start.len() + end.len(),
        }
    }
}

/// Changes that are made together or not at all.
struct Write {
    ops: Vec<WriteOp>,
    done: Done,
}

/// Who is told that a write is on disk: fsynced, and with it everything written before.
enum Done {
    /// Raft, of entries, and the tail, that those before this index are written.
    Entries(u64, LogFlushed<TypeConfig>),
    Other(oneshot::Sender<Result<(), StoreError>>),
}

/// The way to the worker. The worker has ended, and its database with it, when the last clone is
/// dropped: a process that ends while a thread still closes RocksDB is aborted.
#[derive(Clone)]
pub(super) struct LogWriter {
    running: Arc<Running>,
    fault: Fault,
}

struct Running {
    queue: Option<mpsc::Sender<Write>>,
    worker: Option<thread::JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(worker) = self.worker.take()
            && worker.thread().id() != thread::current().id()
        {
            // A worker that panicked has raised the fault for whoever waited on it.
            let _ended = worker.join();
        }
    }
}

impl LogWriter {
    /// Starts the worker thread.
    pub(super) fn start(log: Arc<LogDb>, fault: Fault) -> Result<Self, StoreError> {
        let (queue, writes) = mpsc::channel(QUEUE_ITEMS_MAX);
        let worker = Worker { log, writes, fault: fault.clone() };
        let thread = thread::Builder::new()
            .name("raft-log".to_owned())
            .spawn(move || worker.run())
            .map_err(StoreError::io("start thread", "raft-log"))?;
        let running = Running { queue: Some(queue), worker: Some(thread) };
        Ok(Self { running: Arc::new(running), fault })
    }

    /// Writes `ops` after everything asked for before; returns when they are on disk.
    pub(super) async fn write(&self, ops: Vec<WriteOp>) -> Result<(), StoreError> {
        let (done, result) = oneshot::channel();
        self.send(Write { ops, done: Done::Other(done) }).await?;
        result.await.map_err(|_| self.stopped())?
    }

    /// Writes the entries before `end`, which are in the tail already, and reports to `flushed` when
    /// they are on disk.
    pub(super) async fn append(
        &self,
        ops: Vec<WriteOp>,
        end: u64,
        flushed: LogFlushed<TypeConfig>,
    ) -> Result<(), StoreError> {
        self.send(Write { ops, done: Done::Entries(end, flushed) }).await
    }

    async fn send(&self, write: Write) -> Result<(), StoreError> {
        let queue = self.running.queue.as_ref().expect("taken only when dropped");
        queue.send(write).await.map_err(|_| self.stopped())
    }

    fn stopped(&self) -> StoreError {
        // The worker only ends before its writers by a panic.
        self.fault.raise("the log worker has ended");
        StoreError::Stopped { reason: "the log worker has ended".to_owned() }
    }
}

struct Worker {
    log: Arc<LogDb>,
    writes: mpsc::Receiver<Write>,
    fault: Fault,
}

impl Worker {
    fn run(mut self) {
        while let Some(first) = self.writes.blocking_recv() {
            let group = self.gather(first);
            let written = self.write(&group).and_then(|()| self.sync());
            let result = written.map_err(|error| self.fault.raised_by(error));
            self.answer(group, result.as_ref().err());
        }
        if let Err(error) = self.write(&[]) {
            tracing::warn!(%error, "the last commit mark is not written; it is found anew");
        }
    }

    /// Takes along what waits already: all of it shares one write batch and one fsync.
    fn gather(&mut self, first: Write) -> Vec<Write> {
        let weight = |write: &Write| write.ops.iter().map(WriteOp::bytes).sum::<usize>();
        let mut bytes = weight(&first);
        let mut group = vec![first];
        while bytes < GROUP_BYTES_MAX {
            let Ok(next) = self.writes.try_recv() else { break };
            bytes += weight(&next);
            group.push(next);
        }
        group
    }

    fn write(&self, group: &[Write]) -> Result<(), StoreError> {
        self.fault.check_store()?;
        let mut batch = WriteBatch::default();
        match self.log.committed.lock().take() {
            Some(Some(id)) => batch.put(keys::COMMITTED, records::encode_log_id(&id)),
            Some(None) => batch.delete(keys::COMMITTED),
            None => {}
        }
        for op in group.iter().flat_map(|write| &write.ops) {
            match op {
                WriteOp::Put(key, value) => batch.put(key, value),
                WriteOp::DeleteRange(start, end) => batch.delete_range(start, end),
            }
        }
        self.log
            .db
            .write_opt(batch, &WriteOptions::default())
            .map_err(StoreError::rocks("write the raft log"))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.log.db.flush_wal(true).map_err(StoreError::rocks("sync the raft log"))
    }

    fn answer(&self, group: Vec<Write>, error: Option<&StoreError>) {
        for write in group {
            let reason = error.map(ToString::to_string);
            match write.done {
                Done::Entries(end, flushed) => {
                    if reason.is_none() {
                        self.log.tail.lock().written(end);
                    }
                    flushed.log_io_completed(reason.map_or(Ok(()), |it| Err(io::Error::other(it))));
                }
                // Nobody waits any more when Raft is being stopped: the write stands all the same.
                Done::Other(done) => {
                    let result = reason.map(|reason| StoreError::Stopped { reason });
                    let _ = done.send(result.map_or(Ok(()), Err));
                }
            }
        }
    }
}
