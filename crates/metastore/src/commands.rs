use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use custos_core::limits::COMMAND_BATCH_ITEMS_MAX;
use custos_ledger::{CommandBatch, Envelope, Outcome};
use custos_ports::LedgerError;
use openraft::error::{ClientWriteError, RaftError};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time,
};

use crate::{
    cluster_time::ClusterTime,
    fault::Fault,
    leadership::Leader,
    raft_types::{EncodedBatch, Raft, Replies},
    tasks,
};

/// Most encoded bytes of the commands in one Raft entry; a single command is far smaller. Keeps an
/// entry well within one message between nodes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// The way in for commands: a bounded queue in front of the leader.
///
/// One Raft entry costs one fsync on a quorum, however many commands it carries. So everything
/// that waits while an entry is in flight goes into the next one.
#[derive(Clone)]
pub(crate) struct CommandQueue {
    queue: mpsc::Sender<Waiting>,
    items_max: usize,
    timeout: Duration,
    fault: Fault,
    is_paused: Arc<AtomicBool>,
}

/// A command on its way, and who waits for it.
struct Waiting {
    envelope: Envelope,
    bytes: usize,
    ticket: Arc<Ticket>,
    reply: oneshot::Sender<Result<Outcome, LedgerError>>,
}

/// Decides between the batcher, which takes a command, and its submitter, who may give up before:
/// only a command that was never taken surely has no effect.
#[derive(Debug)]
struct Ticket(AtomicU8);

impl Ticket {
    const WAITING: u8 = 0;
    const TAKEN: u8 = 1;
    const WITHDRAWN: u8 = 2;

    fn new() -> Self {
        Self(AtomicU8::new(Self::WAITING))
    }

    /// True for the batcher when the command is to be proposed.
    fn take(&self) -> bool {
        self.leave_waiting(Self::TAKEN)
    }

    /// True for the submitter when the command will never be proposed.
    fn withdraw(&self) -> bool {
        self.leave_waiting(Self::WITHDRAWN)
    }

    fn leave_waiting(&self, to: u8) -> bool {
        self.0.compare_exchange(Self::WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl CommandQueue {
    /// Starts the batcher. It ends when the last clone of the queue is dropped.
    pub(crate) fn start(
        raft: Raft,
        time: ClusterTime,
        items_max: usize,
        timeout: Duration,
        fault: Fault,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(items_max);
        let batcher = Batcher { raft, time, waiting, carried: None, timeout };
        tasks::spawn(batcher.run());
        Self { queue, items_max, timeout, fault, is_paused: Arc::default() }
    }

    /// No command is taken until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.is_paused.store(true, Ordering::Release);
    }

    pub(crate) fn resume(&self) {
        self.is_paused.store(false, Ordering::Release);
    }

    /// Commits one command, if this member leads, and returns what it did.
    pub(crate) async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        self.fault.check()?;
        envelope.check_size()?;
        if self.is_paused.load(Ordering::Acquire) {
            let reason = "leadership is moving to another node".to_owned();
            return Err(LedgerError::Unavailable { reason });
        }
        let (reply, answer) = oneshot::channel();
        let ticket = Arc::new(Ticket::new());
        let bytes = envelope.encoded_len();
        let waiting = Waiting { envelope, bytes, ticket: Arc::clone(&ticket), reply };
        self.queue.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::QueueFull { limit: self.items_max },
            TrySendError::Closed(_) => stopping(),
        })?;
        let waited_ms = self.timeout.as_millis();
        match time::timeout(self.timeout, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) if ticket.withdraw() => Err(stopping()),
            Ok(Err(_)) => Err(LedgerError::Unknown { reason: "the ledger stopped".to_owned() }),
            Err(_) if ticket.withdraw() => Err(LedgerError::Unavailable {
                reason: format!("the command waited {waited_ms} ms for its turn"),
            }),
            Err(_) => {
                Err(LedgerError::Unknown { reason: format!("no answer within {waited_ms} ms") })
            }
        }
    }
}

fn stopping() -> LedgerError {
    LedgerError::Unavailable { reason: "the ledger is stopping".to_owned() }
}

/// Makes batches of what waits, one in flight at a time.
struct Batcher {
    raft: Raft,
    time: ClusterTime,
    waiting: mpsc::Receiver<Waiting>,
    /// Did not fit the last batch.
    carried: Option<Waiting>,
    timeout: Duration,
}

impl Batcher {
    async fn run(mut self) {
        loop {
            let first = match self.carried.take() {
                Some(first) => first,
                None => match self.waiting.recv().await {
                    Some(first) => first,
                    None => return,
                },
            };
            let batch = self.gather(first);
            if !batch.is_empty() {
                self.commit(batch).await;
            }
        }
    }

    /// `first` and what waits behind it, within the limits of a batch, without those whose
    /// submitter has gone.
    fn gather(&mut self, first: Waiting) -> Vec<Waiting> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(waiting) = next {
            if bytes + waiting.bytes > BATCH_BYTES_MAX && !batch.is_empty() {
                self.carried = Some(waiting);
                break;
            }
            if !waiting.reply.is_closed() && waiting.ticket.take() {
                bytes += waiting.bytes;
                batch.push(waiting);
            }
            if batch.len() == COMMAND_BATCH_ITEMS_MAX {
                break;
            }
            next = self.waiting.try_recv().ok();
        }
        batch
    }

    async fn commit(&self, batch: Vec<Waiting>) {
        let (envelopes, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.envelope, waiting.reply)).unzip();
        let results = match self.propose(envelopes).await {
            Ok(Replies(results)) => {
                assert_eq!(results.len(), replies.len(), "apply answers every command");
                results.into_iter().map(|result| result.map_err(LedgerError::from)).collect()
            }
            Err(error) => vec![Err(error); replies.len()],
        };
        for (reply, result) in replies.into_iter().zip(results) {
            // A submitter that has gone does not want to know.
            let _ = reply.send(result);
        }
    }

    async fn propose(&self, envelopes: Vec<Envelope>) -> Result<Replies, LedgerError> {
        // Looked at before, because afterwards "not the leader" may also mean "no longer": the
        // entry was written here and may yet be committed by another leader.
        let leader = Leader::now(&self.raft);
        if leader != Leader::Me {
            return Err(LedgerError::Unavailable { reason: leader.elsewhere() });
        }
        let batch = CommandBatch { stamped: self.time.stamp(&self.raft).await, envelopes };
        let write = self.raft.client_write(EncodedBatch(batch.encode().into()));
        match time::timeout(self.timeout, write).await {
            Ok(Ok(response)) => Ok(response.data),
            Ok(Err(error)) => Err(LedgerError::Unknown { reason: write_error(&error) }),
            Err(_) => Err(LedgerError::Unknown {
                reason: format!("not committed within {} ms", self.timeout.as_millis()),
            }),
        }
    }
}

fn write_error(error: &RaftError<u64, ClientWriteError<u64, openraft::BasicNode>>) -> String {
    match error {
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            match forward.leader_id {
                Some(leader) => format!("leadership moved to node {leader}"),
                None => "leadership was lost".to_owned(),
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_taken_or_withdrawn_and_never_both() {
        let taken = Ticket::new();
        assert!(taken.take());
        assert!(!taken.withdraw() && !taken.take());
        let withdrawn = Ticket::new();
        assert!(withdrawn.withdraw());
        assert!(!withdrawn.take() && !withdrawn.withdraw());
    }
}
