//! A write that fails for good, made by the operating system's limit on the size of a file.

mod support;

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use custos_core::ErrorKind;
use custos_ledger::Query;
use custos_ports::{Ledger, LedgerError};
use support::{has_upload, open, open_begun, open_upload};

const TEST: &str = "i1_a_failed_write_stops_the_store_for_good_and_loses_nothing_acknowledged";
const CHILD_DIR: &str = "CUSTOS_TEST_FAILED_WRITE_DIR";
/// Largest file that the child may write, in blocks of 512 bytes.
const FILE_BLOCKS_MAX: u32 = 512;
/// Fewer fit into the log of that size, and no more are allowed to one actor.
const UPLOADS_MAX: u64 = 4000;

/// The child: writes until the log is full, and checks what the store says then.
async fn write_until_it_fails(dir: &Path) {
    let store = open_begun(dir).await;
    let mut out = std::io::stdout();
    let mut next = 0;
    let error = loop {
        assert!(next < UPLOADS_MAX, "the limit on files did not bite");
        match store.submit(open_upload(next)).await {
            Ok(_) => writeln!(out, "\nacknowledged {next}").expect("print"),
            Err(error) => break error,
        }
        next += 1;
    };
    // What was in flight may have taken effect: nobody can say.
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    let fault = store.failed().await;
    assert!(matches!(&fault, LedgerError::Fault { .. }), "{fault}");
    let later = store.submit(open_upload(next + 1)).await.expect_err("stopped");
    assert_eq!(later.kind(), ErrorKind::Internal, "{later}");
    let read = store.query(Query::Checkpoint).await.expect_err("stopped");
    assert_eq!(read.kind(), ErrorKind::Internal, "{read}");
    store.shutdown().await;
    writeln!(out, "\nfault: {fault}").expect("print");
}

#[tokio::test]
async fn i1_a_failed_write_stops_the_store_for_good_and_loses_nothing_acknowledged() {
    if let Some(dir) = env::var_os(CHILD_DIR) {
        write_until_it_fails(&PathBuf::from(dir)).await;
        return;
    }

    let dir = tempfile::tempdir().expect("temporary directory");
    // With the signal ignored, a write past the limit fails as on a broken or full disk.
    let script = format!("trap '' XFSZ; ulimit -f {FILE_BLOCKS_MAX}; exec \"$0\" \"$@\"");
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(env::current_exe().expect("own path"))
        .args(["--exact", TEST, "--nocapture"])
        .env(CHILD_DIR, dir.path())
        .stderr(Stdio::inherit())
        .output()
        .expect("run the child");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("\nfault: "), "{text}");

    let store = open(dir.path()).await;
    let acknowledged: Vec<u64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("acknowledged "))
        .map(|number| number.parse().expect("a number"))
        .collect();
    assert!(!acknowledged.is_empty(), "{text}");
    for number in acknowledged {
        assert!(has_upload(&store, number).await, "upload {number} is lost");
    }
    store.shutdown().await;
}
