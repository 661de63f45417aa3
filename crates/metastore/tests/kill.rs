//! Kill -9 at any moment loses nothing that was acknowledged.

mod support;

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use custos_ports::Ledger;
use support::{has_upload, log_size, open, open_begun, open_upload};

const CHILD_DIR: &str = "CUSTOS_TEST_KILL_DIR";
const CHILD_FIRST: &str = "CUSTOS_TEST_KILL_FIRST";
const ROUNDS: u64 = 6;
const WRITERS: u64 = 8;
/// Far more than one round gets to.
const UPLOADS_PER_ROUND: u64 = 1_000_000;

/// The child: writes uploads from `first` on and prints each one that is acknowledged, until it
/// is killed.
fn write_until_killed(dir: PathBuf, first: u64) {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    runtime.block_on(async {
        let store = open_begun(&dir).await;
        let writers = (0..WRITERS).map(|writer| {
            let store = store.clone();
            async move {
                for step in 0.. {
                    let number = first + writer + step * WRITERS;
                    store.submit(open_upload(number)).await.expect("the upload opens");
                    let mut out = std::io::stdout().lock();
                    // In one piece, so that a kill never leaves half a number that looks whole.
                    let line = format!("\nacknowledged {number} .\n");
                    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("print");
                }
            }
        });
        futures::future::join_all(writers).await;
    });
}

#[test]
fn i1_every_acknowledged_command_survives_kill_nine() {
    if let Some(dir) = env::var_os(CHILD_DIR) {
        let first = env::var(CHILD_FIRST).expect("set by the parent").parse().expect("a number");
        write_until_killed(dir.into(), first);
        return;
    }

    let dir = tempfile::tempdir().expect("temporary directory");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let mut acknowledged: Vec<u64> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().expect("own path"))
            .args(["--exact", "i1_every_acknowledged_command_survives_kill_nine", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .env(CHILD_FIRST, (round * UPLOADS_PER_ROUND).to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the child");
        // A different moment in every round, in the thick of writing.
        let kill_after = acknowledged.len() + 1 + usize::try_from(round * 37 % 113).expect("small");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut is_killed = false;
        while let Some(Ok(line)) = lines.next() {
            let number =
                line.strip_prefix("acknowledged ").and_then(|rest| rest.strip_suffix(" ."));
            acknowledged.extend(number.map(|number| number.parse::<u64>().expect("a number")));
            if acknowledged.len() >= kill_after && !is_killed {
                child.kill().expect("kill");
                is_killed = true;
            }
        }
        let status = child.wait().expect("wait");
        assert!(is_killed, "round {round}: the child ended by itself: {status}");

        runtime.block_on(async {
            let store = open(dir.path()).await;
            for number in &acknowledged {
                assert!(
                    has_upload(&store, *number).await,
                    "round {round}: upload {number} is lost"
                );
            }
            let size = usize::try_from(log_size(&store).await).expect("fits");
            assert!(size > acknowledged.len(), "round {round}: {size} entries");
            store.shutdown().await;
        });
    }
}
