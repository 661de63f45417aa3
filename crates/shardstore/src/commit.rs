//! What one group commit is to do, decided before a byte is written.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use custos_ports::{ShardError, ShardKey};

use crate::index::IndexChange;
use crate::index_entry::IndexEntry;
use crate::operation::CheckedShard;
use crate::record::Place;

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
    /// Ended by this record.
    Ended(usize),
}

/// What becomes of an operation.
pub(crate) enum Fate {
    Decided(Result<(), ShardError>),
    /// It is done when these records are durable.
    WithRecords(Vec<usize>),
    /// It is refused because of this record, if that becomes durable; else it fails as that does.
    RefusedBy {
        record: usize,
        error: ShardError,
    },
}

/// The records of one group commit and the operations that wait for them.
#[derive(Default)]
pub(crate) struct CommitPlan {
    pub(crate) records: Vec<PlannedRecord>,
    fates: Vec<Fate>,
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
            IndexChange::Remove { key, .. } => self.latest.insert(*key, Latest::Ended(index)),
        };
        self.records.push(record);
        index
    }

    /// Of the next operation, in their order.
    pub(crate) fn add_fate(&mut self, fate: Fate) {
        self.fates.push(fate);
    }

    /// Records by extent, each in order of place.
    pub(crate) fn by_extent(&self) -> BTreeMap<u64, Vec<usize>> {
        let mut extents: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (index, record) in self.records.iter().enumerate() {
            extents.entry(record.place.extent).or_default().push(index);
        }
        extents
    }

    /// The outcome of each operation, where `failed` says what became of the records of an extent.
    pub(crate) fn outcomes(
        self,
        failed: impl Fn(u64) -> Option<ShardError>,
    ) -> Vec<Result<(), ShardError>> {
        let records = self.records;
        let outcome = |fate| match fate {
            Fate::Decided(outcome) => outcome,
            Fate::RefusedBy { record, error } => {
                Err(failed(records[record].place.extent).unwrap_or(error))
            }
            Fate::WithRecords(indices) => {
                let failures = indices.iter().map(|index: &usize| records[*index].place.extent);
                failures.filter_map(&failed).next().map_or(Ok(()), Err)
            }
        };
        self.fates.into_iter().map(outcome).collect()
    }
}
