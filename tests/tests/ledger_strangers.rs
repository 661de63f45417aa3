//! Whoever has no business at the port of the ledger's group: refused, and the group goes on.

use std::io::{self, Read, Write};

use custos_tests::{
    Authority, ClientConfig, Content, LedgerGroup, Scratch, Seed, plain_stream, tls_stream,
};

/// A client's first words in HTTP/2 (RFC 9113 section 3.4): preface and empty SETTINGS.
const HTTP2_HELLO: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Garbage that each stranger sends.
const GARBAGE_BYTES: usize = 1 << 20;
/// Callers that say hello and then neither read nor write.
const SILENT_CALLERS: usize = 100;

#[test]
fn i6_garbage_strangers_and_callers_that_never_read_do_not_move_the_group() {
    let mut random = Seed::draw().random();
    let scratch = Scratch::new("strangers");
    let mut group = LedgerGroup::start(&scratch, 3);
    let leader = group.leader();
    let member = ClientConfig::new(group.group_address(leader), &group.issue("stranger", "system"));
    let foreign = Authority::new(&scratch.folder("foreign")).issue("stranger", "system");
    let foreign = ClientConfig::new(group.group_address(leader), &foreign);
    let garbage: Vec<u8> = std::iter::repeat_with(|| random.next_u64().to_le_bytes())
        .flatten()
        .take(GARBAGE_BYTES)
        .collect();

    for said in [&garbage[..], HTTP2_HELLO] {
        assert_refused("plain text", &mut plain_stream(&member), said);
        assert_refused("no certificate", &mut tls_stream(&member, None), said);
        assert_refused("another authority", &mut tls_stream(&member, Some(&foreign)), said);
    }
    assert_refused("garbage of a member", &mut tls_stream(&member, Some(&member)), &garbage);

    // One that may call, and does not go on: it costs a connection, and nobody waits for it.
    let mut silent = Vec::new();
    for _ in 0..SILENT_CALLERS {
        let mut stream = tls_stream(&member, Some(&member));
        // The connection may be refused as one too many.
        let _ = stream.write_all(HTTP2_HELLO).and_then(|()| stream.flush());
        silent.push(stream);
    }
    let file = scratch.source_file("meanwhile.bin", Content { seed: 1, size: 50_000 });
    let id = group.cli().put(&file).evidence_id;
    assert_eq!(group.leader(), leader, "nobody had to be elected");
    drop(silent);
    group.cli().run(["log", "show", &id]).expect_exit(0);
    for number in group.members() {
        let log = group.meta(number).log();
        assert!(!log.contains("panicked"), "member {number}:\n{log}");
    }
}

/// Whoever says this is told nothing of the ledger: the connection ends, or an alert or error
/// frame comes, before anything that answers a call.
fn assert_refused(who: &str, stream: &mut (impl Read + Write), said: &[u8]) {
    let mut answer = Vec::new();
    let heard = stream.write_all(said).and_then(|()| stream.flush()).and_then(|()| {
        let mut part = [0; 4096];
        loop {
            match stream.read(&mut part)? {
                0 => return Ok(()),
                read => answer.extend_from_slice(&part[..read]),
            }
        }
    });
    if let Err(error) = heard {
        let is_silence = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
        assert!(!is_silence.contains(&error.kind()), "{who}: neither served nor refused: {error}");
    }
    assert!(answer.len() < 4096, "{who} heard {} bytes", answer.len());
}
