use std::{net::TcpStream, sync::Arc, time::Duration};

use rustls::{
    ClientConfig as TlsConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::client_config::ClientConfig;

/// For a server to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Connects to the client's server without TLS; reads and writes time out after 20 s.
///
/// # Panics
/// When nobody listens there.
#[must_use]
pub fn plain_stream(client: &ClientConfig) -> TcpStream {
    let server = client.server();
    let tcp = TcpStream::connect(server).unwrap_or_else(|e| panic!("{server}: {e}"));
    tcp.set_read_timeout(Some(ANSWER_LIMIT)).expect("a time-out can be set");
    tcp.set_write_timeout(Some(ANSWER_LIMIT)).expect("a time-out can be set");
    tcp
}

/// Connects to the client's server for HTTP/2 over TLS, trusting what the client trusts and
/// showing the certificate of `identity`. The handshake happens with the first read or write.
///
/// # Panics
/// When nobody listens there, or the configurations do not make a TLS client.
#[must_use]
pub fn tls_stream(
    client: &ClientConfig,
    identity: Option<&ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(client.ca_pem().as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let builder = TlsConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3 are known")
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = CertificateDer::pem_slice_iter(identity.certificate_pem().as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(identity.key_pem().as_bytes()).expect("PEM");
            builder.with_client_auth_cert(chain, key).expect("the key fits the certificate")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::from(client.server().ip());
    let connection = ClientConnection::new(Arc::new(config), name).expect("a valid configuration");
    StreamOwned::new(connection, plain_stream(client))
}
