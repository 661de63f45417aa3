//! A node's disk: what a crash leaves of it is what was synced, and a piece of what was not.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use custos_ledger::MemoryKv;
use parking_lot::Mutex;

use super::random::Random;
use crate::raft_types::{Entry, LogId, Snapshot, SnapshotMeta, StoredMembership, Vote};
use crate::state::SnapshotDir;

/// The Raft log with the vote and the marks that go with it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogImage {
    pub(crate) entries: BTreeMap<u64, Entry>,
    pub(crate) vote: Option<Vote>,
    pub(crate) committed: Option<LogId>,
    pub(crate) purged: Option<LogId>,
}

/// One change of the log.
#[derive(Debug, Clone)]
pub(crate) enum LogWrite {
    Append(Vec<Entry>),
    Vote(Vote),
    Committed(Option<LogId>),
    /// From this index on.
    Truncate(u64),
    /// Up to and with this entry.
    Purge(LogId),
}

impl LogImage {
    fn apply(&mut self, write: LogWrite) {
        match write {
            LogWrite::Append(entries) => {
                self.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
            }
            LogWrite::Vote(vote) => self.vote = Some(vote),
            LogWrite::Committed(committed) => self.committed = committed,
            LogWrite::Truncate(from) => drop(self.entries.split_off(&from)),
            LogWrite::Purge(upto) => {
                self.entries = self.entries.split_off(&(upto.index + 1));
                self.purged = Some(upto);
            }
        }
    }

    /// The last entry, or the last that was purged.
    pub(crate) fn end(&self) -> Option<LogId> {
        self.entries.values().next_back().map(|entry| entry.log_id).or(self.purged)
    }
}

/// The replicated state with its marks. Clones share the map until one of them changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct StateImage {
    pub(crate) kv: Arc<MemoryKv>,
    pub(crate) last_applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
    /// Last entry of the snapshot that this state was installed from.
    pub(crate) installed: Option<LogId>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredSnapshot {
    pub(crate) meta: SnapshotMeta,
    pub(crate) dir: SnapshotDir,
}

impl StoredSnapshot {
    pub(crate) fn to_snapshot(&self) -> Snapshot {
        Snapshot { meta: self.meta.clone(), snapshot: Box::new(self.dir.clone()) }
    }
}

/// Whether a write has to wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    Synced,
    /// Durable when a later write is synced.
    Lazy,
}

#[derive(Debug, Clone)]
pub(crate) struct SimDisk {
    content: Arc<Mutex<Content>>,
}

#[derive(Debug)]
struct Content {
    log: LogImage,
    synced_log: LogImage,
    /// What `log` has over `synced_log`, and the number of the first of it.
    unsynced: VecDeque<LogWrite>,
    first_unsynced: u64,
    state: StateImage,
    synced_state: StateImage,
    /// Finished snapshots are synced.
    snapshot: Option<StoredSnapshot>,
    random: Random,
    sync_ms_max: u64,
}

impl SimDisk {
    pub(crate) fn new(mut random: Random) -> Self {
        let sync_ms_max = [2, 10, 40][usize::try_from(random.below(3)).expect("small")];
        let content = Content {
            log: LogImage::default(),
            synced_log: LogImage::default(),
            unsynced: VecDeque::new(),
            first_unsynced: 0,
            state: StateImage::default(),
            synced_state: StateImage::default(),
            snapshot: None,
            random,
            sync_ms_max,
        };
        Self { content: Arc::new(Mutex::new(content)) }
    }

    /// Changes the log, at once for readers; returns when the change is as durable as asked.
    pub(crate) async fn write_log(&self, write: LogWrite, durability: Durability) {
        let number = {
            let mut content = self.content.lock();
            content.log.apply(write.clone());
            content.unsynced.push_back(write);
            content.first_unsynced + content.unsynced.len() as u64
        };
        if durability == Durability::Synced {
            self.latency().await;
            self.content.lock().sync_before(number);
        }
    }

    /// Only until the next crash; for a planted bug.
    pub(crate) fn remember_vote(&self, vote: Vote) {
        self.content.lock().log.vote = Some(vote);
    }

    /// As long as the disk takes for something.
    pub(crate) async fn latency(&self) {
        let latency = {
            let mut content = self.content.lock();
            let usual = content.sync_ms_max;
            // Now and then a disk is busy with itself.
            let most = if content.random.permille(10) { usual * 20 } else { usual };
            Duration::from_millis(content.random.below(most + 1))
        };
        tokio::time::sleep(latency).await;
    }

    /// As long as a snapshot takes to be verified and put in place.
    pub(crate) async fn long_latency(&self) {
        let latency = self.content.lock().random.below(600);
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }

    pub(crate) fn log<T>(&self, read: impl FnOnce(&LogImage) -> T) -> T {
        read(&self.content.lock().log)
    }

    /// What of the log a crash cannot take.
    pub(crate) fn synced_log<T>(&self, read: impl FnOnce(&LogImage) -> T) -> T {
        read(&self.content.lock().synced_log)
    }

    pub(crate) fn state(&self) -> StateImage {
        self.content.lock().state.clone()
    }

    pub(crate) fn synced_state(&self) -> StateImage {
        self.content.lock().synced_state.clone()
    }

    pub(crate) fn set_state(&self, state: StateImage) {
        let mut content = self.content.lock();
        content.state = state;
        // The database below the state flushes when it likes.
        if content.random.permille(100) {
            content.synced_state = content.state.clone();
        }
    }

    /// Makes the state durable up to `state`, as taking a snapshot of it does.
    pub(crate) fn sync_state(&self, state: &StateImage) {
        let mut content = self.content.lock();
        if content.synced_state.last_applied < state.last_applied {
            content.synced_state = state.clone();
        }
    }

    /// Replaces the state by that of a snapshot, durably.
    pub(crate) fn install_state(&self, state: StateImage) {
        let mut content = self.content.lock();
        content.state = state.clone();
        content.synced_state = state;
    }

    pub(crate) fn snapshot(&self) -> Option<StoredSnapshot> {
        self.content.lock().snapshot.clone()
    }

    /// Keeps `snapshot` unless a newer one is there; returns which is kept.
    pub(crate) fn keep_snapshot(&self, snapshot: StoredSnapshot) -> StoredSnapshot {
        let mut content = self.content.lock();
        match &content.snapshot {
            Some(kept) if kept.meta.last_log_id >= snapshot.meta.last_log_id => kept.clone(),
            _ => {
                content.snapshot = Some(snapshot.clone());
                snapshot
            }
        }
    }

    pub(crate) fn discard_snapshot(&self) {
        self.content.lock().snapshot = None;
    }

    /// Loses power: of what was not synced, some first part survives.
    pub(crate) fn crash(&self) -> usize {
        let mut content = self.content.lock();
        let unsynced = content.unsynced.len() as u64;
        let survives = content.random.below(unsynced + 1);
        let upto = content.first_unsynced + survives;
        content.sync_before(upto);
        let lost = content.unsynced.len();
        content.first_unsynced += lost as u64;
        content.unsynced.clear();
        content.log = content.synced_log.clone();
        content.state = content.synced_state.clone();
        lost
    }
}

impl Content {
    /// Makes every write before `number` durable.
    fn sync_before(&mut self, number: u64) {
        while self.first_unsynced < number {
            let Some(write) = self.unsynced.pop_front() else { break };
            self.synced_log.apply(write);
            self.first_unsynced += 1;
        }
    }
}
