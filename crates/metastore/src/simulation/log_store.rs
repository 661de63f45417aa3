//! The Raft log on a simulated disk, with the durability of the real one in `crate::log`.

use std::{
    fmt::Debug,
    ops::{Bound, RangeBounds},
};

use openraft::{
    LogState, OptionalSend, RaftLogReader,
    storage::{LogFlushed, RaftLogStorage},
};

use super::{
    disk::{Durability, LogWrite, SimDisk},
    plant::{Plant, is_planted},
};
use crate::{
    raft_types::{Entry, LogId, StorageError, TypeConfig, Vote},
    recovery,
    state_floor::StateFloor,
};

/// The log of one life of a node.
#[derive(Debug, Clone)]
pub(crate) struct SimLog {
    node: u64,
    disk: SimDisk,
    floor: StateFloor,
}

impl SimLog {
    pub(crate) fn new(node: u64, disk: SimDisk, floor: StateFloor) -> Self {
        Self { node, disk, floor }
    }
}

impl RaftLogReader<TypeConfig> for SimLog {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let bounds: (Bound<u64>, Bound<u64>) =
            (range.start_bound().cloned(), range.end_bound().cloned());
        Ok(self.disk.log(|log| log.entries.range(bounds).map(|(_, entry)| entry.clone()).collect()))
    }
}

impl RaftLogStorage<TypeConfig> for SimLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        Ok(self.disk.log(|log| LogState { last_purged_log_id: log.purged, last_log_id: log.end() }))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        if is_planted(Plant::ForgetVote) {
            self.disk.remember_vote(*vote);
            return Ok(());
        }
        self.disk.write_log(LogWrite::Vote(*vote), Durability::Synced).await;
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.disk.log(|log| log.vote);
        if is_planted(Plant::LeadOnAfterRestart) {
            return Ok(vote);
        }
        Ok(vote.map(|vote| recovery::vote_after_restart(vote, self.node)))
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.disk.write_log(LogWrite::Committed(committed), Durability::Lazy).await;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.disk.log(|log| log.committed))
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<TypeConfig>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let durability =
            if is_planted(Plant::AnswerBeforeSync) { Durability::Lazy } else { Durability::Synced };
        self.disk.write_log(LogWrite::Append(entries), durability).await;
        callback.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.disk.write_log(LogWrite::Truncate(log_id.index), Durability::Synced).await;
        Ok(())
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        if !is_planted(Plant::PurgeBeforeInstall) {
            self.floor.reaches(log_id).await;
        }
        self.disk.write_log(LogWrite::Purge(log_id), Durability::Synced).await;
        Ok(())
    }
}
