use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::MetaId;
use custos_ports::{MetaPeer, PeerFault, PeerLane, PeerTransport};
use openraft::{
    BasicNode, ChangeMembers, Config, RaftMetrics, ServerState, SnapshotPolicy,
    error::{Fatal, InitializeError, RaftError},
};
use tokio::{sync::watch, task};

use crate::{
    cluster_time::TimeKeeper,
    commands::CommandQueue,
    dir_lock::DirLock,
    durable,
    error::OpenError,
    fault::Fault,
    handle::{MetaStoreHandle, Running},
    identity::{Identity, Phase},
    leadership::LeaderWatch,
    log::LogStore,
    members::Members,
    network::{Group, Inbox, PeerNetwork},
    options::{Beginning, GroupOptions, Options},
    raft_types::Raft,
    reads::{self, ReadBarrier},
    rocks::RocksSetup,
    router::Router,
    state::StateMachine,
    state_floor::StateFloor,
};

/// A follower that hears nothing for the longest election time-out and then its own stands for
/// election: 1.3 to 1.6 s after the last heartbeat, far longer than an fsync takes.
const HEARTBEAT_MS: u64 = 200;
const ELECTION_TIMEOUT_MS_MIN: u64 = 500;
pub(crate) const ELECTION_TIMEOUT_MS_MAX: u64 = 800;
/// Most entries in one message to a follower. Entries are batches, so this is plenty.
const PAYLOAD_ENTRIES_MAX: u64 = 64;

/// One node of the replicated ledger.
#[derive(Debug, Clone, Copy)]
pub struct MetaStore;

impl MetaStore {
    /// Opens the node's directory, creating it when it is missing. A node that is alone, or that
    /// is the only one of its group with a vote, can be used when this returns: it leads, and all
    /// that was committed before is applied. In a larger group the other members must reach it
    /// first ([`MetaStoreHandle::receive`](custos_ports::PeerInbox::receive)); what is asked of it
    /// before waits.
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

    /// The node that the directory belongs to, if there is one.
    ///
    /// # Errors
    /// An identity that is damaged or of a newer format.
    pub fn node_of(dir: &Path) -> Result<Option<MetaId>, OpenError> {
        Identity::node_of(dir)
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
    let alone = GroupOptions::new("", "", Arc::new(NoPeers), Beginning::Founding);
    let member = options.group.clone().unwrap_or(alone);
    let group = Group::new(&member.origin, node_id, member.transport.clone());
    let network = PeerNetwork::new(group.clone(), member.snapshot_bytes_per_second);
    let started = Raft::new(node_id.0, config, network, log, machine).await;
    let raft = started.map_err(|error| OpenError::Raft { reason: error.to_string() })?;
    tokio::spawn(raise_on_fatal(raft.metrics(), fault.clone()));
    if let Err(error) = settle(&raft, identity, &options, &member).await {
        if let Err(error) = raft.shutdown().await {
            tracing::error!(%error, "raft did not stop cleanly");
        }
        return Err(error);
    }

    let Options { clock, request_timeout: timeout, queue_items_max, .. } = options;
    let (agreed, time) = TimeKeeper::channel();
    let commands = CommandQueue::start(raft.clone(), time, queue_items_max, timeout, fault.clone());
    let leader = LeaderWatch::start(&raft);
    let barrier = ReadBarrier::start(
        raft.clone(),
        leader.clone(),
        group.clone(),
        queue_items_max,
        timeout,
        fault,
    );
    let members = Members::new(raft.clone(), group.clone(), commands.clone());
    let time_keeper = TimeKeeper::start(raft.clone(), members.clone(), clock.clone(), agreed);
    let inbox = Arc::new(Inbox::new(
        group.clone(),
        raft.clone(),
        commands.clone(),
        barrier.clone(),
        members.clone(),
        clock,
    ));
    let router = Router {
        raft: raft.clone(),
        leader,
        group,
        commands,
        barrier,
        members: members.clone(),
        timeout,
    };
    Ok(Running { raft, router, reader, members, inbox, _time_keeper: time_keeper })
}

/// The transport of a node without a group.
struct NoPeers;

#[async_trait]
impl PeerTransport for NoPeers {
    async fn exchange(
        &self,
        to: &MetaPeer,
        _lane: PeerLane,
        _message: Bytes,
        _deadline: Duration,
    ) -> Result<Bytes, PeerFault> {
        Err(PeerFault::Unreachable { reason: format!("this node has no way to {to:?}") })
    }
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
        let floor = StateFloor::new();
        let log = LogStore::open(
            &dir.join("log"),
            node_id,
            &setup,
            lock.clone(),
            floor.clone(),
            fault.clone(),
        )?;
        let machine = StateMachine::open(dir, &setup, lock, floor, fault.clone(), &log.state()?)?;
        Ok(Self { identity, log, machine })
    }
}

