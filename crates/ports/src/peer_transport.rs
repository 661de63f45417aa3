use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::MetaId;

/// Where a member of the ledger's group is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MetaPeer {
    /// Its identity, which the receiver compares with its own.
    pub id: MetaId,
    /// Where it listens, such as `https://10.0.0.7:7400`.
    pub endpoint: String,
}

impl fmt::Debug for MetaPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {} at {}", self.id, self.endpoint)
    }
}

/// Which way a message takes, so that what is short and urgent does not wait behind what is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerLane {
    /// Log entries and heartbeats, one after the other.
    Log,
    /// Votes, questions and forwarded commands, any number at once.
    Control,
    /// Pieces of a snapshot.
    Snapshot,
}

/// Carries messages between the members of the ledger's group. What is in them is the group's own
/// business; who may send them is the transport's: only processes of the cluster are heard.
///
/// A message may be lost, late, delivered twice, or delivered although the caller was told that it
/// was not. It is never altered.
#[async_trait]
pub trait PeerTransport: Send + Sync {
    /// Delivers `message` and returns the answer of the other side's [`PeerInbox`]. A call that is
    /// dropped may still be delivered.
    ///
    /// # Errors
    /// See [`PeerFault`].
    async fn exchange(
        &self,
        to: &MetaPeer,
        lane: PeerLane,
        message: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, PeerFault>;
}

/// Takes what a [`PeerTransport`] delivers.
#[async_trait]
pub trait PeerInbox: Send + Sync {
    /// Answers one message. The answer says too what went wrong with a message that made sense.
    ///
    /// # Errors
    /// [`PeerFault::Refused`] for a message that is not for this node, or is garbage.
    async fn receive(&self, message: Bytes) -> Result<Bytes, PeerFault>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// Nothing was delivered.
    #[error("{reason}")]
    Unreachable {
        /// Why, with the endpoint.
        reason: String,
    },
    /// It may have been delivered.
    #[error("{reason}")]
    Unknown {
        /// Why, with the endpoint.
        reason: String,
    },
    /// The other side does not take it.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
    },
}
