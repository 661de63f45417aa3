//! The ledger in other processes: which of its groups keeps what (`routes`), and how one is asked.

mod pages;
mod routes;

use std::{
    pin::Pin,
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use custos_core::{MetaId, limits::LISTING_MESSAGE_BYTES_MAX};
use custos_ledger::{Answer, DecodeError, Envelope, MISROUTED_FIELD, Outcome, Query, Scope};
use custos_ports::{Entropy, Ledger, LedgerError};
use custos_wire::internal_v1::{
    BackupRequest, BackupResponse, GroupMember, LeadMemberRequest, MembersRequest, QueryRequest,
    RemoveMemberRequest, SubmitRequest, meta_client::MetaClient,
};
use futures::future::try_join_all;
use tokio::time::{Instant, sleep_until};
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Status, transport::Channel};

use self::routes::{GroupPeers, Routes};
use crate::{
    Channels, PeerError,
    causes::with_causes,
    channels::{Call, CallError, Peer, RpcError},
    failure::ledger_error_from_status,
    jitter,
    limits::{
        BACKUP_ATTEMPT_DEADLINE, BACKUP_DEADLINE, GROUP_CHANGE_ATTEMPT_DEADLINE,
        GROUP_CHANGE_DEADLINE, LEDGER_ATTEMPT_DEADLINE, LEDGER_DEADLINE, LEDGER_PAUSE_MAX,
        LEDGER_PAUSE_MIN,
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
    /// Which connection it takes.
    call: fn(Instant) -> Call,
    /// Who is asked first.
    first: First,
}

/// Who is asked first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// Whoever answered last.
    Preferred,
    /// The first one that is named: files of its state are those of the last backup.
    Named,
}

const GROUP_CHANGE: Deadlines = Deadlines {
    all: GROUP_CHANGE_DEADLINE,
    attempt: GROUP_CHANGE_ATTEMPT_DEADLINE,
    call: Call::Control,
    first: First::Preferred,
};
/// For a backup to begin; it then lasts as long as it takes.
const BACKUP: Deadlines = Deadlines {
    all: BACKUP_DEADLINE,
    attempt: BACKUP_ATTEMPT_DEADLINE,
    call: Call::Bulk,
    first: First::Named,
};

/// A backup from a meta node: its head, and then file after file.
pub type BackupParts = Pin<Box<dyn Stream<Item = Result<BackupResponse, LedgerError>> + Send>>;

