//! The replicated state on a simulated disk: the real law on a map in memory.

use std::sync::Arc;

use custos_ledger::{Answer, CommandBatch, Query};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, storage::RaftStateMachine};

use super::{
    clock::SimClock,
    disk::{SimDisk, StateImage, StoredSnapshot},
    history::Record,
    plant::{Plant, is_planted},
    snapshot_files::SnapshotFiles,
};
use crate::{
    raft_types::{
        Entry, LogId, Replies, Snapshot, SnapshotMeta, StorageError, StoredMembership, TypeConfig,
    },
    state::SnapshotDir,
    state_floor::StateFloor,
};

/// The state machine of one life of a node.
#[derive(Clone)]
pub(crate) struct SimMachine {
    node: u64,
    disk: SimDisk,
    floor: StateFloor,
    files: SnapshotFiles,
    clock: Arc<SimClock>,
    record: Record,
}

impl SimMachine {
    pub(crate) fn new(
        node: u64,
        disk: SimDisk,
        floor: StateFloor,
        files: SnapshotFiles,
        clock: Arc<SimClock>,
        record: Record,
    ) -> Self {
        Self { node, disk, floor, files, clock, record }
    }

    /// Answers from the state as it is.
    pub(crate) fn query(&self, query: &Query) -> Answer {
        custos_ledger::query(&*self.disk.state().kv, query).expect("there is one group")
    }

    fn apply_entry(&self, entry: &Entry) -> Replies {
        let mut state = self.disk.state();
        state.last_applied = Some(entry.log_id);
        let replies = match &entry.payload {
            EntryPayload::Blank => Vec::new(),
            EntryPayload::Membership(membership) => {
                if !is_planted(Plant::ForgetMembership) {
                    state.membership =
                        StoredMembership::new(Some(entry.log_id), membership.clone());
                }
                Vec::new()
            }
            EntryPayload::Normal(encoded) => {
                let batch = CommandBatch::decode(&encoded.0).expect("only batches are proposed");
                let stamped = if is_planted(Plant::ApplyByOwnClock) {
                    self.clock.read()
                } else {
                    batch.stamped
                };
                let kv = Arc::make_mut(&mut state.kv);
                let apply = |envelope| custos_ledger::apply(kv, envelope, stamped);
                batch.envelopes.iter().map(apply).collect()
            }
        };
        self.record.applied(self.node, entry, &state);
        self.disk.set_state(state);
        Replies(replies)
    }
}

impl RaftStateMachine<TypeConfig> for SimMachine {
    type SnapshotBuilder = SimSnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        let state = self.disk.state();
        Ok((state.last_applied, state.membership))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Replies>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        self.disk.latency().await;
        Ok(entries.iter().map(|entry| self.apply_entry(entry)).collect())
    }

    async fn get_snapshot_builder(&mut self) -> SimSnapshotBuilder {
        SimSnapshotBuilder { machine: self.clone(), state: self.disk.state() }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotDir>, StorageError> {
        Ok(Box::new(self.files.draft()))
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<SnapshotDir>,
    ) -> Result<(), StorageError> {
        self.record.trace.note(format_args!("node {} installs {}", self.node, meta.snapshot_id));
        self.record.begins_to_install(self.node);
        self.disk.long_latency().await;
        let kv = SnapshotFiles::read(&snapshot);
        self.disk.install_state(StateImage {
            kv: Arc::new(kv),
            last_applied: meta.last_log_id,
            membership: meta.last_membership.clone(),
            installed: meta.last_log_id,
        });
        // As in production the state comes first, and a crash may fall in between.
        self.disk.latency().await;
        self.disk.keep_snapshot(StoredSnapshot { meta: meta.clone(), dir: *snapshot });
        self.floor.raise(meta.last_log_id);
        self.record.ends_to_install(self.node);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        Ok(self.disk.snapshot().map(|stored| stored.to_snapshot()))
    }
}

/// Takes a snapshot of the state at one moment.
pub(crate) struct SimSnapshotBuilder {
    machine: SimMachine,
    state: StateImage,
}

impl RaftSnapshotBuilder<TypeConfig> for SimSnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let SimMachine { node, disk, floor, files, record, .. } = &self.machine;
        disk.latency().await;
        let last_log_id = if is_planted(Plant::SnapshotAheadOfState) {
            disk.state().last_applied
        } else {
            self.state.last_applied
        };
        let meta = SnapshotMeta {
            last_log_id,
            last_membership: self.state.membership.clone(),
            snapshot_id: files.name(last_log_id),
        };
        record.trace.note(format_args!("node {node} takes {}", meta.snapshot_id));
        disk.sync_state(&self.state);
        floor.raise(self.state.last_applied);
        let dir = files.write(&meta, &self.state.kv);
        Ok(disk.keep_snapshot(StoredSnapshot { meta, dir }).to_snapshot())
    }
}
