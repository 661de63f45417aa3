use custos_codec::DataKey;
use custos_core::{ErrorKind, EvidenceId};

/// Wraps data keys under a key-encryption key that never leaves it.
pub trait KeyRing: Send + Sync {
    /// Wraps the data key of `evidence_id`.
    ///
    /// # Errors
    /// When the key-encryption key cannot be reached.
    fn wrap(&self, key: &DataKey, evidence_id: EvidenceId) -> Result<Vec<u8>, KeyRingError>;

    /// Opens what [`wrap`](Self::wrap) made for the same evidence.
    ///
    /// # Errors
    /// When the bytes were altered, belong to other evidence or to another key ring.
    fn unwrap(&self, wrapped: &[u8], evidence_id: EvidenceId) -> Result<DataKey, KeyRingError>;
}

/// Why a data key could not be wrapped or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The wrapped key does not verify.
    #[error("wrapped data key of {evidence_id} does not open: {reason}")]
    DoesNotOpen {
        /// Whose key.
        evidence_id: EvidenceId,
        /// What is wrong with it.
        reason: String,
    },
    /// The key ring does not answer.
    #[error("key ring is unavailable: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl KeyRingError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::DoesNotOpen { .. } => ErrorKind::Integrity,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
        }
    }
}
