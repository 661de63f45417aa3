use custos_core::{ErrorKind, MirrorError};

/// Why bytes are not the ledger record that they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They are no protobuf message of this sort.
    #[error("{message} is malformed")]
    Malformed {
        /// Which message of `custos.store.v1`.
        message: &'static str,
        /// What the protobuf decoder says.
        source: prost::DecodeError,
    },
    /// A newer Custos wrote them.
    #[error("{message} has version {found}, this software knows {known}")]
    Version {
        /// Which message of `custos.store.v1`.
        message: &'static str,
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
    /// A value of the law is missing, of the wrong length or unknown.
    #[error("{message}: {error}")]
    Law {
        /// Which message of `custos.store.v1`.
        message: &'static str,
        /// The field and what is wrong with it.
        error: MirrorError,
    },
    /// A field is missing, of the wrong length or of an unknown value.
    #[error("{message}: field {field} is missing or not valid")]
    Field {
        /// Which message of `custos.store.v1`.
        message: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// They are not the one encoding that is hashed.
    #[error("{message} is not in its canonical encoding")]
    NotCanonical {
        /// Which message of `custos.store.v1`.
        message: &'static str,
    },
}

impl DecodeError {
    /// How callers should class it: always [`ErrorKind::Integrity`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Integrity
    }
}
