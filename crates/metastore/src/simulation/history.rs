//! What happened in a run, for the invariants to judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use custos_core::Refusal;
use custos_ledger::{Answer, Envelope, MemoryKv, Outcome, Query};
use openraft::EntryPayload;
use parking_lot::Mutex;

use super::{
    disk::{SimDisk, StateImage},
    trace::Trace,
};
use crate::{
    raft_types::{Entry, LogId, StoredMembership},
    records,
};

/// A moment: events are numbered in the order in which they happened.
pub(crate) type Moment = u64;

/// Everything that the invariants look at.
#[derive(Debug, Default)]
pub(crate) struct History {
    next: Moment,
    /// Every application of every entry on every node.
    pub(crate) applied: Vec<Applied>,
    /// By index: the entry as it was first applied anywhere.
    pub(crate) committed: BTreeMap<u64, Committed>,
    pub(crate) operations: Vec<Operation>,
    /// What nodes held for their membership, whenever it was looked at.
    pub(crate) memberships: Vec<SeenMembership>,
    /// Nodes that stopped or did not start although nobody wished it.
    pub(crate) stopped: Vec<String>,
    /// How the run ended.
    pub(crate) ending: Option<Ending>,
}

#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) node: u64,
    pub(crate) log_id: LogId,
    /// Digest of the entry's bytes.
    pub(crate) entry: u64,
    /// Digest of the state and its membership afterwards.
    pub(crate) state: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Committed {
    pub(crate) entry: Entry,
    pub(crate) moment: Moment,
    /// Nodes that had it where a crash does not reach it.
    pub(crate) holders: BTreeSet<u64>,
    /// The groups of voters that may have committed it: each a list of groups that all must agree.
    pub(crate) electorates: Vec<Vec<BTreeSet<u64>>>,
}

/// One attempt of a client.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) client: u64,
    pub(crate) asked: Asked,
    pub(crate) invoked: Moment,
    pub(crate) answer: Option<(Moment, Answered)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Command(Box<Envelope>),
    Read(Query),
}

/// What an attempt was told.
#[derive(Debug, Clone)]
pub(crate) enum Answered {
    Done(Box<Outcome>),
    Refused(Refusal),
    Read(Box<Answer>),
    /// Surely nothing was done.
    Failed,
    /// It may be done.
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct SeenMembership {
    pub(crate) node: u64,
    pub(crate) applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
}

/// After all faults have stopped.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    /// What the group still had not done when it should have.
    pub(crate) unserved: Option<String>,
    /// State of every member at the end.
    pub(crate) states: BTreeMap<u64, StateImage>,
}

/// The history while it is being made, and the trace beside it.
#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) trace: Arc<Trace>,
    history: Arc<Mutex<History>>,
    disks: Arc<Mutex<BTreeMap<u64, SimDisk>>>,
    /// Nodes that are putting a snapshot in force.
    installing: Arc<Mutex<BTreeSet<u64>>>,
}

impl Record {
    pub(crate) fn new(trace: Trace) -> Self {
        Self {
            trace: Arc::new(trace),
            history: Arc::default(),
            disks: Arc::default(),
            installing: Arc::default(),
        }
    }

    pub(crate) fn watch_disk(&self, node: u64, disk: SimDisk) {
        self.disks.lock().insert(node, disk);
    }

    pub(crate) fn begins_to_install(&self, node: u64) {
        self.installing.lock().insert(node);
    }

    /// It has installed, or is dead.
    pub(crate) fn ends_to_install(&self, node: u64) {
        self.installing.lock().remove(&node);
    }

    /// A node that is at it.
    pub(crate) fn installing(&self) -> Option<u64> {
        self.installing.lock().first().copied()
    }

    pub(crate) fn applied(&self, node: u64, entry: &Entry, state: &StateImage) {
        let log_id = entry.log_id;
        let digest = digest_entry(entry);
        let applied = Applied { node, log_id, entry: digest, state: digest_state(state) };
        self.trace.note(format_args!("node {node} applied {log_id}: {:016x}", applied.state));
        let is_new = !self.history.lock().committed.contains_key(&log_id.index);
        let witnesses = is_new.then(|| (self.holders(log_id), self.electorates(entry)));
        let mut history = self.history.lock();
        history.applied.push(applied);
        if let Some((holders, electorates)) = witnesses {
            let moment = history.advance();
            let committed = Committed { entry: entry.clone(), moment, holders, electorates };
            history.committed.insert(log_id.index, committed);
        }
    }

