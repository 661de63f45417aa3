use custos_core::ErrorKind;

use crate::{
    data_dir::{DataDirError, IdentityError, ManifestError},
    dev::CertificateError,
    first_vault::FirstVaultError,
    gateway_key::GatewayKeyError,
    group_start::GroupStartError,
    joining::JoinError,
    ledger_start::LedgerStartError,
    sockets::BindError,
    storage_start::CredentialsError,
    tls::TlsError,
};

/// Why a server did not start. Nothing that was stored before is changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The node cannot be the one that its folder says it is.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The node's identity could not be written.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The certificates of development mode could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A bucket has no credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The cluster cannot be joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The storage node did not start.
    #[error(transparent)]
    Storage(#[from] custos_storage_node::StartError),
    /// There are no vaults.
    #[error(transparent)]
    FirstVault(#[from] FirstVaultError),
    /// The gateway has not the right key.
    #[error(transparent)]
    GatewayKey(#[from] GatewayKeyError),
    /// The ledger did not start.
    #[error(transparent)]
    Ledger(#[from] LedgerStartError),
    /// The ledger is no member of its group.
    #[error(transparent)]
    Group(#[from] GroupStartError),
    /// The system does not tell which address was taken.
    #[error("the address that was taken is not known")]
    Address(#[source] std::io::Error),
    /// A service could not be made.
    #[error("gRPC reflection cannot be served")]
    Reflection(#[source] tonic_reflection::server::Error),
}

impl StartError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::DataDir(error) => error.kind(),
            Self::Identity(error) => error.kind(),
            Self::Manifest(error) => error.kind(),
            Self::Certificate(error) => error.kind(),
            Self::Bind(error) => error.kind(),
            Self::Tls(error) => error.kind(),
            Self::Credentials(error) => error.kind(),
            Self::Join(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::FirstVault(error) => error.kind(),
            Self::GatewayKey(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
            Self::Group(error) => error.kind(),
            Self::Address(_) | Self::Reflection(_) => ErrorKind::Internal,
        }
    }
}
