use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use custos_core::limits::COMMAND_BATCH_ITEMS_MAX;
use custos_ledger::{CommandBatch, Outcome};
use custos_ports::LedgerError;
use futures::{StreamExt, stream::FuturesUnordered};
use openraft::{
    error::{ClientWriteError, Fatal},
    raft::ClientWriteResponse,
};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    time,
};

use crate::{
    cluster_time::ClusterTime,
    fault::Fault,
    leadership::Leader,
    raft_types::{EncodedBatch, Raft, Replies, TypeConfig},
    tasks,
};

/// Most encoded bytes of the commands in one Raft entry; a single command is far smaller. Keeps an
/// entry well within one message between nodes.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Most entries that are in flight at once: while one is with the followers or applied, the next
/// is on its way to the disk.
const ENTRIES_IN_FLIGHT_MAX: usize = 2;

/// The way in for commands: a bounded queue in front of the leader.
///
/// One Raft entry costs one fsync on a quorum, however many commands it carries. So everything
/// that waits goes into one entry: at once when none is in flight, and beside another when there is
/// as much to do as is under way. Smaller entries would cost more than waiting for them does.
#[derive(Clone)]
pub(crate) struct CommandQueue {
    queue: mpsc::Sender<Waiting>,
    arrived: Arc<Notify>,
    items_max: usize,
    timeout: Duration,
    fault: Fault,
    is_paused: Arc<AtomicBool>,
}

/// A command on its way, and who waits for it.
struct Waiting {
    /// Encoded once, by whoever took it from its sender.
    envelope: Bytes,
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
        let arrived = Arc::new(Notify::new());
        let told = Arc::clone(&arrived);
        let batcher = Batcher { raft, time, waiting, arrived: told, first: None, timeout };
        tasks::spawn(batcher.run());
        Self { queue, arrived, items_max, timeout, fault, is_paused: Arc::default() }
    }

    /// No command is taken until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.is_paused.store(true, Ordering::Release);
    }

    pub(crate) fn resume(&self) {
        self.is_paused.store(false, Ordering::Release);
    }

    /// Commits one encoded command, if this member leads, and returns what it did.
    pub(crate) async fn submit(&self, envelope: Bytes) -> Result<Outcome, LedgerError> {
        self.fault.check()?;
        if self.is_paused.load(Ordering::Acquire) {
            let reason = "leadership is moving to another node".to_owned();
            return Err(LedgerError::Unavailable { reason });
        }
        let (reply, answer) = oneshot::channel();
        let ticket = Arc::new(Ticket::new());
        let waiting = Waiting { envelope, ticket: Arc::clone(&ticket), reply };
        self.queue.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(_) => LedgerError::QueueFull { limit: self.items_max },
            TrySendError::Closed(_) => stopping(),
        })?;
        self.arrived.notify_one();
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

/// Makes batches of what waits.
struct Batcher {
    raft: Raft,
    time: ClusterTime,
    waiting: mpsc::Receiver<Waiting>,
    /// Something has come to `waiting`.
    arrived: Arc<Notify>,
    /// The next of what waits.
    first: Option<Waiting>,
    timeout: Duration,
}

type Reply = oneshot::Sender<Result<Outcome, LedgerError>>;

impl Batcher {
    async fn run(mut self) {
        let arrived = Arc::clone(&self.arrived);
        let mut in_flight = FuturesUnordered::new();
        let mut commands_in_flight = 0;
        loop {
            tokio::select! {
                // In the same order whenever it is simulated.
                biased;
                Some(commands) = in_flight.next() => commands_in_flight -= commands,
                first = self.next(), if in_flight.is_empty() => match first {
                    Some(first) => self.first = Some(first),
                    None => return,
                },
                () = arrived.notified(), if in_flight.len() < ENTRIES_IN_FLIGHT_MAX => {}
            }
            let is_due = in_flight.is_empty()
                || (in_flight.len() < ENTRIES_IN_FLIGHT_MAX
                    && self.waiting.len() >= commands_in_flight);
            if is_due && let Some(first) = self.take_first() {
                let batch = self.gather(first);
                if !batch.is_empty() {
                    commands_in_flight += batch.len();
                    in_flight.push(self.propose(batch).await);
                }
            }
        }
    }

    fn take_first(&mut self) -> Option<Waiting> {
        self.first.take().or_else(|| self.waiting.try_recv().ok())
    }

    async fn next(&mut self) -> Option<Waiting> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.waiting.recv().await,
        }
    }

    /// `first` and what waits behind it, within the limits of a batch, without those whose
    /// submitter has gone.
    fn gather(&mut self, first: Waiting) -> Vec<Waiting> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(waiting) = next {
            if bytes + waiting.envelope.len() > BATCH_BYTES_MAX && !batch.is_empty() {
                self.first = Some(waiting);
                break;
            }
            if !waiting.reply.is_closed() && waiting.ticket.take() {
                bytes += waiting.envelope.len();
                batch.push(waiting);
            }
            if batch.len() == COMMAND_BATCH_ITEMS_MAX {
                break;
            }
            next = self.waiting.try_recv().ok();
        }
        batch
    }

    /// Hands the batch to Raft, behind those before it, and returns what waits until it is decided,
    /// answers, and says how many commands it had.
    async fn propose(&self, batch: Vec<Waiting>) -> impl Future<Output = usize> + use<> {
        let (envelopes, replies): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.envelope, waiting.reply)).unzip();
        let proposed = self.begin(&envelopes).await;
        let timeout = self.timeout;
        async move {
            let decided = match proposed {
                Ok(response) => decided(response, timeout).await,
                Err(error) => Err(error),
            };
            let commands = replies.len();
            answer(decided, replies);
            commands
        }
    }

    async fn begin(&self, envelopes: &[Bytes]) -> Result<Response, LedgerError> {
        // Looked at before, because afterwards "not the leader" may also mean "no longer": the
        // entry was written here and may yet be committed by another leader.
        let leader = Leader::now(&self.raft);
        if leader != Leader::Me {
            return Err(LedgerError::Unavailable { reason: leader.elsewhere() });
        }
        let stamped = self.time.stamp(&self.raft).await;
        let batch = EncodedBatch(CommandBatch::encode_of(stamped, envelopes).into());
        let begun = self.raft.client_write_ff(batch).await;
        begun.map_err(|stopped: Fatal<u64>| LedgerError::Unknown { reason: stopped.to_string() })
    }
}

/// What Raft will say of an entry.
type Response = oneshot::Receiver<
    Result<ClientWriteResponse<TypeConfig>, ClientWriteError<u64, openraft::BasicNode>>,
>;

async fn decided(response: Response, timeout: Duration) -> Result<Replies, LedgerError> {
    match time::timeout(timeout, response).await {
        Ok(Ok(Ok(response))) => Ok(response.data),
        Ok(Ok(Err(error))) => Err(LedgerError::Unknown { reason: write_error(&error) }),
        Ok(Err(_)) => Err(LedgerError::Unknown { reason: "raft stopped".to_owned() }),
        Err(_) => Err(LedgerError::Unknown {
            reason: format!("not committed within {} ms", timeout.as_millis()),
        }),
    }
}

fn answer(decided: Result<Replies, LedgerError>, replies: Vec<Reply>) {
    let results = match decided {
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

fn write_error(error: &ClientWriteError<u64, openraft::BasicNode>) -> String {
    match error {
        ClientWriteError::ForwardToLeader(forward) => match forward.leader_id {
            Some(leader) => format!("leadership moved to node {leader}"),
            None => "leadership was lost".to_owned(),
        },
        ClientWriteError::ChangeMembershipError(error) => error.to_string(),
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
