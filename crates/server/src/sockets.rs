use std::{io, net::SocketAddr};

use custos_core::ErrorKind;
use tokio::net::TcpListener;

/// The sockets that a server listens on, bound before anything on disk is touched.
#[derive(Debug)]
pub struct Sockets {
    pub(crate) api: TcpListener,
    pub(crate) metrics: Option<TcpListener>,
    pub(crate) group: Option<TcpListener>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody else listens there.
    #[error(
        "address {address} is in use: stop what listens there, or choose another with --listen"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not let us.
    #[error("cannot listen on {address}: {source}")]
    Io {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

impl BindError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InUse { .. } => ErrorKind::Unavailable,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::Refused,
                io::ErrorKind::AddrNotAvailable => ErrorKind::Invalid,
                _ => ErrorKind::Unavailable,
            },
        }
    }
}

impl Sockets {
    /// Binds the addresses; port 0 takes a free one. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When an address cannot be listened on; none is kept then.
    pub async fn bind(
        api: SocketAddr,
        metrics: Option<SocketAddr>,
        group: Option<SocketAddr>,
    ) -> Result<Self, BindError> {
        let api = bind(api).await?;
        let optional = async |address: Option<SocketAddr>| match address {
            Some(address) => bind(address).await.map(Some),
            None => Ok(None),
        };
        let (metrics, group) = (optional(metrics).await?, optional(group).await?);
        Ok(Self { api, metrics, group })
    }

    /// Where the gRPC services are, with the port that was taken.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn api_address(&self) -> io::Result<SocketAddr> {
        self.api.local_addr()
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Io { address, source },
    })
}
