//! Nobody talks to the cluster without a certificate of its own authority.

use std::{
    fs,
    io::{self, Read, Write},
    time::Duration,
};

use custos_tests::{
    Authority, Cli, ClientConfig, Content, DaemonConfig, DevCluster, DevOptions, Duty, Scratch,
    free_address, plain_stream, tls_stream, wait_until,
};

/// A client's first words in HTTP/2 (RFC 9113 section 3.4): preface and empty SETTINGS.
const HTTP2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Type of a SETTINGS frame, the first that an HTTP/2 server sends.
const SETTINGS: u8 = 4;

#[test]
fn a_plain_text_client_gets_no_answer() {
    let scratch = Scratch::new("tls-plain");
    let cluster = DevCluster::start(&scratch);
    let own = ClientConfig::read(&cluster.client_toml());
    assert!(!is_served(&mut plain_stream(&own)), "HTTP/2 without TLS was served");
    check_still_serves(&cluster, &scratch);
}

#[test]
fn a_client_without_a_certificate_is_refused() {
    let scratch = Scratch::new("tls-anonymous");
    let cluster = DevCluster::start(&scratch);
    let own = ClientConfig::read(&cluster.client_toml());
    assert!(is_served(&mut tls_stream(&own, Some(&own))), "the developer is served");
    assert!(!is_served(&mut tls_stream(&own, None)), "a client without certificate was served");
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
        !is_served(&mut tls_stream(&own, Some(&other))),
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
    // For minutes it would try again, if that could help.
    let cli = Cli::new(deceived, scratch.path()).within(Duration::from_secs(60));
    let run = cli.run(["put".as_ref(), file.path.as_os_str()]);
    run.expect_exit(3).expect_message(&["certificate", "do not trust each other"]);
    cli.run(["ls"]).expect_exit(3).expect_message(&["certificate"]);
    assert_eq!(cluster.cli().list_ids(), Vec::<String>::new(), "nothing was put");
}

#[test]
fn a_process_whose_ledger_is_of_another_authority_waits_and_says_why() {
    let scratch = Scratch::new("tls-ledger");
    let cluster = DevCluster::start(&scratch);
    let meta = ClientConfig::read(&cluster.client_toml()).server();
    let config = DaemonConfig {
        namespace: None,
        name: "s0".to_owned(),
        folder: scratch.folder("s0"),
        listen: free_address(),
        metrics: free_address(),
        tls: Authority::new(&scratch.folder("other-tls")).issue("s0", "system"),
        duty: Duty::Storage { meta, disks: vec![scratch.path().join("s0/d0")], bucket: None },
    };
    let _waiting = config.prepare().spawn();
    let says = ["WARN", "waiting for the ledger at", "invalid peer certificate"];
    wait_until("the wait to be explained", Duration::from_secs(60), || {
        let log = fs::read_to_string(config.log()).unwrap_or_default();
        log.lines().any(|line| says.iter().all(|word| line.contains(word)))
    });
    check_still_serves(&cluster, &scratch);
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
            assert!(!timed_out.contains(&e.kind()), "no answer in time");
            false
        }
    }
}

fn check_still_serves(cluster: &DevCluster, scratch: &Scratch) {
    cluster.cli().put(&scratch.source_file("after.bin", Content { seed: 2, size: 10 }));
}
