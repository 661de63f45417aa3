//! One run: a group, its clients, what goes wrong, and what must be true of it.

use std::{path::Path, sync::Arc};

use custos_core::MetaId;
use openraft::Config;
use tempfile::TempDir;
use tokio::{
    runtime::Builder,
    time::{self, Duration, Instant},
};

use super::{
    clients::{self, Client},
    clock::SimClock,
    fabric::Fabric,
    group::{Group, Parts},
    history::{Ending, Record},
    invariants,
    nemesis::{self, Nemesis},
    random::Random,
    runtime::seed_elections,
    snapshot_files::SnapshotFiles,
    trace::{Telling, Trace},
    transport::endpoint,
};
use crate::{Options, dir_lock::DirLock, metastore, network::MemberChange};

/// Longest time to serve again after all faults have stopped.
const HEAL_MAX: Duration = Duration::from_secs(40);
/// Attempts at each step of the beginning; only planted bugs need more than a few.
const BEGIN_ATTEMPTS_MAX: usize = 20;
const CLIENTS: u64 = 4;

/// What came of a seed.
pub(crate) struct Run {
    /// The first invariant that was broken, and how.
    pub(crate) verdict: Result<(), String>,
    /// Hash of everything that happened.
    pub(crate) hash: u64,
    /// Everything that happened, if it was to be told.
    pub(crate) lines: Vec<String>,
    /// Entries that were committed.
    pub(crate) entries: usize,
}

/// Runs a seed.
pub(crate) fn run(seed: u64, telling: Telling) -> Run {
    let mut random = Random::new(seed);
    seed_elections(Some(random.fork()));
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let dir = scratch_dir();
    let (lock, _end) = DirLock::acquire(dir.path()).expect("a new directory");
    let files = SnapshotFiles::new(dir.path().to_owned(), lock);
    let run = runtime.block_on(live(random, files, telling));
    drop(runtime);
    seed_elections(None);
    run
}

/// Where snapshots go: in memory where that is to be had, as nothing of it need last.
fn scratch_dir() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let dir =
        if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    dir.expect("a temporary directory")
}

async fn live(mut random: Random, files: SnapshotFiles, telling: Telling) -> Run {
    let record = Record::new(Trace::new(telling));
    let config = Arc::new(some_config(&mut random));
    let fabric = Fabric::new(record.clone(), random.fork());
    let parts = Parts { config, fabric, files, record: record.clone() };
    let group = Arc::new(Group::new(parts, random.fork()));
    begin(&group, &mut random).await;

    let clients: Vec<_> = (1..=CLIENTS)
        .map(|number| {
            let client = Client::new(number, Arc::clone(&group), record.clone(), random.fork());
            tokio::spawn(client.run())
        })
        .collect();
    let end = Instant::now() + Duration::from_millis(random.between(5000, 40_000));
    Nemesis::new(Arc::clone(&group), record.clone(), random.fork()).run(end).await;
    nemesis::heal(&group).await;
    group.become_quiet();
    for client in clients {
        client.await.expect("clients do not fail");
    }
    let ending = end_well(&group, random.fork()).await;
    group.parts.fabric.disconnect_all();
    let history = record.finish(ending);
    let verdict = invariants::judge(&history);
    let (hash, lines) = record.trace.finish();
    Run { verdict, hash, lines, entries: history.committed.len() }
}

/// The configuration of production, with snapshots so often that they matter.
fn some_config(random: &mut Random) -> Config {
    let mut options = Options::new("simulated", Arc::new(SimClock::new()));
    options.snapshot_entries = [5, 15, 40, 1000][random.below(4) as usize];
    options.snapshot_tail_entries = [0, 2, 10][random.below(3) as usize];
    let config = metastore::raft_config(&options).expect("a valid configuration");
    Config { max_payload_entries: [1, 4, 64][random.below(3) as usize], ..config }
}

/// Founds the ledger on one node, and lets others join.
async fn begin(group: &Arc<Group>, random: &mut Random) {
    let first = group.add();
    group.start(first).await;
    group.process(first).expect("it starts").found(first).await;
    let mut client = Client::new(0, Arc::clone(group), group.parts.record.clone(), random.fork());
    for _ in 0..BEGIN_ATTEMPTS_MAX {
        if client.submit(clients::init_cluster()).await {
            break;
        }
    }
    for _ in 1..[1, 2, 3, 3, 3, 4, 5, 5][random.below(8) as usize] {
        let node = group.add();
        group.start(node).await;
        let id = MetaId(node);
        change(group, MemberChange::AddLearner { id, endpoint: endpoint(node) }).await;
        change(group, MemberChange::Promote(id)).await;
    }
}

/// A change while nothing goes wrong yet.
async fn change(group: &Group, change: MemberChange) {
    let first = group.process(1).expect("it runs");
    for _ in 0..BEGIN_ATTEMPTS_MAX {
        if let Ok(Ok(())) = first.change(change.clone()).await {
            return;
        }
        time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until the group serves and every member has the same, and says what it has then.
async fn end_well(group: &Arc<Group>, random: Random) -> Ending {
    let record = &group.parts.record;
    record.trace.note(format_args!("all faults have stopped"));
    let end = Instant::now() + HEAL_MAX;
    let mut client = Client::new(CLIENTS + 1, Arc::clone(group), record.clone(), random);
    let mut unserved = Some("nothing was asked".to_owned());
    while unserved.is_some() && Instant::now() < end {
        time::sleep(Duration::from_millis(500)).await;
        group.look_at_all();
        group.recall_members().await;
        unserved = serves(group, &mut client).await.err();
    }
    let mut ending = Ending { unserved, ..Ending::default() };
    if let Some((_, metrics)) = group.leader() {
        for (id, _) in metrics.membership_config.membership().nodes() {
            ending.states.insert(*id, group.with_node(*id, |node| node.disk.state()));
        }
    }
    ending
}

/// `Err` says what is still missing.
async fn serves(group: &Arc<Group>, client: &mut Client) -> Result<(), String> {
    let command = custos_ledger::Command::AdoptKey { key_id: [7; 8] };
    if !client.submit(command).await {
        return Err("commands are not answered".to_owned());
    }
    if !client.read(custos_ledger::Query::Checkpoint).await {
        return Err("strong reads are not answered".to_owned());
    }
    let mut missing = behind(group);
    for _ in 0..20 {
        if missing.is_ok() {
            break;
        }
        time::sleep(Duration::from_millis(100)).await;
        missing = behind(group);
    }
    missing
}

/// `Err` names a member that has not applied all of the leader's log.
fn behind(group: &Group) -> Result<(), String> {
    let (_, metrics) = group.leader().ok_or("nobody leads")?;
    let last = metrics.last_log_index;
    for (id, _) in metrics.membership_config.membership().nodes() {
        let applied = group.with_node(*id, |node| node.disk.state().last_applied);
        if applied.map(|id| id.index) != last {
            return Err(format!("node {id} has applied {applied:?}, the log ends at {last:?}"));
        }
    }
    Ok(())
}
