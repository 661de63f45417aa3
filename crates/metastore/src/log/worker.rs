use std::{io, sync::Arc, thread};

use openraft::storage::LogFlushed;
use rocksdb::{DB, WriteBatch, WriteOptions};
use tokio::sync::{mpsc, oneshot};

use crate::{dir_lock::DirLock, error::StoreError, fault::Fault, raft_types::TypeConfig};

/// Writes that may wait for the worker. Raft itself has only a few under way at any time.
const QUEUE_ITEMS_MAX: usize = 64;
/// Most bytes that go into one write batch; one write larger than that goes alone.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// The log's database, and the lock of the directory it lies in, which ends after it.
pub(super) struct LogDb {
    pub(super) db: DB,
    pub(super) _lock: DirLock,
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

/// When a write is good enough to be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// On disk: fsynced, and with it everything written before.
    Synced,
    /// Handed to the operating system; the next synced write carries it along. A crash may lose
    /// it, so only marks that are rebuilt by themselves are written like this.
    Lazy,
}

/// Changes that are made together or not at all.
struct Write {
    ops: Vec<WriteOp>,
    durability: Durability,
    flushed: Option<LogFlushed<TypeConfig>>,
    done: Option<oneshot::Sender<Result<(), StoreError>>>,
}

impl Write {
    /// Entries are reported twice: when they can be read, and when they are durable.
    fn say_readable(&mut self) {
        if self.flushed.is_some()
            && let Some(done) = self.done.take()
        {
            let _ = done.send(Ok(()));
        }
    }
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

    /// Writes `ops` after everything asked for before; returns when they are as durable as asked.
    pub(super) async fn write(
        &self,
        ops: Vec<WriteOp>,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.submit(ops, durability, None).await
    }

    /// Writes entries and reports to `flushed` when they are synced. Returns when they can be read,
    /// which is before: so they are on their way to the other members while they are synced here.
    pub(super) async fn append(
        &self,
        ops: Vec<WriteOp>,
        flushed: LogFlushed<TypeConfig>,
    ) -> Result<(), StoreError> {
        self.submit(ops, Durability::Synced, Some(flushed)).await
    }

    async fn submit(
        &self,
        ops: Vec<WriteOp>,
        durability: Durability,
        flushed: Option<LogFlushed<TypeConfig>>,
    ) -> Result<(), StoreError> {
        let (done, result) = oneshot::channel();
        let stopped = || self.stopped();
        let write = Write { ops, durability, flushed, done: Some(done) };
        let queue = self.running.queue.as_ref().expect("taken only when dropped");
        queue.send(write).await.map_err(|_| stopped())?;
        result.await.map_err(|_| stopped())?
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
            let mut group = self.gather(first);
            let written = self.write(&group);
            if written.is_ok() {
                group.iter_mut().for_each(Write::say_readable);
            }
            let synced = written.and_then(|()| self.sync(&group));
            let result = synced.map_err(|error| self.fault.raised_by(error));
            answer(group, result.as_ref().err());
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

    fn sync(&self, group: &[Write]) -> Result<(), StoreError> {
        if group.iter().all(|write| write.durability == Durability::Lazy) {
            return Ok(());
        }
        self.log.db.flush_wal(true).map_err(StoreError::rocks("sync the raft log"))
    }
}

fn answer(group: Vec<Write>, error: Option<&StoreError>) {
    for write in group {
        let result = match error {
            None => Ok(()),
            Some(error) => Err(StoreError::Stopped { reason: error.to_string() }),
        };
        if let Some(flushed) = write.flushed {
            let result =
                result.as_ref().copied().map_err(|error| io::Error::other(error.to_string()));
            flushed.log_io_completed(result);
        }
        // Nobody waits any more when Raft is being stopped: the write stands all the same.
        if let Some(done) = write.done {
            let _ = done.send(result);
        }
    }
}