/// The ledger in other processes.
///
/// A command whose outcome is not known is sent again, with the same request id, until the
/// deadline; then it is reported as `Unknown`. That is safe because the law finds by its content or
/// by its request id what is done already, and answers as it did the first time.
pub struct RemoteLedger {
    routes: Routes,
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
        let routes = Routes::new(&endpoints, channels)?;
        let origin = origin.map_or_else(OnceLock::new, OnceLock::from);
        Ok(Self { routes, origin, deadline, attempt_deadline, entropy })
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
        self.ask(&self.routes.system(), self.usual(), |mut meta, limit| {
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
        self.ask(&self.routes.system(), GROUP_CHANGE, |mut meta, limit| {
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
        self.ask(&self.routes.system(), GROUP_CHANGE, |mut meta, limit| {
            let message = LeadMemberRequest { id: id.0, origin: self.origin() };
            async move {
                meta.lead_member(timed(message, limit)).await?;
                Ok(())
            }
        })
        .await
    }

    /// A copy of the ledger from the first meta node that can give one; what is named in `have`, 32
    /// bytes of BLAKE3 each, is not sent.
    ///
    /// # Errors
    /// When none can before the deadline. The parts end with an error when the meta node or the way
    /// to it fails: begin again then.
    pub async fn backup(&self, have: Vec<u8>) -> Result<BackupParts, LedgerError> {
        let parts = self
            .ask(&self.routes.system(), BACKUP, |mut meta, _limit| {
                let message = BackupRequest { have: have.clone(), origin: self.origin() };
                // A limit would be one for the whole stream.
                async move { Ok(meta.backup(message).await?.into_inner()) }
            })
            .await
            .map_err(of_read)?;
        Ok(Box::pin(parts.map(|part| part.map_err(|status| broken_off(&status)))))
    }

    fn usual(&self) -> Deadlines {
        Deadlines {
            all: self.deadline,
            attempt: self.attempt_deadline,
            call: Call::Control,
            first: First::Preferred,
        }
    }

    /// Asks one member of a group after the other until one decides or the deadline comes.
    async fn ask<T, F>(
        &self,
        group: &GroupPeers,
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
            let first = match deadlines.first {
                First::Preferred => group.preferred.load(Ordering::Relaxed),
                First::Named => 0,
            };
            for offset in 0..group.members.len() {
                let number = (first + offset) % group.members.len();
                let peer = &group.members[number];
                let attempt = deadline.min(Instant::now() + deadlines.attempt);
                let limit = attempt.saturating_duration_since(Instant::now());
                let call = |channel| rpc(client(channel), limit);
                let error = match peer.call((deadlines.call)(attempt), call).await {
                    Ok(answer) => {
                        if deadlines.first == First::Preferred {
                            group.preferred.store(number, Ordering::Relaxed);
                        }
                        return Ok(answer);
                    }
                    Err(error) => classify(peer, error),
                };
                match error {
                    LedgerError::Unknown { reason } => may_be_taken = Some(reason),
                    LedgerError::Unavailable { reason } => unavailable.push(reason),
                    // This attempt was shed; an earlier one may not have been.
                    full @ LedgerError::QueueFull { .. } if may_be_taken.is_some() => {
                        unavailable.push(full.to_string());
                    }
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

impl RemoteLedger {
    async fn submit_to(&self, group: &GroupPeers, bytes: &[u8]) -> Result<Outcome, LedgerError> {
        self.ask(group, self.usual(), |mut meta, limit| {
            let message = SubmitRequest { envelope: bytes.to_vec(), origin: self.origin() };
            async move {
                let answer = meta.submit(timed(message, limit)).await?.into_inner();
                Outcome::decode(&answer.outcome).map_err(wrong)
            }
        })
        .await
    }

    /// By the group that keeps `scope`, as the table said last.
    async fn submit_routed(&self, scope: Scope, bytes: &[u8]) -> Result<Outcome, LedgerError> {
        match self.routes.of(scope).first() {
            Some(group) => self.submit_to(group, bytes).await,
            None => Err(LedgerError::Fault { reason: "nobody keeps this".to_owned() }),
        }
    }

    async fn query_of(&self, group: &GroupPeers, bytes: &[u8]) -> Result<Answer, LedgerError> {
        let answer = self.ask(group, self.usual(), |mut meta, limit| {
            let message = QueryRequest { query: bytes.to_vec(), origin: self.origin() };
            async move {
                let answer = meta.query(timed(message, limit)).await?.into_inner();
                Answer::decode(&answer.answer).map_err(wrong)
            }
        });
        answer.await.map_err(of_read)
    }

    async fn query_routed(&self, query: &Query) -> Result<Answer, LedgerError> {
        let (groups, bytes) = (self.routes.of(query.scope()), query.encode());
        match &groups[..] {
            [one] => self.query_of(one, &bytes).await,
            all => {
                pages::merged(try_join_all(all.iter().map(|it| self.query_of(it, &bytes))).await?)
            }
        }
    }

    /// Looks the table up anew when `done` says that another group keeps what was asked for.
    async fn was_misrouted<T>(&self, done: &Result<T, LedgerError>) -> bool {
        let is_misrouted = matches!(done, Err(LedgerError::Refused(refusal))
            if refusal.field == MISROUTED_FIELD);
        is_misrouted && self.query(Query::Cluster).await.is_ok()
    }
}

#[async_trait]
impl Ledger for RemoteLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        let (scope, bytes) = (envelope.command.scope(), envelope.encode_checked()?);
        let done = self.submit_routed(scope, &bytes).await;
        if self.was_misrouted(&done).await {
            return self.submit_routed(scope, &bytes).await;
        }
        done
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let mut answer = self.query_routed(&query).await;
        // Every group tells the table.
        if query != Query::Cluster && self.was_misrouted(&answer).await {
            answer = self.query_routed(&query).await;
        }
        let answer = answer?;
        if let Answer::Cluster(Some(cluster)) = &answer {
            // Known already is fine: the service has compared it.
            let _known = self.origin.set(cluster.origin.clone());
            self.routes.learn(&cluster.routing);
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

/// Why a stream ended early.
fn broken_off(status: &Status) -> LedgerError {
    // Only what arose on this side has a source.
    match std::error::Error::source(status) {
        Some(source) => LedgerError::Unavailable {
            reason: format!("the meta node broke off: {}", with_causes(source)),
        },
        None => ledger_error_from_status(status),
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
