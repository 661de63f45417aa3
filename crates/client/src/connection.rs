use std::{io, time::Duration};

use custos_core::limits;
use custos_wire::v1::{
    catalogue_client::CatalogueClient, cluster_client::ClusterClient,
    custody_client::CustodyClient, ingest_client::IngestClient, law_client::LawClient,
    playback_client::PlaybackClient,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::{ClientConfig, ClientError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// The default of 16 KiB costs half of the receiving speed.
const FRAME_BYTES_MAX: u32 = 1 << 20;

/// A connection to a cluster: cheap to clone, connects when first used and again when broken.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    endpoint: String,
}

impl Client {
    /// Prepares a connection with TLS 1.3 and the client's certificate.
    ///
    /// # Errors
    /// [`ClientError::Connect`] when endpoint, certificate or key make no sense. A server that is
    /// away shows at the first call.
    pub fn connect(config: &ClientConfig) -> Result<Self, ClientError> {
        let error =
            |reason: String| ClientError::Connect { endpoint: config.endpoint.clone(), reason };
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&config.ca_pem))
            .identity(Identity::from_pem(&config.certificate_pem, &config.key_pem));
        let channel = Endpoint::from_shared(config.endpoint.clone())
            .map_err(|source| error(source.to_string()))?
            .tls_config(tls)
            .map_err(|source| error(with_causes(&source)))?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_frame_size(FRAME_BYTES_MAX)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .connect_lazy();
        Ok(Self { channel, endpoint: config.endpoint.clone() })
    }

    /// Where this client connects to.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn ingest(&self) -> IngestClient<Channel> {
        IngestClient::new(self.channel.clone())
    }

    pub(crate) fn playback(&self) -> PlaybackClient<Channel> {
        PlaybackClient::new(self.channel.clone())
            .max_decoding_message_size(limits::GRPC_MESSAGE_BYTES_MAX)
    }

    pub(crate) fn catalogue(&self) -> CatalogueClient<Channel> {
        CatalogueClient::new(self.channel.clone())
            .max_decoding_message_size(limits::LISTING_MESSAGE_BYTES_MAX)
    }

    pub(crate) fn custody(&self) -> CustodyClient<Channel> {
        CustodyClient::new(self.channel.clone())
            .max_decoding_message_size(limits::LISTING_MESSAGE_BYTES_MAX)
    }

    pub(crate) fn cluster(&self) -> ClusterClient<Channel> {
        ClusterClient::new(self.channel.clone())
            .max_decoding_message_size(limits::LISTING_MESSAGE_BYTES_MAX)
    }

    pub(crate) fn law(&self) -> LawClient<Channel> {
        LawClient::new(self.channel.clone())
            .max_decoding_message_size(limits::LISTING_MESSAGE_BYTES_MAX)
    }

    /// Turns a status into an error; one that never reached the server names the endpoint.
    pub(crate) fn error_of(&self, status: tonic::Status) -> ClientError {
        let has_server_kind = status.metadata().contains_key("custos-kind");
        match std::error::Error::source(&status) {
            Some(source) if !has_server_kind => {
                let (endpoint, reason) = (self.endpoint.clone(), with_causes(source));
                match is_untrusted(source) {
                    true => ClientError::Untrusted { endpoint, reason },
                    false => ClientError::Connect { endpoint, reason },
                }
            }
            _ => status.into(),
        }
    }
}

/// Whether TLS failed for a certificate: of the server, or the client's in the server's eyes.
fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // What an I/O error wraps is not among its sources.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let tls = match wrapped {
            Some(inner) => inner.downcast_ref::<rustls::Error>(),
            None => error.downcast_ref::<rustls::Error>(),
        };
        if let Some(tls) = tls {
            return is_about_certificate(tls);
        }
        next = error.source();
    }
    false
}

fn is_about_certificate(error: &rustls::Error) -> bool {
    use rustls::{AlertDescription as Alert, Error};
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => true,
        Error::AlertReceived(alert) => matches!(
            alert,
            Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::CertificateRequired
                | Alert::UnknownCA
                | Alert::AccessDenied
        ),
        _ => false,
    }
}

/// An error with its causes, each named once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
