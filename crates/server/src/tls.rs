use std::path::{Path, PathBuf};

use custos_core::ErrorKind;
use custos_peers::PeerTls;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::{
    config::TlsFiles,
    durable_file::{self, FileError},
};

/// Longest wait for a client to finish its TLS handshake.
const HANDSHAKE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not there.
    #[error("TLS file {} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The files do not make a TLS endpoint.
    #[error(
        "TLS cannot be set up with {}, {} and {}: {reason}",
        files.ca.display(), files.certificate.display(), files.key.display()
    )]
    Unusable {
        /// The files.
        files: TlsFiles,
        /// What the TLS library says.
        reason: String,
    },
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl TlsError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Unusable { .. } => ErrorKind::Invalid,
            Self::File(error) => error.kind(),
        }
    }
}

/// Makes this process's TLS use aws-lc-rs: once, before the first connection.
pub fn install_crypto_provider() {
    // An error says that it is installed already, which is what we want.
    let _installed_before = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Reads the files of a TLS endpoint that asks every client for a certificate of its authority.
pub(crate) fn server_config(files: &TlsFiles) -> Result<ServerTlsConfig, TlsError> {
    let (ca, certificate, key) = (read(&files.ca)?, read(&files.certificate)?, read(&files.key)?);
    Ok(ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key))
        .client_ca_root(Certificate::from_pem(ca))
        .timeout(HANDSHAKE_TIMEOUT))
}

/// Who this process is to the others of its cluster: the same as to its clients.
pub(crate) fn peer_tls(files: &TlsFiles) -> Result<PeerTls, TlsError> {
    Ok(PeerTls {
        ca_pem: read(&files.ca)?,
        certificate_pem: read(&files.certificate)?,
        key_pem: read(&files.key)?,
    })
}

fn read(path: &Path) -> Result<String, TlsError> {
    durable_file::read_text(path)?.ok_or_else(|| TlsError::Missing { path: path.to_owned() })
}