pub(crate) fn raft_config(options: &Options) -> Result<Config, OpenError> {
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

/// Brings a started node into its group, or what it is of it already to where it can serve.
async fn settle(
    raft: &Raft,
    mut identity: Identity,
    options: &Options,
    member: &GroupOptions,
) -> Result<(), OpenError> {
    let me = options.node_id.0;
    let is_empty = !raft.is_initialized().await.map_err(fatal)?;
    match (is_empty, identity.phase(), member.beginning) {
        (true, Phase::Member, _) => return Err(OpenError::LogLost { dir: options.dir.clone() }),
        (true, Phase::New | Phase::Joining, Beginning::Joining) => {
            identity.reach(&options.dir, Phase::Joining)?;
            tokio::spawn(become_member(raft.metrics(), identity, options.dir.clone()));
            return Ok(());
        }
        (true, Phase::Joining, Beginning::Founding) => {
            return Err(OpenError::Raft {
                reason: "this node was to join a group, and cannot found one".to_owned(),
            });
        }
        (true, Phase::New, Beginning::Founding) => {
            let members = BTreeMap::from([(me, BasicNode { addr: member.endpoint.clone() })]);
            match raft.initialize(members).await {
                Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {}
                Err(error) => return Err(OpenError::Raft { reason: error.to_string() }),
            }
        }
        (false, _, _) => {}
    }
    if identity.phase() != Phase::Member {
        identity.reach(&options.dir, Phase::Member)?;
    }
    let (voters, recorded) = raft
        .with_raft_state(move |state| {
            let membership = state.membership_state.effective();
            let recorded = membership.membership().get_node(&me).map(|node| node.addr.clone());
            (membership.voter_ids().collect::<Vec<u64>>(), recorded)
        })
        .await
        .map_err(fatal)?;
    let has_moved = recorded.filter(|recorded| *recorded != member.endpoint);
    if voters == [me] {
        lead_alone(raft, options).await?;
        return match has_moved {
            Some(_) => announce(raft, me, &member.endpoint).await,
            None => Ok(()),
        };
    }
    match has_moved {
        Some(recorded) => {
            let configured = member.endpoint.clone();
            Err(OpenError::Moved { node: me, recorded, configured })
        }
        None => Ok(()),
    }
}

fn fatal(error: Fatal<u64>) -> OpenError {
    OpenError::Raft { reason: error.to_string() }
}

/// Nobody else can win: there is nothing to wait an election time-out for.
async fn lead_alone(raft: &Raft, options: &Options) -> Result<(), OpenError> {
    raft.trigger().elect().await.map_err(fatal)?;
    let wait = raft.wait(Some(options.start_timeout));
    let led = wait.metrics(|metrics| metrics.state == ServerState::Leader, "this node leads").await;
    led.map_err(|_| OpenError::NoLeader {
        waited_ms: u64::try_from(options.start_timeout.as_millis()).unwrap_or(u64::MAX),
    })?;
    wait_until_current(raft, options.start_timeout).await
}

/// Where this node is, for those who will join. Safe while nobody else has a vote.
async fn announce(raft: &Raft, me: u64, endpoint: &str) -> Result<(), OpenError> {
    let node = BasicNode { addr: endpoint.to_owned() };
    let change = ChangeMembers::SetNodes(BTreeMap::from([(me, node)]));
    let changed = raft.change_membership(change, true).await;
    changed.map(drop).map_err(|error| OpenError::Raft { reason: error.to_string() })
}

/// Writes down that the node takes part, as soon as there is something in its log.
async fn become_member(
    mut metrics: watch::Receiver<RaftMetrics<u64, BasicNode>>,
    mut identity: Identity,
    dir: std::path::PathBuf,
) {
    let Ok(_) = metrics.wait_for(|metrics| metrics.last_log_index.is_some()).await else { return };
    let written = task::spawn_blocking(move || identity.reach(&dir, Phase::Member)).await;
    match written {
        Ok(Ok(())) => tracing::info!("this node takes part in its group"),
        Ok(Err(error)) => tracing::error!(%error, "cannot write down that this node takes part"),
        Err(_) => {}
    }
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
