use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custos_core::{MetaId, limits::LISTING_MESSAGE_BYTES_MAX};
use custos_ledger::{Answer, DecodeError, Envelope, Outcome, Query};
use custos_ports::{Entropy, Ledger, LedgerError};
use custos_wire::internal_v1::{
    GroupMember, LeadMemberRequest, MembersRequest, QueryRequest, RemoveMemberRequest,
    SubmitRequest, meta_client::MetaClient,
};
use tokio::time::{Instant, sleep_until};
use tonic::{Request, transport::Channel};

use crate::{
    Channels, PeerError,
    channels::{Call, CallError, Peer, RpcError},
    failure::ledger_error_from_status,
    jitter,
    limits::{
        GROUP_CHANGE_ATTEMPT_DEADLINE, GROUP_CHANGE_DEADLINE, LEDGER_ATTEMPT_DEADLINE,
        LEDGER_DEADLINE, LEDGER_PAUSE_MAX, LEDGER_PAUSE_MIN,
    },
};

/// Where the ledger is and how long it is waited for.
#[derive(Debug, Clone)]
pub struct RemoteLedgerOptions {
    /// Endpoints of the meta nodes, one at least.
    pub endpoints: Vec<String>,
    /// Origin line of the cluster that this process belongs to. When it is not known yet, the first
    /// answer that tells it is believed, and no other from then on.
    pub origin: Option<String>,
    /// Longest command or read, all attempts together.
    pub deadline: Duration,
    /// Longest single attempt.
    pub attempt_deadline: Duration,
}

impl RemoteLedgerOptions {
    /// The usual deadlines.
    #[must_use]
    pub fn new(endpoints: Vec<String>, origin: Option<String>) -> Self {
        let (deadline, attempt_deadline) = (LEDGER_DEADLINE, LEDGER_ATTEMPT_DEADLINE);
        Self { endpoints, origin, deadline, attempt_deadline }
    }
}

/// How long is waited.
#[derive(Clone, Copy)]
struct Deadlines {
    /// All attempts together.
    all: Duration,
    /// One of them.
    attempt: Duration,
}

const GROUP_CHANGE: Deadlines =
    Deadlines { all: GROUP_CHANGE_DEADLINE, attempt: GROUP_CHANGE_ATTEMPT_DEADLINE };

/// The ledger in other processes.
///
/// A command whose outcome is not known is sent again, with the same request id, until the
/// deadline; then it is reported as `Unknown`. That is safe because the law finds by its content
/// what is done already (for a view, by its request id) and answers as it did the first time. The
/// law does not remember request ids otherwise: a new command must keep to this too.
pub struct RemoteLedger {
    meta: Vec<Arc<Peer>>,
    /// Which one answered last.
    preferred: AtomicUsize,
    origin: OnceLock<String>,
    deadline: Duration,
    attempt_deadline: Duration,
    entropy: Arc<dyn Entropy>,
}

