//! What one group commit is to do, decided before a byte is written.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use custos_ports::{ShardError, ShardKey};

use crate::index::IndexChange;
use crate::index_entry::IndexEntry;
use crate::record::Place;
use crate::write_job::{CheckedShard, Reply};

/// A record with its place.
pub(crate) struct PlannedRecord {
    pub(crate) place: Place,
    pub(crate) sequence: u64,
    pub(crate) head: Vec<u8>,
    pub(crate) payload: Bytes,
    pub(crate) change: IndexChange,
}

/// What the last record of a key in this commit makes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Latest {
    /// Written by this record.
    Written(usize),
    Ended,
}

/// What becomes of a job.
pub(crate) enum Fate {
    Decided(Result<(), ShardError>),
    /// It is done when these records are durable.
    WithRecords(Vec<usize>),
}

/// The records of one group commit and the jobs that wait for them.
#[derive(Default)]
pub(crate) struct CommitPlan {
    pub(crate) records: Vec<PlannedRecord>,
    jobs: Vec<(Reply, Fate)>,
    latest: HashMap<ShardKey, Latest>,
}

impl CommitPlan {
    pub(crate) fn latest(&self, key: &ShardKey) -> Option<Latest> {
        self.latest.get(key).copied()
    }

    /// The index entry that a planned shard record will get.
    pub(crate) fn planned_entry(&self, record: usize) -> Option<&IndexEntry> {
        match &self.records[record].change {
            IndexChange::Put { entry, .. } => Some(entry),
            IndexChange::Remove { .. } => None,
        }
    }

    /// Whether a planned shard record has exactly this content.
    pub(crate) fn is_same(&self, record: usize, shard: &CheckedShard) -> bool {
        let header = self.planned_entry(record).map(|entry| &entry.header);
        header == Some(&shard.write.header) && self.records[record].payload == shard.write.payload
    }

    pub(crate) fn add_record(&mut self, record: PlannedRecord) -> usize {
        let index = self.records.len();
        match &record.change {
            IndexChange::Put { key, .. } => self.latest.insert(*key, Latest::Written(index)),
            IndexChange::Remove { key, .. } => self.latest.insert(*key, Latest::Ended),
        };
        self.records.push(record);
        index
    }

    pub(crate) fn add_job(&mut self, reply: Reply, fate: Fate) {
        self.jobs.push((reply, fate));
    }

    /// Records by extent, each in order of place.
    pub(crate) fn by_extent(&self) -> BTreeMap<u64, Vec<usize>> {
        let mut extents: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (index, record) in self.records.iter().enumerate() {
            extents.entry(record.place.extent).or_default().push(index);
        }
        extents
    }

    /// Tells every job its outcome, where `failed` says what became of the records of an extent.
    pub(crate) fn answer(self, failed: impl Fn(u64) -> Option<ShardError>) {
        for (reply, fate) in self.jobs {
            let outcome = match fate {
                Fate::Decided(outcome) => outcome,
                Fate::WithRecords(records) => records
                    .iter()
                    .find_map(|index| failed(self.records[*index].place.extent))
                    .map_or(Ok(()), Err),
            };
            // Whoever asked may have gone; the work is done all the same.
            let _ = reply.send(outcome);
        }
    }
}
