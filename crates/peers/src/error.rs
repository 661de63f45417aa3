use custos_core::{ErrorKind, NodeId};
use custos_wire::WireError;

/// Why another node did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PeerError {
    /// The map has no such node.
    #[error("no node {node_id} in the cluster map")]
    NoSuchNode {
        /// Which node.
        node_id: NodeId,
    },
    /// Only the node's own process reaches it.
    #[error("node {name} has no endpoint: only its own process reaches it")]
    NoEndpoint {
        /// Name of the node.
        name: String,
    },
    /// The endpoint, or our own certificate, makes no sense.
    #[error("endpoint {endpoint:?} cannot be used: {reason}")]
    Endpoint {
        /// As it was given.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
    /// No connection; nothing was sent.
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// What failed.
        reason: String,
    },
    /// Too much is under way already; nothing was sent.
    #[error("{limit} calls to {endpoint} are under way already")]
    Busy {
        /// Where.
        endpoint: String,
        /// The limit that is reached.
        limit: usize,
    },
    /// No answer in time; it may have been done.
    #[error("{endpoint} did not answer within {millis} ms")]
    Late {
        /// Where.
        endpoint: String,
        /// The deadline.
        millis: u128,
    },
    /// The connection broke; it may have been done.
    #[error("connection to {endpoint} broke: {reason}")]
    Broken {
        /// Where.
        endpoint: String,
        /// What failed.
        reason: String,
    },
    /// The node answered that it did not.
    #[error("{endpoint}: {error}")]
    Failed {
        /// Where.
        endpoint: String,
        /// Its answer.
        error: WireError,
    },
    /// The answer makes no sense, or is another node's.
    #[error("{endpoint} gave a wrong answer: {reason}")]
    WrongAnswer {
        /// Where.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
}

impl PeerError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchNode { .. } => ErrorKind::NotFound,
            Self::Endpoint { .. } => ErrorKind::Invalid,
            Self::NoEndpoint { .. } | Self::Unreachable { .. } | Self::WrongAnswer { .. } => {
                ErrorKind::Unavailable
            }
            Self::Busy { .. } => ErrorKind::Exhausted,
            Self::Late { .. } | Self::Broken { .. } => ErrorKind::Unknown,
            Self::Failed { error, .. } => error.kind,
        }
    }
}
