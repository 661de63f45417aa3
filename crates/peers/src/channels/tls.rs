use std::fmt;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::{
    PeerError,
    causes::with_causes,
    limits::{
        CONNECT_TIMEOUT, CONNECTION_WINDOW_BYTES, FRAME_BYTES_MAX, KEEPALIVE_INTERVAL,
        KEEPALIVE_TIMEOUT, STREAM_WINDOW_BYTES,
    },
};

/// Who we are to other nodes, and whose signature makes them believable. All in PEM.
#[derive(Clone)]
pub struct PeerTls {
    /// The authority of the cluster.
    pub ca_pem: String,
    /// Our certificate; its organisational unit is `system`.
    pub certificate_pem: String,
    /// Its private key.
    pub key_pem: String,
}

impl fmt::Debug for PeerTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerTls").finish_non_exhaustive()
    }
}

impl PeerTls {
    /// How one endpoint is connected to; nothing happens yet. TLS is asked for whatever the
    /// endpoint's scheme, and the peer's certificate must be for the host that it names.
    pub(super) fn endpoint(&self, endpoint: &str) -> Result<Endpoint, PeerError> {
        let error = |reason: String| PeerError::Endpoint { endpoint: endpoint.to_owned(), reason };
        if !endpoint.starts_with("https://") {
            return Err(error("it does not begin with https://".to_owned()));
        }
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.ca_pem))
            .identity(Identity::from_pem(&self.certificate_pem, &self.key_pem));
        Ok(Endpoint::from_shared(endpoint.to_owned())
            .map_err(|source| error(with_causes(&source)))?
            .tls_config(tls)
            .map_err(|source| error(with_causes(&source)))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES_MAX)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true))
    }
}
