//! Nobody talks to the cluster without a certificate of its own authority.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use custos_tests::{Cli, ClientConfig, Content, DevCluster, DevOptions, Scratch, free_address};
use rustls::{
    ClientConfig as TlsConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

/// A client's first words in HTTP/2 (RFC 9113 section 3.4): preface and empty SETTINGS.
const HTTP2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Type of a SETTINGS frame, the first that an HTTP/2 server sends.
const SETTINGS: u8 = 4;
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_plain_text_client_gets_no_answer() {
    let scratch = Scratch::new("tls-plain");
    let cluster = DevCluster::start(&scratch);
    let mut tcp = connect(&cluster);
    assert!(!is_served(&mut tcp), "HTTP/2 without TLS was served");
    check_still_serves(&cluster, &scratch);
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let scratch = Scratch::new("tls-anonymous");
    let cluster = DevCluster::start(&scratch);
    let own = ClientConfig::read(&cluster.client_toml());
    assert!(is_served(&mut tls(&cluster, &own, Some(&own))), "the developer is served");
    assert!(!is_served(&mut tls(&cluster, &own, None)), "a client without certificate was served");
    check_still_serves(&cluster, &scratch);
}

#[test]
fn a_client_with_a_certificate_of_another_authority_is_refused() {
    let scratch = Scratch::new("tls-other");
    let cluster = DevCluster::start(&scratch);
    let other_cluster = DevCluster::start_with(DevOptions {
        data_dir: scratch.path().join("other"),
        listen: free_address(),
        log: scratch.path().join("other.log"),
        ..DevOptions::in_scratch(&scratch)
    });
    let own = ClientConfig::read(&cluster.client_toml());
    let other = ClientConfig::read(&other_cluster.client_toml());
    assert!(
        !is_served(&mut tls(&cluster, &own, Some(&other))),
        "a certificate of another authority was served"
    );

    let stranger = scratch.path().join("stranger.toml");
    own.with_identity_of(&other).write(&stranger);
    let run = Cli::new(stranger, scratch.path()).run(["ls", "--json"]);
    run.expect_exit_in(&[3, 6]);
    assert!(run.stdout.is_empty(), "something was listed");
    check_still_serves(&cluster, &scratch);
}

#[test]
fn a_client_does_not_talk_to_a_server_of_another_authority() {
    let scratch = Scratch::new("tls-impostor");
    let cluster = DevCluster::start(&scratch);
    let other_cluster = DevCluster::start_with(DevOptions {
        data_dir: scratch.path().join("other"),
        listen: free_address(),
        log: scratch.path().join("other.log"),
        ..DevOptions::in_scratch(&scratch)
    });
    let own = ClientConfig::read(&cluster.client_toml());
    let other = ClientConfig::read(&other_cluster.client_toml());
    let deceived = scratch.path().join("deceived.toml");
    own.with_trust_of(&other).write(&deceived);
    let file = scratch.source_file("source.bin", Content { seed: 1, size: 1000 });
    let cli = Cli::new(deceived, scratch.path());
    cli.run(["put".as_ref(), "--retry-for=5s".as_ref(), file.path.as_os_str()])
        .expect_exit_in(&[3, 6]);
    assert_eq!(cluster.cli().list_ids(), Vec::<String>::new(), "nothing was put");
}

fn connect(cluster: &DevCluster) -> TcpStream {
    let tcp = TcpStream::connect(cluster.options().listen).expect("the server listens");
    tcp.set_read_timeout(Some(ANSWER_LIMIT)).expect("a time-out can be set");
    tcp.set_write_timeout(Some(ANSWER_LIMIT)).expect("a time-out can be set");
    tcp
}

fn tls(
    cluster: &DevCluster,
    trust: &ClientConfig,
    identity: Option<&ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trust.ca_pem().as_bytes()) {
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
    let name = ServerName::from(cluster.options().listen.ip());
    let connection = ClientConnection::new(Arc::new(config), name).expect("a valid configuration");
    StreamOwned::new(connection, connect(cluster))
}

/// Whether the server answers an HTTP/2 hello with SETTINGS. An alert, a reset or the end of the
/// connection is a refusal; silence is not.
fn is_served(stream: &mut (impl Read + Write)) -> bool {
    let mut frame_head = [0; 9];
    let answer = stream
        .write_all(HTTP2_HELLO)
        .and_then(|()| stream.flush())
        .and_then(|()| stream.read_exact(&mut frame_head));
    match answer {
        Ok(()) => frame_head[3] == SETTINGS,
        Err(e) => {
            let timed_out = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
            assert!(!timed_out.contains(&e.kind()), "no answer after {ANSWER_LIMIT:?}");
            false
        }
    }
}

fn check_still_serves(cluster: &DevCluster, scratch: &Scratch) {
    cluster.cli().put(&scratch.source_file("after.bin", Content { seed: 2, size: 10 }));
}
