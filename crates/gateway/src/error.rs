use custos_codec::{FormatError, OpenError};
use custos_core::{
    ErasureProfile, ErrorKind, EvidenceId, FailureDomain, Refusal, Rule, VaultId,
    placement::OutOfReach,
};
use custos_ports::{KeyRingError, LedgerError, ShardError};
use custos_wire::WireError;

/// Why the gateway did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The ledger refuses or does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The request is malformed or breaks a limit.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The key ring does not open or wrap a key.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// A store does not do what was asked of it alone.
    #[error(transparent)]
    Store(#[from] ShardError),
    /// Sealed bytes do not open or verify, whichever shards are taken.
    #[error("chunk {chunk} of {evidence_id} does not verify: {reason}")]
    ChunkDamaged {
        /// Whose.
        evidence_id: EvidenceId,
        /// Which, or `crown`.
        chunk: String,
        /// What does not verify.
        reason: String,
    },
    /// Fewer shards than needed can be read now.
    #[error(
        "chunk {chunk} of {evidence_id}: {found} of {needed} needed shards can be read ({failures})"
    )]
    TooFewShards {
        /// Whose.
        evidence_id: EvidenceId,
        /// Which, or `crown`.
        chunk: String,
        /// Shards that could be read.
        found: usize,
        /// Shards that are needed.
        needed: usize,
        /// What each missing one said.
        failures: String,
    },
    /// Fewer shards than an acknowledgement needs could be written (invariant I1).
    #[error("{written} of {needed} shards needed for an acknowledgement were written ({failures})")]
    TooFewWritten {
        /// Shards that are durable.
        written: usize,
        /// Shards that are needed.
        needed: usize,
        /// What each failed one said.
        failures: String,
        /// Space was the reason for every failure.
        exhausted: ExhaustedSpace,
    },
    /// The bytes that arrived are not those that the client says it read.
    #[error("{field}: client says {claimed}, the store received {received}; upload is given up")]
    ContentMismatch {
        /// `size` or `blake3`.
        field: &'static str,
        /// What the client says.
        claimed: String,
        /// What arrived.
        received: String,
    },
    /// No buffer came free in time.
    #[error("all {limit_bytes} bytes of transfer buffers are in use")]
    BuffersExhausted {
        /// The limit that is reached.
        limit_bytes: usize,
    },
    /// So few failure domains of the vault answer that nothing could be read of what is written.
    #[error("{out_of_reach} ({failures})")]
    OutOfReach {
        /// Which vault, and how many.
        out_of_reach: OutOfReach,
        /// What each failed shard write said.
        failures: String,
    },
    /// Enough shards were written, but too many of them would be lost together (invariant I1).
    #[error(
        "{written} shards are in no more than {domains} failure domains ({level}) of vault {vault}: \
         too many would be lost together ({failures})"
    )]
    TooCloseTogether {
        /// Shards that are durable.
        written: usize,
        /// Failure domains that they are in.
        domains: usize,
        /// What fails together.
        level: FailureDomain,
        /// Which vault.
        vault: VaultId,
        /// What each failed shard write said.
        failures: String,
    },
    /// Nobody made a vault of this profile yet.
    #[error("no vault of profile {profile}: `custos cluster vaults create --profile {profile}`")]
    NoVault {
        /// Which profile.
        profile: ErasureProfile,
    },
    /// The cluster map has no such vault, though evidence names it.
    #[error("vault {vault} is not in the cluster map")]
    UnknownVault {
        /// Which vault.
        vault: VaultId,
    },
    /// A newer connection took this upload over. Final for the older one: two clients that put one
    /// file would else take it from each other for ever.
    #[error("upload {evidence_id} was taken over by a newer connection that puts the same file")]
    TakenOver {
        /// Which upload.
        evidence_id: EvidenceId,
    },
    /// The client sent nothing, or took nothing, for too long; it can go on later.
    #[error("the client was idle for {seconds} s and was let go")]
    Idle {
        /// How long.
        seconds: u64,
    },
    /// Our own parts do not fit together.
    #[error("internal fault: {reason}")]
    Internal {
        /// What.
        reason: String,
    },
}