    fn holders(&self, log_id: LogId) -> BTreeSet<u64> {
        let is_past = |mark: Option<LogId>| mark.is_some_and(|mark| mark.index >= log_id.index);
        let holds = |disk: &SimDisk| {
            let in_log = disk.synced_log(|log| {
                let entry = log.entries.get(&log_id.index);
                entry.is_some_and(|entry| entry.log_id == log_id) || is_past(log.purged)
            });
            in_log || is_past(disk.synced_state().last_applied)
        };
        let disks = self.disks.lock();
        disks.iter().filter(|(_, disk)| holds(disk)).map(|(node, _)| *node).collect()
    }

    /// The memberships by which `entry` may have been committed: the last committed one, which may
    /// be the entry's own, or one that was proposed since. A leader counts by the last in its log.
    fn electorates(&self, entry: &Entry) -> Vec<Vec<BTreeSet<u64>>> {
        let id = entry.log_id;
        let mut last = membership_of(entry).map(|groups| (id, groups));
        if last.is_none() {
            let history = self.history.lock();
            let earlier = history.committed.range(..id.index).rev();
            last = earlier
                .filter_map(|(_, committed)| {
                    Some((committed.entry.log_id, membership_of(&committed.entry)?))
                })
                .next();
        }
        let in_force_from = last.as_ref().map_or(0, |(id, _)| id.index);
        let mut found = BTreeMap::from_iter(last);
        for disk in self.disks.lock().values() {
            disk.log(|log| {
                let has_it = log.entries.get(&id.index).is_some_and(|entry| entry.log_id == id);
                let later = log.entries.range(in_force_from..).filter(|_| has_it);
                found.extend(
                    later.filter_map(|(_, entry)| Some((entry.log_id, membership_of(entry)?))),
                );
            });
        }
        found.into_values().collect()
    }

    /// Notes an attempt; the number is for its answer.
    pub(crate) fn invoked(&self, client: u64, node: u64, asked: Asked) -> usize {
        match &asked {
            Asked::Command(envelope) => {
                let attempt = hex(&envelope.entry_salt[..4]);
                self.trace.note(format_args!("client {client} to {node}: command {attempt}"));
            }
            Asked::Read(query) => {
                self.trace.note(format_args!("client {client} to {node}: {query:?}"));
            }
        }
        let mut history = self.history.lock();
        let invoked = history.advance();
        history.operations.push(Operation { client, asked, invoked, answer: None });
        history.operations.len() - 1
    }

    pub(crate) fn answered(&self, number: usize, answer: Answered) {
        let mut history = self.history.lock();
        let moment = history.advance();
        let operation = &mut history.operations[number];
        self.trace.note(format_args!("client {} got {answer:?}", operation.client));
        operation.answer = Some((moment, answer));
    }

    pub(crate) fn saw_membership(&self, seen: SeenMembership) {
        self.history.lock().memberships.push(seen);
    }

    pub(crate) fn stopped(&self, what: String) {
        self.trace.note(format_args!("{what}"));
        self.history.lock().stopped.push(what);
    }

    pub(crate) fn finish(&self, ending: Ending) -> History {
        let mut history = std::mem::take(&mut *self.history.lock());
        history.ending = Some(ending);
        history
    }
}

impl History {
    fn advance(&mut self) -> Moment {
        self.next += 1;
        self.next
    }
}

fn membership_of(entry: &Entry) -> Option<Vec<BTreeSet<u64>>> {
    match &entry.payload {
        EntryPayload::Membership(membership) => Some(membership.get_joint_config().clone()),
        EntryPayload::Blank | EntryPayload::Normal(_) => None,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_entry(entry: &Entry) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&records::encode_entry(entry));
    hasher.finish()
}

pub(crate) fn digest_state(state: &StateImage) -> u64 {
    let mut hasher = DefaultHasher::new();
    digest_map(&state.kv, &mut hasher);
    hasher.write(&records::encode_membership(&state.membership));
    hasher.finish()
}

fn digest_map(map: &MemoryKv, hasher: &mut impl Hasher) {
    for pair in map {
        pair.hash(hasher);
    }
}
