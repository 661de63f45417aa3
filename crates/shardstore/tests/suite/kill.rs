//! I1 durable: what was acknowledged survives the death of the process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use custos_ports::ShardStore;
use custos_shardstore::{LocalDisk, OpenMode, Options};

use crate::support::{
    ID, ORDER, Random, assert_absent, assert_whole, key, open, remove_index, shard,
};

const CHILD_DIR: &str = "CUSTOS_SHARDSTORE_KILL_DIR";
const CHILD_FIRST: &str = "CUSTOS_SHARDSTORE_KILL_FIRST";
const ROUNDS: u64 = 12;
const WRITERS: u64 = 6;

fn len_of(number: u64) -> usize {
    usize::try_from(Random(number).below(300_000)).expect("small") + 1
}

/// Every tenth shard is removed after it is written.
fn is_removed(number: u64) -> bool {
    number % 10 == 3
}

/// Not a test by itself: what the killed process runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_writes_until_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let first: u64 = std::env::var(CHILD_FIRST).expect("set").parse().expect("a number");
    let dir = Path::new(&dir);
    let mode = match dir.join("disk.json").exists() {
        true => OpenMode::Existing,
        false => OpenMode::Create { id: ID },
    };
    let mut options = Options::new(dir, "killed", mode);
    options.extent_bytes_max = 8 << 20;
    let disk = std::sync::Arc::new(LocalDisk::open(options).expect("opened"));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let disk = disk.clone();
        tasks.spawn(async move {
            for number in (first + writer..).step_by(usize::try_from(WRITERS).expect("small")) {
                disk.write(shard(number, len_of(number))).await.expect("written");
                say(&format!("stored {number}"));
                if is_removed(number) {
                    disk.remove(&[key(number)], ORDER).await.expect("removed");
                    say(&format!("removed {number}"));
                }
            }
        });
    }
    tasks.join_all().await;
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nack {line}").expect("the parent listens");
    out.flush().expect("the parent listens");
}

/// Runs a child until `acks` acknowledgements came, kills it with SIGKILL, and returns them all.
fn run_and_kill(dir: &Path, first: u64, acks: usize) -> Vec<(String, u64)> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::child_writes_until_killed", "--nocapture"])
        .env(CHILD_DIR, dir)
        .env(CHILD_FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("child started");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let mut seen = Vec::new();
    for line in out.lines() {
        let line = line.expect("text");
        let mut words = line.split(' ');
        // A last line that the kill cut short proves nothing either way.
        if let (Some("ack"), Some(what), Some(Ok(number))) =
            (words.next(), words.next(), words.next().map(str::parse))
        {
            seen.push((what.to_owned(), number));
        }
        if seen.len() == acks {
            child.kill().expect("killed");
        }
    }
    let status = child.wait().expect("ended");
    assert!(!status.success(), "the child ended by itself: {status}");
    assert!(seen.len() >= acks, "the child died by itself after {} acks", seen.len());
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_durable_everything_acknowledged_survives_kill_9() {
    let seed = 20_260_301;
    let mut random = Random(seed);
    let scratch = tempfile::tempdir().expect("tempdir");
    let dir = scratch.path().join("disk");
    let mut stored = Vec::new();
    let mut removed = Vec::new();
    for round in 0..ROUNDS {
        let acks = 1 + usize::try_from(random.below(60)).expect("small");
        for (what, number) in run_and_kill(&dir, round * 100_000, acks) {
            if what == "removed" { removed.push(number) } else { stored.push(number) }
        }
        if round % 4 == 3 {
            remove_index(&dir);
        }
        let disk = open(&dir);
        for number in &stored {
            if is_removed(*number) {
                if removed.contains(number) {
                    assert_absent(&disk, *number).await;
                }
            } else {
                assert_whole(&disk, &shard(*number, len_of(*number))).await;
            }
        }
        assert_eq!(disk.scan_report().damaged_extents, 0, "seed {seed}, round {round}");
        let status = disk.status().await;
        assert!(status.shards as usize >= stored.len() - removed.len(), "seed {seed}");
    }
}
