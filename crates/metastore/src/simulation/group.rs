//! The nodes of one simulated group, running or not.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use openraft::{BasicNode, Config, RaftMetrics, ServerState};
use parking_lot::Mutex;

use super::{
    fabric::Fabric,
    history::{Record, SeenMembership},
    node::{Process, SimNode},
    random::Random,
    snapshot_files::SnapshotFiles,
};

/// A leader of openraft 0.9.25 stops when it wants to send a snapshot through a task that has just
/// ended because it met a newer leader. The process ends, is started again, and nothing is lost.
const KNOWN_STOP: &str = "replication channel closed";

/// What nodes are made of.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) fabric: Fabric,
    pub(crate) files: SnapshotFiles,
    pub(crate) record: Record,
}

pub(crate) struct Group {
    pub(crate) parts: Parts,
    state: Mutex<State>,
    is_quiet: AtomicBool,
}

struct State {
    nodes: BTreeMap<u64, SimNode>,
    paused: BTreeSet<u64>,
    /// Nodes that left the group for good.
    retired: BTreeSet<u64>,
    random: Random,
}

impl Group {
    pub(crate) fn new(parts: Parts, random: Random) -> Self {
        let state = State {
            nodes: BTreeMap::new(),
            paused: BTreeSet::new(),
            retired: BTreeSet::new(),
            random,
        };
        Self { parts, state: Mutex::new(state), is_quiet: AtomicBool::new(false) }
    }

    /// Adds a new machine with an empty disk; returns its id, which nobody had before.
    pub(crate) fn add(&self) -> u64 {
        let mut state = self.state.lock();
        let id = 1 + state.nodes.len() as u64;
        let Parts { config, fabric, files, record } = self.parts.clone();
        let random = state.random.fork();
        state.nodes.insert(id, SimNode::new(id, config, fabric, files, record, random));
        id
    }

    /// Starts a node that does not run.
    pub(crate) async fn start(&self, id: u64) {
        let starting = {
            let mut state = self.state.lock();
            let node = state.nodes.get_mut(&id).expect("known");
            if node.process.is_some() {
                return;
            }
            node.starting()
        };
        let started = starting.await;
        self.state.lock().nodes.get_mut(&id).expect("known").process = started;
    }

    pub(crate) fn crash(&self, id: u64) {
        self.look_at(id);
        let mut state = self.state.lock();
        state.paused.remove(&id);
        state.nodes.get_mut(&id).expect("known").crash();
        self.parts.record.ends_to_install(id);
    }

    /// Crashes a node and puts an empty disk in.
    pub(crate) fn wipe(&self, id: u64) {
        self.crash(id);
        let mut state = self.state.lock();
        let random = state.random.fork();
        state.nodes.get_mut(&id).expect("known").wipe(random);
    }

    /// Takes a node out for good.
    pub(crate) fn retire(&self, id: u64) {
        self.crash(id);
        self.state.lock().retired.insert(id);
    }

    /// Brings those back that were retired while a change that names them was on its way.
    pub(crate) async fn recall_members(&self) {
        let processes = self.running().into_iter().filter_map(|id| self.process(id));
        let named: BTreeSet<u64> = processes
            .flat_map(|process| {
                let metrics = process.raft.metrics().borrow().clone();
                let nodes = metrics.membership_config.membership().nodes();
                nodes.map(|(id, _)| *id).collect::<Vec<u64>>()
            })
            .collect();
        self.state.lock().retired.retain(|id| !named.contains(id));
        for id in self.down() {
            self.start(id).await;
        }
    }

    pub(crate) fn pause(&self, id: u64) {
        let Some(process) = self.process(id) else { return };
        self.parts.record.trace.note(format_args!("node {id} pauses"));
        self.state.lock().paused.insert(id);
        process.life.pause();
    }

    pub(crate) fn resume(&self, id: u64) {
        if !self.state.lock().paused.remove(&id) {
            return;
        }
        self.parts.record.trace.note(format_args!("node {id} resumes"));
        if let Some(process) = self.process(id) {
            process.life.resume();
        }
    }

    pub(crate) fn jump_clock(&self, id: u64, offset_ms: i64) {
        self.parts.record.trace.note(format_args!("clock of node {id}: {offset_ms} ms off"));
        self.state.lock().nodes[&id].clock.jump_to(offset_ms);
    }

    pub(crate) fn process(&self, id: u64) -> Option<Process> {
        self.state.lock().nodes.get(&id)?.process.clone()
    }

    pub(crate) fn running(&self) -> Vec<u64> {
        self.ids(|node| node.process.is_some())
    }

    /// Nodes that are down and shall come back.
    pub(crate) fn down(&self) -> Vec<u64> {
        let retired = self.state.lock().retired.clone();
        self.ids(|node| node.process.is_none() && !retired.contains(&node.id))
    }

    /// Every node that was not retired.
    pub(crate) fn present(&self) -> Vec<u64> {
        let retired = self.state.lock().retired.clone();
        self.ids(|node| !retired.contains(&node.id))
    }

    pub(crate) fn paused(&self) -> Vec<u64> {
        self.state.lock().paused.iter().copied().collect()
    }

    fn ids(&self, wanted: impl Fn(&SimNode) -> bool) -> Vec<u64> {
        let state = self.state.lock();
        state.nodes.values().filter(|node| wanted(node)).map(|node| node.id).collect()
    }

    /// Whether a node never held anything.
    pub(crate) fn is_blank(&self, id: u64) -> bool {
        self.with_node(id, |node| node.disk.log(|log| log.end().is_none()))
    }

    pub(crate) fn with_node<T>(&self, id: u64, look: impl FnOnce(&SimNode) -> T) -> T {
        look(&self.state.lock().nodes[&id])
    }

    /// The node that leads with the highest term, as far as anybody knows.
    pub(crate) fn leader(&self) -> Option<(Process, RaftMetrics<u64, BasicNode>)> {
        let running = self.running().into_iter().filter_map(|id| self.process(id));
        let leading = running.filter_map(|process| {
            let metrics = process.raft.metrics().borrow().clone();
            (metrics.state == ServerState::Leader).then_some((process, metrics))
        });
        leading.max_by_key(|(_, metrics)| metrics.current_term)
    }

    /// Writes down what a node says of itself, and whether it has stopped by itself.
    fn look_at(&self, id: u64) {
        let Some(process) = self.process(id) else { return };
        let metrics = process.raft.metrics().borrow().clone();
        if process.life.has_panicked() {
            self.parts.record.stopped(format!("node {id} panicked"));
        }
        if let Err(fatal) = metrics.running_state.as_ref().map_err(ToString::to_string) {
            let what = format!("node {id} stopped: {fatal}");
            if fatal.contains(KNOWN_STOP) {
                self.parts.record.trace.note(format_args!("{what}"));
            } else {
                self.parts.record.stopped(what);
            }
        }
        self.parts.record.saw_membership(SeenMembership {
            node: id,
            applied: metrics.last_applied,
            membership: (*metrics.membership_config).clone(),
        });
    }

    pub(crate) fn look_at_all(&self) {
        for id in self.running() {
            self.look_at(id);
            let has_stopped = self
                .process(id)
                .is_some_and(|process| process.raft.metrics().borrow().running_state.is_err());
            if has_stopped {
                // Its process ends, as in production, and is started again later.
                self.crash(id);
            }
        }
    }

    /// Clients end what they are doing, and begin nothing more.
    pub(crate) fn become_quiet(&self) {
        self.is_quiet.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet.load(Ordering::Relaxed)
    }
}
