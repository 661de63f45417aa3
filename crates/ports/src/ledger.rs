use async_trait::async_trait;
use custos_core::{ErrorKind, Refusal};
use custos_ledger::{Answer, Envelope, Outcome, Query};

/// The replicated ledger: commands and strong reads, both linearizable (invariant I6).
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Commits a command and returns what it did.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] by the law; otherwise the ledger could not decide, and
    /// [`LedgerError::Unknown`] means that it may still take effect.
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError>;

    /// Reads state that is no older than any command acknowledged before the call.
    ///
    /// # Errors
    /// When the ledger does not answer.
    async fn query(&self, query: Query) -> Result<Answer, LedgerError>;
}

/// Why the ledger did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The law refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too many commands wait already.
    #[error("ledger queue is full ({limit} commands wait)")]
    QueueFull {
        /// The limit that is reached.
        limit: usize,
    },
    /// No leader answers; nothing was done.
    #[error("ledger is unavailable: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// The command may or may not take effect: retry with the same request id.
    #[error("outcome unknown: {reason}")]
    Unknown {
        /// Why.
        reason: String,
    },
    /// A fault of the ledger itself; its process is stopping.
    #[error("ledger fault: {reason}")]
    Fault {
        /// What.
        reason: String,
    },
}

impl LedgerError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => refusal.kind,
            Self::QueueFull { .. } => ErrorKind::Exhausted,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::Unknown { .. } => ErrorKind::Unknown,
            Self::Fault { .. } => ErrorKind::Internal,
        }
    }
}