/// Whether lack of space explains every failed shard write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExhaustedSpace {
    /// It does.
    Yes,
    /// Something else failed too.
    No,
}

impl GatewayError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Ledger(error) => error.kind(),
            Self::Wire(error) => error.kind,
            Self::KeyRing(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::ChunkDamaged { .. } | Self::ContentMismatch { .. } => ErrorKind::Integrity,
            Self::TooFewWritten { exhausted: ExhaustedSpace::Yes, .. }
            | Self::BuffersExhausted { .. } => ErrorKind::Exhausted,
            Self::TooFewShards { .. }
            | Self::TooFewWritten { .. }
            | Self::OutOfReach { .. }
            | Self::TooCloseTogether { .. }
            | Self::Idle { .. } => ErrorKind::Unavailable,
            Self::NoVault { .. } | Self::TakenOver { .. } => ErrorKind::Refused,
            Self::UnknownVault { .. } | Self::Internal { .. } => ErrorKind::Internal,
        }
    }

    /// The rule that refuses, where the gateway itself does.
    fn rule(&self) -> Option<Rule> {
        match self {
            // Without a vault there are no distinct disks to acknowledge on.
            Self::NoVault { .. } => Some(Rule::I1),
            // One connection at a time answers for an upload.
            Self::TakenOver { .. } => Some(Rule::R26),
            _ => None,
        }
    }

    /// A ledger answer of the wrong sort.
    pub(crate) fn unexpected(what: &str) -> Self {
        Self::Internal { reason: format!("ledger gave an unexpected answer to {what}") }
    }
}

impl From<Refusal> for GatewayError {
    fn from(refusal: Refusal) -> Self {
        Self::Ledger(LedgerError::Refused(refusal))
    }
}

impl From<GatewayError> for WireError {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::Ledger(LedgerError::Refused(refusal)) => refusal.into(),
            GatewayError::Wire(error) => error,
            other => {
                let field = match &other {
                    GatewayError::ContentMismatch { field, .. } => Some((*field).to_owned()),
                    GatewayError::NoVault { .. } => Some("profile".to_owned()),
                    _ => None,
                };
                Self { kind: other.kind(), rule: other.rule(), field, message: other.to_string() }
            }
        }
    }
}

/// Why one shard is of no use for a read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShardUnusable {
    /// The store did not give it.
    #[error(transparent)]
    Store(#[from] ShardError),
    /// Its header is not what belongs there.
    #[error("{store}: {reason}")]
    Header { store: String, reason: FormatError },
    /// It has the wrong length.
    #[error("{store}: shard is {found} bytes long, {expected} expected")]
    Length { store: String, found: usize, expected: usize },
    /// Its bytes contradict the other shards.
    #[error("{store}: shard contradicts the verified chunk")]
    Lies { store: String },
}

/// One line out of several failures.
pub(crate) fn join_failures<E: std::fmt::Display>(failures: &[E]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Names the chunk of an opening error.
pub(crate) fn damaged(
    evidence_id: EvidenceId,
    chunk: custos_core::ChunkIndex,
    reason: &OpenError,
) -> GatewayError {
    GatewayError::ChunkDamaged { evidence_id, chunk: chunk.to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_refuses_names_its_rule() {
        let no_vault = WireError::from(GatewayError::NoVault { profile: ErasureProfile::P8_3 });
        assert_eq!((no_vault.kind, no_vault.rule), (ErrorKind::Refused, Some(Rule::I1)));
        assert_eq!(no_vault.field.as_deref(), Some("profile"));
        let evidence_id = EvidenceId::from_bytes([7; 16]);
        let taken_over = WireError::from(GatewayError::TakenOver { evidence_id });
        assert_eq!((taken_over.kind, taken_over.rule), (ErrorKind::Refused, Some(Rule::R26)));
    }
}
