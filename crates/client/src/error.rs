use std::{io, path::PathBuf};

use custos_codec::ProofError;
use custos_core::{ErrorKind, EvidenceId, Rule};
use custos_wire::WireError;

/// Why a client call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The configuration file is missing, damaged or names files that are.
    #[error("configuration {path}: {reason}")]
    Config {
        /// Which file.
        path: PathBuf,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// No connection to the server.
    #[error("cannot reach {endpoint}: {reason}")]
    Connect {
        /// Where to.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// The server's certificate does not verify, or it does not take the client's. Trying again
    /// does not help.
    #[error(
        "{endpoint} and this client do not trust each other: {reason}; check `endpoint`, `ca`, \
         `certificate` and `key` in the configuration"
    )]
    Untrusted {
        /// Where to.
        endpoint: String,
        /// What does not verify.
        reason: String,
    },
    /// The server answered with an error.
    #[error("{0}")]
    Server(WireError),
    /// The server broke the protocol.
    #[error("server broke the protocol: {reason}")]
    Protocol {
        /// How.
        reason: String,
    },
    /// A local file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Not a regular file.
    #[error("{path}: not a regular file")]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// The file changed while it was read: nothing of it was sealed.
    #[error(
        "{path}: changed while it was read ({what}); it was not sealed, put it again when it is complete"
    )]
    FileChanged {
        /// Which.
        path: PathBuf,
        /// What changed.
        what: String,
    },
    /// The upload's name is that of another content, which the store sealed before.
    #[error(
        "{path}: the store holds other bytes under this file's name, size and time ({sealed} as \
         {evidence_id}); this file was not stored"
    )]
    OtherContent {
        /// Which file.
        path: PathBuf,
        /// What was sealed under its upload key.
        evidence_id: EvidenceId,
        /// BLAKE3 of what was sealed.
        sealed: String,
    },
    /// Bytes from the server do not prove against the evidence's hash; they were not handed out.
    #[error("bytes of {evidence_id} do not verify: {proof}")]
    Unproven {
        /// Whose.
        evidence_id: EvidenceId,
        /// What does not.
        proof: ProofError,
    },
    /// The server serves another hash than the one that was expected.
    #[error("{evidence_id} has the hash {found}, {expected} was expected")]
    OtherHash {
        /// Whose.
        evidence_id: EvidenceId,
        /// What was asked for.
        expected: String,
        /// What the server says.
        found: String,
    },
}

impl ClientError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config { .. } | Self::NotAFile { .. } => ErrorKind::Invalid,
            Self::File { source, .. } => match source.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::IsADirectory
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::InvalidInput => ErrorKind::Invalid,
                // A failing card or disk is no fault of usage.
                _ => ErrorKind::Unavailable,
            },
            Self::Connect { .. } => ErrorKind::Unavailable,
            Self::Untrusted { .. } => ErrorKind::Refused,
            Self::Server(error) => error.kind,
            Self::Protocol { .. } => ErrorKind::Internal,
            Self::FileChanged { .. }
            | Self::OtherContent { .. }
            | Self::Unproven { .. }
            | Self::OtherHash { .. } => ErrorKind::Integrity,
        }
    }

    /// The rule that refuses, where one does.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Server(error) => error.rule,
            _ => None,
        }
    }

    /// The offending field, where there is one.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Server(error) => error.field.as_deref(),
            _ => None,
        }
    }
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        Self::Server(status.into())
    }
}

impl From<WireError> for ClientError {
    fn from(error: WireError) -> Self {
        Self::Server(error)
    }
}
