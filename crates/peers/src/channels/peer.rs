use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tonic::{ConnectError, Status, TimeoutExpired, transport::Channel};

use super::{PeerTls, lane::Lane};
use crate::{
    PeerError,
    causes::{is_caused_by, with_causes},
    limits::{BULK_CONNECTIONS, CALLS_PER_ENDPOINT_MAX},
};

/// One endpoint and the connections to it.
pub(crate) struct Peer {
    endpoint: String,
    control: Lane,
    control_calls: Semaphore,
    bulk: [Lane; BULK_CONNECTIONS],
    bulk_calls: Semaphore,
    next_bulk: AtomicUsize,
}

/// Which connection a call takes, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Call {
    /// Short questions and answers.
    Control(Instant),
    /// Shards.
    Bulk(Instant),
}

impl Call {
    pub(crate) fn deadline(self) -> Instant {
        match self {
            Self::Control(deadline) | Self::Bulk(deadline) => deadline,
        }
    }
}

/// Why a call failed. What is certain about its effect differs.
#[derive(Debug)]
pub(crate) enum CallError {
    /// Nothing was sent: no connection.
    Unreachable(String),
    /// Nothing was sent: [`CALLS_PER_ENDPOINT_MAX`] are under way.
    Busy,
    /// No answer in time; it may have been taken.
    Late(Duration),
    /// The connection broke; it may have been taken.
    Broken(String),
    /// The peer answered so.
    Failed(Status),
    /// The peer answered what makes no sense.
    WrongAnswer(String),
}

/// Why a remote procedure did not give what was asked.
pub(crate) enum RpcError {
    /// It failed, or the connection did.
    Status(Status),
    /// Its answer makes no sense.
    WrongAnswer(String),
}

impl From<Status> for RpcError {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl Peer {
    pub(super) fn new(endpoint: &str, tls: &PeerTls) -> Result<Self, PeerError> {
        let lane = tls.endpoint(endpoint)?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            control: Lane::new(lane.clone()),
            control_calls: Semaphore::new(CALLS_PER_ENDPOINT_MAX),
            bulk: std::array::from_fn(|_| Lane::new(lane.clone())),
            bulk_calls: Semaphore::new(CALLS_PER_ENDPOINT_MAX),
            next_bulk: AtomicUsize::new(0),
        })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes a call on one of the connections, and ends it at its deadline.
    pub(crate) async fn call<T, F>(
        &self,
        call: Call,
        rpc: impl FnOnce(Channel) -> F + Send,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        let begun = Instant::now();
        let deadline = call.deadline();
        let (lane, calls) = match call {
            Call::Control(_) => (&self.control, &self.control_calls),
            Call::Bulk(_) => {
                // Round robin spreads streams evenly; which connection a shard takes matters not.
                let number = self.next_bulk.fetch_add(1, Ordering::Relaxed);
                (&self.bulk[number % BULK_CONNECTIONS], &self.bulk_calls)
            }
        };
        let _permit = calls.try_acquire().map_err(|_| CallError::Busy)?;
        let late = |_| CallError::Late(deadline.saturating_duration_since(begun));
        let link = match timeout_at(deadline, lane.link()).await {
            Ok(link) => link.map_err(CallError::Unreachable)?,
            Err(_) => return Err(CallError::Unreachable("no connection in time".to_owned())),
        };
        let answer = timeout_at(deadline, rpc(link.channel.clone())).await.map_err(late)?;
        answer.map_err(|error| match error {
            RpcError::WrongAnswer(reason) => CallError::WrongAnswer(reason),
            // Only what arose on this side has a source.
            RpcError::Status(status) => match std::error::Error::source(&status) {
                None => CallError::Failed(status),
                Some(source) if is_caused_by::<ConnectError>(source) => {
                    lane.give_up(&link);
                    CallError::Unreachable(with_causes(source))
                }
                Some(source) if is_caused_by::<TimeoutExpired>(source) => {
                    CallError::Late(deadline.saturating_duration_since(begun))
                }
                Some(source) => CallError::Broken(with_causes(source)),
            },
        })
    }

    /// The public form of a call's failure.
    pub(crate) fn error(&self, error: CallError) -> PeerError {
        let endpoint = self.endpoint.clone();
        match error {
            CallError::Unreachable(reason) => PeerError::Unreachable { endpoint, reason },
            CallError::Busy => PeerError::Busy { endpoint, limit: CALLS_PER_ENDPOINT_MAX },
            CallError::Late(limit) => PeerError::Late { endpoint, millis: limit.as_millis() },
            CallError::Broken(reason) => PeerError::Broken { endpoint, reason },
            CallError::Failed(status) => PeerError::Failed { endpoint, error: status.into() },
            CallError::WrongAnswer(reason) => PeerError::WrongAnswer { endpoint, reason },
        }
    }
}
