use custos_ports::ShardError;
use tokio::sync::{mpsc, oneshot};

use crate::compaction::CompactionStep;
use crate::engine::Engine;
use crate::limits::{COMMIT_BYTES_MAX, COMMIT_JOBS_MAX};
use crate::operation::Operation;

/// Something for the one thread that writes to a disk, and where its outcome goes. Nobody may be
/// waiting any more; it is done all the same.
pub(crate) enum WriteJob {
    Commit {
        operation: Operation,
        reply: oneshot::Sender<Result<(), ShardError>>,
    },
    /// One step of giving space back.
    Compact {
        reply: oneshot::Sender<Result<CompactionStep, ShardError>>,
    },
}

type Commit = (Operation, oneshot::Sender<Result<(), ShardError>>);

/// Feeds an engine, on a thread of its own: takes all jobs that wait as one group commit.
pub(crate) struct Writer {
    engine: Engine,
}

impl Writer {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Serves until every sender is gone and the queue is empty.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<WriteJob>) {
        while let Some(job) = queue.blocking_recv() {
            match job {
                WriteJob::Commit { operation, reply } => {
                    let not_taken = self.commit_with((operation, reply), &mut queue);
                    not_taken.into_iter().for_each(|reply| self.compact(reply));
                }
                WriteJob::Compact { reply } => self.compact(reply),
            }
        }
        self.engine.close();
    }

    /// Commits `first` and what else waits; returns who waits for a step of compaction.
    fn commit_with(
        &mut self,
        first: Commit,
        queue: &mut mpsc::Receiver<WriteJob>,
    ) -> Option<oneshot::Sender<Result<CompactionStep, ShardError>>> {
        let mut bytes = first.0.payload_bytes();
        let mut commits = vec![first];
        let mut compaction = None;
        while commits.len() < COMMIT_JOBS_MAX && bytes < COMMIT_BYTES_MAX {
            match queue.try_recv() {
                Ok(WriteJob::Commit { operation, reply }) => {
                    bytes += operation.payload_bytes();
                    commits.push((operation, reply));
                }
                Ok(WriteJob::Compact { reply }) => {
                    compaction = Some(reply);
                    break;
                }
                Err(_) => break,
            }
        }
        let (operations, replies): (Vec<_>, Vec<_>) = commits.into_iter().unzip();
        for (reply, outcome) in replies.into_iter().zip(self.engine.commit(operations)) {
            let _ = reply.send(outcome);
        }
        compaction
    }

    fn compact(&mut self, reply: oneshot::Sender<Result<CompactionStep, ShardError>>) {
        let _ = reply.send(self.engine.compact_step());
    }
}
