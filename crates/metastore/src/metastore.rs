use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use custos_core::MetaId;
use openraft::{
    BasicNode, Config, RaftMetrics, ServerState, SnapshotPolicy,
    error::{Fatal, InitializeError, RaftError},
};
use tokio::{sync::watch, task};

use crate::{
    commands::CommandQueue,
    dir_lock::DirLock,
    durable,
    error::OpenError,
    fault::Fault,
    handle::{MetaStoreHandle, Running},
    identity::{Identity, Phase},
    log::LogStore,
    network::NoPeers,
    options::Options,
    raft_types::Raft,
    reads::{self, ReadBarrier},
    rocks::RocksSetup,
    state::StateMachine,
};

/// Beside real fsyncs, openraft's defaults would depose leaders that are merely writing.
const HEARTBEAT_MS: u64 = 250;
const ELECTION_TIMEOUT_MS_MIN: u64 = 1000;
const ELECTION_TIMEOUT_MS_MAX: u64 = 2000;
/// Most entries in one message to a follower. Entries are batches, so this is plenty.
const PAYLOAD_ENTRIES_MAX: u64 = 64;

/// One node of the replicated ledger.
#[derive(Debug, Clone, Copy)]
pub struct MetaStore;

impl MetaStore {
    /// Opens the node's directory, creating it when it is missing, and returns when the ledger
    /// can be used: when this node leads, and all that was committed before is applied.
    ///
    /// Must be called within a tokio runtime, which the node's tasks then live on.
    ///
    /// # Errors
    /// See [`OpenError`]. The directory is unlocked again when this returns an error.
    pub async fn open(options: Options) -> Result<MetaStoreHandle, OpenError> {
        let dir = options.dir.clone();
        let (lock, mut lock_end) = blocking(move || {
            durable::create_dir(&dir)?;
            DirLock::acquire(&dir)
        })
        .await?;
        let fault = Fault::new();
        match start(options, lock, fault.clone()).await {
            Ok(running) => Ok(MetaStoreHandle::new(running, lock_end, fault)),
            Err(error) => {
                // Files close on other threads: behind an error none may still be open.
                lock_end.wait().await;
                Err(error)
            }
        }
    }
}

/// Opens what is on disk and runs Raft on it until it can serve. Whatever fails, everything that
/// holds a clone of `lock` is dropped or about to be.
async fn start(options: Options, lock: DirLock, fault: Fault) -> Result<Running, OpenError> {
    let (dir, node_id, stores_fault) = (options.dir.clone(), options.node_id, fault.clone());
    let opened = blocking(move || Stores::open(&dir, node_id, &lock, &stores_fault));
    let Stores { identity, log, machine } = opened.await?;

    let reader = machine.reader();
    let config = Arc::new(raft_config(&options)?);
    let started = Raft::new(node_id.0, config, NoPeers, log, machine).await;
    let raft = started.map_err(|error| OpenError::Raft { reason: error.to_string() })?;
    tokio::spawn(raise_on_fatal(raft.metrics(), fault.clone()));
    if let Err(error) = become_ready(&raft, identity, &options).await {
        if let Err(error) = raft.shutdown().await {
            tracing::error!(%error, "raft did not stop cleanly");
        }
        return Err(error);
    }

    let Options { clock, request_timeout, queue_items_max, .. } = options;
    let commands =
        CommandQueue::start(raft.clone(), clock, queue_items_max, request_timeout, fault.clone());
    let barrier = ReadBarrier::start(raft.clone(), queue_items_max, request_timeout, fault);
    Ok(Running { raft, commands, barrier, reader })
}

/// Runs `work` away from the runtime's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(OpenError::Storage { reason: format!("opening did not end: {error}") })
    })
}

/// Everything on disk, opened.
struct Stores {
    identity: Identity,
    log: LogStore,
    machine: StateMachine,
}

impl Stores {
    fn open(dir: &Path, node_id: MetaId, lock: &DirLock, fault: &Fault) -> Result<Self, OpenError> {
        let identity = Identity::read_or_create(dir, node_id)?;
        let setup = Arc::new(RocksSetup::new());
        let log = LogStore::open(&dir.join("log"), &setup, lock.clone(), fault.clone())?;
        let machine = StateMachine::open(dir, &setup, lock, fault.clone(), &log.state()?)?;
        Ok(Self { identity, log, machine })
    }
}

fn raft_config(options: &Options) -> Result<Config, OpenError> {
    let config = Config {
        cluster_name: "custos".to_owned(),
        heartbeat_interval: HEARTBEAT_MS,
        election_timeout_min: ELECTION_TIMEOUT_MS_MIN,
        election_timeout_max: ELECTION_TIMEOUT_MS_MAX,
        max_payload_entries: PAYLOAD_ENTRIES_MAX,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(options.snapshot_entries),
        max_in_snapshot_log_to_keep: options.snapshot_tail_entries,
        // A follower that lags is fed from the log for as long as the log can have what it needs:
        // a lower threshold would send it snapshot after snapshot.
        replication_lag_threshold: options.snapshot_entries + options.snapshot_tail_entries,
        ..Config::default()
    };
    config.validate().map_err(|error| OpenError::Raft { reason: error.to_string() })
}

/// Brings a started node to where it can serve.
async fn become_ready(
    raft: &Raft,
    mut identity: Identity,
    options: &Options,
) -> Result<(), OpenError> {
    let fatal = |error: Fatal<u64>| OpenError::Raft { reason: error.to_string() };
    let me = options.node_id.0;
    if !raft.is_initialized().await.map_err(fatal)? {
        if identity.phase() == Phase::Member {
            return Err(OpenError::LogLost { dir: options.dir.clone() });
        }
        let members = BTreeMap::from([(me, BasicNode::default())]);
        match raft.initialize(members).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {}
            Err(error) => return Err(OpenError::Raft { reason: error.to_string() }),
        }
    }
    if identity.phase() == Phase::New {
        identity.become_member(&options.dir)?;
    }
    let voters = raft
        .with_raft_state(|state| {
            let membership = state.membership_state.effective();
            membership.voter_ids().collect::<Vec<u64>>()
        })
        .await
        .map_err(fatal)?;
    let no_leader = OpenError::NoLeader {
        waited_ms: u64::try_from(options.start_timeout.as_millis()).unwrap_or(u64::MAX),
    };
    if voters == [me] {
        // Nobody else can win: there is nothing to wait an election time-out for.
        raft.trigger().elect().await.map_err(fatal)?;
    }
    let wait = raft.wait(Some(options.start_timeout));
    let led = wait.metrics(|metrics| metrics.current_leader.is_some(), "a leader is known").await;
    let Ok(metrics) = led else { return Err(no_leader) };
    if metrics.state == ServerState::Leader {
        wait_until_current(raft, options.start_timeout).await?;
    }
    Ok(())
}

async fn wait_until_current(raft: &Raft, timeout: Duration) -> Result<(), OpenError> {
    reads::confirm(raft, timeout)
        .await
        .map_err(|error| OpenError::Raft { reason: error.to_string() })
}

/// Raises the fault when Raft itself stops for another reason than being asked to.
async fn raise_on_fatal(mut metrics: watch::Receiver<RaftMetrics<u64, BasicNode>>, fault: Fault) {
    let stopped = metrics.wait_for(|metrics| metrics.running_state.is_err()).await;
    // The sender only goes after it has said why Raft stops.
    let Ok(metrics) = stopped else { return };
    match &metrics.running_state {
        Ok(()) | Err(Fatal::Stopped) => {}
        Err(fatal) => fault.raise(format!("raft stopped: {fatal}")),
    }
}
