//! One node of the simulated group: everything that the metastore runs above its stores, on a
//! simulated disk and network.

use std::{collections::BTreeMap, future::Future, path::Path, sync::Arc, time::Duration};

use custos_core::MetaId;
use custos_ledger::{Answer, Envelope, Outcome, Query};
use custos_ports::LedgerError;
use openraft::{BasicNode, Config, error::InitializeError, error::RaftError};
use tokio::task::JoinHandle;

use super::{
    ORIGIN,
    clock::SimClock,
    disk::SimDisk,
    fabric::Fabric,
    history::Record,
    log_store::SimLog,
    machine::SimMachine,
    plant::{Plant, is_planted},
    random::Random,
    runtime::Life,
    snapshot_files::SnapshotFiles,
    transport::{SimTransport, endpoint},
};
use crate::{
    cluster_time::TimeKeeper,
    commands::CommandQueue,
    fault::Fault,
    leadership::LeaderWatch,
    members::Members,
    network::{Group, Inbox, MemberChange, PeerNetwork},
    raft_types::Raft,
    reads::ReadBarrier,
    recovery::{self, Marks, SnapshotFate},
    router::Router,
    state_floor::StateFloor,
};

/// Longest wait of a command or query, as `Options::request_timeout`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
const QUEUE_ITEMS_MAX: usize = 64;

/// What stays of a node when its process dies.
pub(crate) struct SimNode {
    pub(crate) id: u64,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) disk: SimDisk,
    config: Arc<Config>,
    fabric: Fabric,
    files: SnapshotFiles,
    record: Record,
    pub(crate) process: Option<Process>,
}

/// A running node.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) life: Life,
    pub(crate) raft: Raft,
    router: Router,
    machine: SimMachine,
    _time_keeper: Arc<TimeKeeper>,
}

impl SimNode {
    pub(crate) fn new(
        id: u64,
        config: Arc<Config>,
        fabric: Fabric,
        files: SnapshotFiles,
        record: Record,
        random: Random,
    ) -> Self {
        let disk = SimDisk::new(random);
        record.watch_disk(id, disk.clone());
        let clock = Arc::new(SimClock::new());
        Self { id, clock, disk, config, fabric, files, record, process: None }
    }

    /// Starts the process, on what the disk holds; resolves to `None` when it does not start.
    pub(crate) fn starting(&self) -> impl Future<Output = Option<Process>> + use<> {
        self.record.trace.note(format_args!("node {} starts", self.id));
        let verdict = self.judge_marks();
        if let Ok(SnapshotFate::Discard) = verdict {
            self.disk.discard_snapshot();
        }
        let (id, config, disk) = (self.id, Arc::clone(&self.config), self.disk.clone());
        let floor = StateFloor::new();
        let snapshot = self.disk.snapshot().and_then(|stored| stored.meta.last_log_id);
        floor.raise(snapshot);
        floor.raise(self.disk.state().installed);
        let (fabric, files) = (self.fabric.clone(), self.files.clone());
        let (clock, record) = (Arc::clone(&self.clock), self.record.clone());
        async move {
            let life = Life::default();
            let log = SimLog::new(id, disk.clone(), floor.clone());
            let machine = SimMachine::new(id, disk, floor, files, clock.clone(), record.clone());
            let run = run(id, config, fabric.clone(), log, machine.clone(), clock);
            let started = match verdict {
                Ok(_) => life.spawn(run).await.map_err(|error| error.to_string()).flatten(),
                Err(error) => Err(error.to_string()),
            };
            match started {
                Ok((router, inbox, time_keeper)) => {
                    fabric.connect(id, life.clone(), inbox, router.raft.clone());
                    Some(Process {
                        life,
                        raft: router.raft.clone(),
                        router,
                        machine,
                        _time_keeper: time_keeper,
                    })
                }
                Err(reason) => {
                    record.stopped(format!("node {id} does not start: {reason}"));
                    None
                }
            }
        }
    }

    /// What the real store checks when it opens.
    fn judge_marks(&self) -> Result<SnapshotFate, crate::OpenError> {
        let state = self.disk.state();
        let (log_end, purged) = self.disk.log(|log| (log.end(), log.purged));
        let marks = Marks {
            log_end,
            purged,
            applied: state.last_applied,
            installed: state.installed,
            snapshot: self.disk.snapshot().and_then(|stored| stored.meta.last_log_id),
        };
        recovery::judge(Path::new("simulated"), &marks)
    }

    /// Kills the process and takes the power from the disk.
    pub(crate) fn crash(&mut self) {
        let Some(process) = self.process.take() else { return };
        self.fabric.disconnect(self.id);
        process.life.end();
        let lost = self.disk.crash();
        self.record.trace.note(format_args!("node {} crashes, {lost} writes are lost", self.id));
    }

    /// A new disk in place of the old one.
    pub(crate) fn wipe(&mut self, random: Random) {
        assert!(self.process.is_none(), "node {} runs", self.id);
        self.disk = SimDisk::new(random);
        self.record.watch_disk(self.id, self.disk.clone());
    }
}

/// What the metastore runs on its stores.
async fn run(
    id: u64,
    config: Arc<Config>,
    fabric: Fabric,
    log: SimLog,
    machine: SimMachine,
    clock: Arc<SimClock>,
) -> Result<(Router, Arc<Inbox>, Arc<TimeKeeper>), String> {
    let group = Group::new(ORIGIN, MetaId(id), Arc::new(SimTransport { from: id, fabric }));
    let started = Raft::new(id, config, PeerNetwork::new(group.clone(), 0), log, machine).await;
    let raft = started.map_err(|error| error.to_string())?;
    let (items_max, timeout, fault) = (QUEUE_ITEMS_MAX, REQUEST_TIMEOUT, Fault::new());
    let (agreed, time) = TimeKeeper::channel();
    let commands = CommandQueue::start(raft.clone(), time, items_max, timeout, fault.clone());
    let leader = LeaderWatch::start(&raft);
    let (watch, peers) = (leader.clone(), group.clone());
    let barrier = ReadBarrier::start(raft.clone(), watch, peers, items_max, timeout, fault);
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
    let router = Router { raft, leader, group, commands, barrier, members, timeout };
    Ok((router, inbox, time_keeper))
}

impl Process {
    /// Founds the group, alone.
    pub(crate) async fn found(&self, me: u64) {
        let members = BTreeMap::from([(me, BasicNode { addr: endpoint(me) })]);
        match self.raft.initialize(members).await {
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {}
            Err(error) => panic!("the group does not begin: {error}"),
        }
    }

    pub(crate) fn submit(&self, envelope: Envelope) -> JoinHandle<Result<Outcome, LedgerError>> {
        let router = self.router.clone();
        self.life.spawn(async move { router.submit(envelope).await })
    }

    pub(crate) fn query(&self, query: Query) -> JoinHandle<Result<Answer, LedgerError>> {
        let (router, machine) = (self.router.clone(), self.machine.clone());
        self.life.spawn(async move {
            if !is_planted(Plant::ReadUnconfirmed) {
                router.wait_until_current().await?;
            }
            Ok(machine.query(&query))
        })
    }

    pub(crate) fn change(&self, change: MemberChange) -> JoinHandle<Result<(), LedgerError>> {
        let router = self.router.clone();
        self.life.spawn(async move { router.change(&change).await })
    }
}