impl RemoteLedger {
    /// Prepares connections; that nobody answers shows at the first call.
    ///
    /// # Errors
    /// [`PeerError::Endpoint`] when there is no endpoint, or one makes no sense.
    pub fn new(
        options: RemoteLedgerOptions,
        channels: &Channels,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, PeerError> {
        let RemoteLedgerOptions { endpoints, origin, deadline, attempt_deadline } = options;
        if endpoints.is_empty() {
            let reason = "no meta node is named".to_owned();
            return Err(PeerError::Endpoint { endpoint: String::new(), reason });
        }
        let meta = endpoints.iter().map(|one| channels.peer(one)).collect::<Result<_, _>>()?;
        let origin = origin.map_or_else(OnceLock::new, OnceLock::from);
        let preferred = AtomicUsize::new(0);
        Ok(Self { meta, preferred, origin, deadline, attempt_deadline, entropy })
    }

    /// Origin line of the cluster; empty while it is not known.
    fn origin(&self) -> String {
        self.origin.get().cloned().unwrap_or_default()
    }

    /// The members of the group that keeps the ledger, each asked how it is; also while it has no
    /// leader.
    ///
    /// # Errors
    /// When no meta node answers before the deadline.
    pub async fn members(&self) -> Result<Vec<GroupMember>, LedgerError> {
        self.ask(self.usual(), |mut meta, limit| {
            let message = MembersRequest { origin: self.origin() };
            async move { Ok(meta.members(timed(message, limit)).await?.into_inner().members) }
        })
        .await
        .map_err(of_read)
    }

    /// Takes a member out of that group; the order is an envelope of `RetireMeta`. Asked again, it
    /// finishes what was begun.
    ///
    /// # Errors
    /// A refusal of the law or of the group; `Unavailable` and `Unknown` may be tried again.
    pub async fn remove_member(&self, order: Envelope) -> Result<(), LedgerError> {
        let envelope = order.encode();
        self.ask(GROUP_CHANGE, |mut meta, limit| {
            let message = RemoveMemberRequest { envelope: envelope.clone(), origin: self.origin() };
            async move {
                meta.remove_member(timed(message, limit)).await?;
                Ok(())
            }
        })
        .await
    }

    /// Makes a member of that group its leader.
    ///
    /// # Errors
    /// As [`remove_member`](Self::remove_member).
    pub async fn lead_member(&self, id: MetaId) -> Result<(), LedgerError> {
        self.ask(GROUP_CHANGE, |mut meta, limit| {
            let message = LeadMemberRequest { id: id.0, origin: self.origin() };
            async move {
                meta.lead_member(timed(message, limit)).await?;
                Ok(())
            }
        })
        .await
    }

    fn usual(&self) -> Deadlines {
        Deadlines { all: self.deadline, attempt: self.attempt_deadline }
    }

    /// Asks one meta node after the other until one decides or the deadline comes.
    async fn ask<T, F>(
        &self,
        deadlines: Deadlines,
        rpc: impl Fn(MetaClient<Channel>, Duration) -> F + Send + Sync,
    ) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        let deadline = Instant::now() + deadlines.all;
        let mut may_be_taken = None;
        let mut pause = LEDGER_PAUSE_MIN;
        loop {
            let mut unavailable = Vec::new();
            let first = self.preferred.load(Ordering::Relaxed);
            for offset in 0..self.meta.len() {
                let number = (first + offset) % self.meta.len();
                let peer = &self.meta[number];
                let attempt = deadline.min(Instant::now() + deadlines.attempt);
                let limit = attempt.saturating_duration_since(Instant::now());
                let call = |channel| rpc(client(channel), limit);
                let error = match peer.call(Call::Control(attempt), call).await {
                    Ok(answer) => {
                        self.preferred.store(number, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Err(error) => classify(peer, error),
                };
                match error {
                    LedgerError::Unknown { reason } => may_be_taken = Some(reason),
                    LedgerError::Unavailable { reason } => unavailable.push(reason),
                    decided => return Err(decided),
                }
                if Instant::now() >= deadline {
                    break;
                }
            }
            let next = Instant::now() + jitter::spread(&*self.entropy, pause);
            if next >= deadline {
                return Err(match may_be_taken {
                    Some(reason) => LedgerError::Unknown { reason },
                    None => LedgerError::Unavailable { reason: unavailable.join("; ") },
                });
            }
            sleep_until(next).await;
            pause = (pause * 2).min(LEDGER_PAUSE_MAX);
        }
    }
}

#[async_trait]
impl Ledger for RemoteLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        let bytes = envelope.encode_checked()?;
        self.ask(self.usual(), |mut meta, limit| {
            let message = SubmitRequest { envelope: bytes.clone(), origin: self.origin() };
            async move {
                let answer = meta.submit(timed(message, limit)).await?.into_inner();
                Outcome::decode(&answer.outcome).map_err(wrong)
            }
        })
        .await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let bytes = query.encode();
        let answer = self
            .ask(self.usual(), |mut meta, limit| {
                let message = QueryRequest { query: bytes.clone(), origin: self.origin() };
                async move {
                    let answer = meta.query(timed(message, limit)).await?.into_inner();
                    Answer::decode(&answer.answer).map_err(wrong)
                }
            })
            .await
            .map_err(of_read)?;
        if let Answer::Cluster(Some(cluster)) = &answer {
            // Known already is fine: the service has compared it.
            let _known = self.origin.set(cluster.origin.clone());
        }
        Ok(answer)
    }
}

/// A read changes nothing: that it may have been taken says nothing.
fn of_read(error: LedgerError) -> LedgerError {
    match error {
        LedgerError::Unknown { reason } => LedgerError::Unavailable { reason },
        error => error,
    }
}

fn classify(peer: &Peer, error: CallError) -> LedgerError {
    match error {
        CallError::Failed(status) => ledger_error_from_status(&status),
        CallError::Unreachable(_) | CallError::Busy => {
            LedgerError::Unavailable { reason: peer.error(error).to_string() }
        }
        CallError::Late(_) | CallError::Broken(_) | CallError::WrongAnswer(_) => {
            LedgerError::Unknown { reason: peer.error(error).to_string() }
        }
    }
}

fn client(channel: Channel) -> MetaClient<Channel> {
    MetaClient::new(channel).max_decoding_message_size(LISTING_MESSAGE_BYTES_MAX)
}

fn timed<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

fn wrong(error: DecodeError) -> RpcError {
    RpcError::WrongAnswer(error.to_string())
}
