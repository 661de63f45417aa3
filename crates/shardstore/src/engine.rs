use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use custos_core::{Fullness, Timestamp};
use custos_ports::{Disk, RemovalOrder, ShardError, ShardKey};

use crate::DiskId;
use crate::ScanReport;
use crate::aligned::AlignedBuffer;
use crate::commit::{CommitPlan, Fate, Latest, PlannedRecord};
use crate::compaction::Compaction;
use crate::disk_state::DiskState;
use crate::extent_header::RetentionMonth;
use crate::fullness::admits;
use crate::index::{Index, IndexChange};
use crate::index_entry::IndexEntry;
use crate::index_marker;
use crate::index_store::{IndexError, IndexMedium};
use crate::open_extents::{OpenExtents, SpaceClass, is_no_space};
use crate::operation::{CheckedShard, Operation};
use crate::options::ExtentLimits;
use crate::reader::{ReadFailure, read_record};
use crate::record::{Place, RecordBody, RecordHead, Stamp};
use crate::recover::{RecoverError, recover};
use crate::settled::Settled;

/// Memory in which records are gathered for writing.
const GATHER_BYTES: usize = 2 << 20;

/// A disk in service, without a thread of its own: recovers it, and is the only one who appends
/// to its extents.
///
/// A group commit writes the records of all its operations, syncs each extent once, notes them in
/// the index and only then answers. Any failure but a lack of space takes the disk out of service:
/// after a failed write or sync nobody knows what the disk holds.
pub(crate) struct Engine {
    pub(crate) state: Arc<DiskState>,
    pub(crate) extents: OpenExtents,
    buffer: AlignedBuffer,
    next_sequence: u64,
    run: u64,
    durable_sequence: u64,
    settled: Settled,
    /// There are extents that nobody could read, with records that nobody knows.
    has_unread: bool,
    pub(crate) compaction: Compaction,
}

/// What a record is of, and whose space it takes.
pub(crate) struct Subject {
    pub(crate) key: ShardKey,
    pub(crate) retain_until: Timestamp,
    pub(crate) class: SpaceClass,
}

impl Engine {
    /// Brings a disk up, scanning what its index does not cover.
    pub(crate) fn open(
        name: String,
        id: DiskId,
        disk: Arc<dyn Disk>,
        index: &dyn IndexMedium,
        limits: ExtentLimits,
    ) -> Result<(Self, ScanReport), RecoverError> {
        let mut damage = index_marker::reason(&*disk)?;
        let (state, recovered) = loop {
            let opened = match &damage {
                Some(reason) => {
                    tracing::warn!(disk = name, reason, "index damaged; rebuilding it");
                    Index::make(index, id)?
                }
                None => Index::open(index, id)?,
            };
            let state = DiskState::new(name.clone(), id, disk.clone(), opened, limits.marks);
            let state = Arc::new(state);
            match recover(&state) {
                Ok(recovered) => break (state, recovered),
                Err(RecoverError::Index(IndexError::Damaged(reason))) if damage.is_none() => {
                    index_marker::set(&*disk, &reason)?;
                    damage = Some(reason);
                }
                Err(error) => return Err(error),
            }
        };
        if damage.is_some() {
            state.index.flush()?;
            index_marker::clear(&*disk)?;
        }
        let next_extent = recovered.next_extent;
        let mut extents = OpenExtents::new(state.clone(), limits, next_extent, recovered.resumable);
        extents.adopt_spares(&recovered.spares)?;
        let next_sequence = recovered.next_sequence;
        let engine = Self {
            state,
            extents,
            buffer: AlignedBuffer::new(GATHER_BYTES),
            next_sequence,
            run: next_sequence,
            durable_sequence: next_sequence.saturating_sub(1),
            settled: recovered.settled,
            has_unread: !recovered.damaged.is_empty(),
            compaction: Compaction::new(recovered.damaged),
        };
        Ok((engine, recovered.report))
    }

    /// What readers need.
    pub(crate) fn state(&self) -> &Arc<DiskState> {
        &self.state
    }

    /// Makes operations durable, all that can be, and returns their outcomes in order.
    pub(crate) fn commit(&mut self, operations: Vec<Operation>) -> Vec<Result<(), ShardError>> {
        if let Err(error) = self.state.check_in_service() {
            return operations.iter().map(|_| Err(error.clone())).collect();
        }
        self.extents.release_if_short();
        let mut plan = CommitPlan::default();
        let fullness = self.state.fullness();
        let mut broken = None;
        for operation in operations {
            if let Some(error) = &broken {
                plan.add_fate(Fate::Decided(Err(ShardError::clone(error))));
                continue;
            }
            let planned = match operation {
                Operation::Write(shard) => self.plan_write(&mut plan, shard, fullness),
                Operation::Remove { keys, order } => self.plan_removal(&mut plan, &keys, order),
            };
            plan.add_fate(planned.unwrap_or_else(|error| Fate::Decided(Err(error))));
            broken = self.state.check_in_service().err();
        }
        let outcome = match broken {
            Some(error) => Err(error),
            None => self.make_durable(&plan),
        };
        let outcomes = match outcome {
            Ok(failed) => plan.outcomes(|extent| failed.get(&extent).cloned()),
            Err(error) => plan.outcomes(|_| Some(error.clone())),
        };
        self.settle();
        outcomes
    }

    /// Between two group commits.
    pub(crate) fn settle(&mut self) {
        // Closing cuts files to what was committed; a disk that failed is left as it is.
        if self.state.check_in_service().is_ok() {
            self.extents.close_surplus();
        }
        self.state.ahead_bytes.store(self.extents.ahead_bytes(), Ordering::Relaxed);
    }

    /// Closes what is open, so that the next opening need not scan. A disk out of service is left
    /// exactly as it is.
    pub(crate) fn close(mut self) {
        if self.state.check_in_service().is_err() {
            return;
        }
        self.extents.close_all();
        if self.durable_sequence >= self.run {
            self.settled.extend(self.durable_sequence);
            if let Err(error) = self.settled.store(&*self.state.disk, self.state.id) {
                tracing::warn!(disk = %self.state.name, %error, "last records not vouched for");
            }
        }
        if let Err(error) = self.state.index.flush() {
            tracing::warn!(disk = %self.state.name, %error, "index not flushed at close");
        }
    }

    fn plan_write(
        &mut self,
        plan: &mut CommitPlan,
        shard: CheckedShard,
        fullness: Fullness,
    ) -> Result<Fate, ShardError> {
        let key = shard.write.key;
        match plan.latest(&key) {
            Some(Latest::Written(record)) if plan.is_same(record, &shard) => {
                return Ok(Fate::WithRecords(vec![record]));
            }
            Some(Latest::Written(record)) => {
                return Ok(Fate::RefusedBy { record, error: self.conflict(&key) });
            }
            Some(Latest::Ended(_)) => {}
            None => {
                if self.is_stored(&shard)? {
                    return Ok(Fate::Decided(Ok(())));
                }
            }
        }
        if !admits(fullness, shard.write.purpose) {
            return Err(self.full());
        }
        let body = RecordBody::Shard {
            header: shard.write.header,
            payload_len: shard.payload_len,
            checksums: shard.checksums,
        };
        let retain_until = shard.write.retain_until;
        let subject = Subject { key, retain_until, class: SpaceClass::Shard };
        let record = self.plan_record(plan, subject, body, shard.write.payload)?;
        Ok(Fate::WithRecords(vec![record]))
    }

    /// Whether the very same shard is stored and can be read. One that is damaged is written
    /// again, if the bytes are those it had.
    fn is_stored(&self, shard: &CheckedShard) -> Result<bool, ShardError> {
        let key = &shard.write.key;
        let stored = self.state.index.get(key).map_err(|error| self.state.index_error(&error))?;
        let Some(entry) = stored else { return Ok(false) };
        if entry.fingerprint != shard.fingerprint {
            return Err(self.conflict(key));
        }
        match read_record(&self.state, key, &entry, 0..entry.payload_len as usize) {
            Ok(read) => {
                let ours = &shard.write;
                if read.header == ours.header && read.payload == ours.payload {
                    return Ok(true);
                }
                Err(self.conflict(key))
            }
            Err(ReadFailure::Damage(damage)) => {
                tracing::warn!(disk = %self.state.name, ?key, %damage, "replacing a damaged record");
                Ok(false)
            }
            Err(ReadFailure::Io(error)) => Err(self.state.io_error("read", error)),
            Err(ReadFailure::Unlinked) => Err(self.state.lost_extent(entry.place.extent)),
            Err(ReadFailure::Offline(error)) => Err(error),
        }
    }

    fn plan_removal(
        &mut self,
        plan: &mut CommitPlan,
        keys: &[ShardKey],
        order: RemovalOrder,
    ) -> Result<Fate, ShardError> {
        let mut records = Vec::new();
        for key in keys {
            let retain_until = match plan.latest(key) {
                // Not done before that record is durable.
                Some(Latest::Ended(record)) => {
                    records.push(record);
                    continue;
                }
                Some(Latest::Written(record)) => {
                    plan.planned_entry(record).map(|entry| entry.retain_until)
                }
                None => {
                    let stored = self.state.index.get(key);
                    let stored = stored.map_err(|error| self.state.index_error(&error))?;
                    match stored {
                        Some(entry) => Some(entry.retain_until),
                        // Nobody knows its retention; only the tombstone's extent depends on it.
                        None if self.may_be_unread(key)? => Some(Timestamp::from_millis(0)),
                        None => None,
                    }
                }
            };
            let Some(retain_until) = retain_until else { continue };
            let body =
                RecordBody::Tombstone { reason: order.reason, ledger_index: order.ledger_index };
            // In the month of what it ends, so that it lasts as long as that does.
            let subject = Subject { key: *key, retain_until, class: SpaceClass::Any };
            records.push(self.plan_record(plan, subject, body, Bytes::new())?);
        }
        Ok(Fate::WithRecords(records))
    }

    /// Whether a shard that is not known may lie in an extent that could not be read: what is
    /// ordered to end must not be back when that can be read again.
    fn may_be_unread(&self, key: &ShardKey) -> Result<bool, ShardError> {
        if !self.has_unread {
            return Ok(false);
        }
        let ended = self.state.index.tombstone(key);
        let ended = ended.map_err(|error| self.state.index_error(&error))?;
        // The numbers of this run are above all that may be in such an extent.
        Ok(ended.is_none_or(|tombstone| tombstone.sequence < self.run))
    }

    pub(crate) fn plan_record(
        &mut self,
        plan: &mut CommitPlan,
        subject: Subject,
        body: RecordBody,
        payload: Bytes,
    ) -> Result<usize, ShardError> {
        let sequence = self.next_sequence;
        let Subject { key, retain_until, class } = subject;
        let mut head = RecordHead {
            disk: self.state.id,
            place: Place { extent: 0, first_block: 0 },
            stamp: Stamp { sequence, run: self.run, durable_sequence: self.durable_sequence },
            key,
            retain_until,
            body,
        };
        let month = RetentionMonth::of(retain_until);
        head.place = self
            .extents
            .reserve(month, head.total_blocks(), sequence, class)
            .map_err(|error| self.failed("reserving space", &error))?;
        self.next_sequence += 1;
        let change = match IndexEntry::of(&head) {
            Some(entry) => IndexChange::Put { key, entry },
            None => IndexChange::Remove { key, sequence, extent: head.place.extent },
        };
        let head_bytes = head.encode();
        Ok(plan.add_record(PlannedRecord {
            place: head.place,
            sequence,
            head: head_bytes,
            payload,
            change,
        }))
    }

    /// Writes, syncs, checks that the files are still named, and notes it all in the index.
    /// Returns the extents that had no space, or why the disk is out of service.
    pub(crate) fn make_durable(
        &mut self,
        plan: &CommitPlan,
    ) -> Result<HashMap<u64, ShardError>, ShardError> {
        #[cfg(test)]
        if planted!(AnswerBeforeSync) {
            self.extents.sync_late();
        }
        if planted!(IndexFirst) {
            let all: Vec<_> = plan.by_extent().into_iter().collect();
            let _ = self.note_in_index(plan, &all);
        }
        let mut failed = HashMap::new();
        let mut written = Vec::new();
        for (extent, indices) in plan.by_extent() {
            let records = indices.iter().map(|index| {
                let record = &plan.records[*index];
                (record.head.as_slice(), record.payload.as_ref())
            });
            match self.extents.append(extent, &mut self.buffer, records) {
                Ok(()) => written.push((extent, indices)),
                Err(error) if is_no_space(&error) => {
                    let full = self.failed("append", &error);
                    let undone = self.extents.roll_back(extent);
                    undone.map_err(|error| self.broken("rolling back", &error))?;
                    failed.insert(extent, full);
                }
                Err(error) => return Err(self.broken("append", &error)),
            }
        }
        for (extent, _) in &written {
            self.extents.sync(*extent).map_err(|error| self.broken("fdatasync", &error))?;
        }
        self.state.check_in_service()?;
        for (extent, _) in &written {
            let unlinked = self.extents.is_unlinked(*extent);
            if unlinked.map_err(|error| self.broken("fstat", &error))? {
                return Err(self.state.lost_extent(*extent));
            }
        }
        match self.note_in_index(plan, &written) {
            Ok(()) => {}
            // What the index does not know must not be found later: nobody was told of it.
            Err(IndexError::NoSpace(_)) => {
                for (extent, _) in std::mem::take(&mut written) {
                    let undone = self.extents.roll_back(extent);
                    undone.map_err(|error| self.broken("rolling back", &error))?;
                    failed.insert(extent, self.full());
                }
            }
            Err(error) => return Err(self.index_failed("noting records in the index", &error)),
        }
        for (extent, _) in &written {
            self.extents.commit(*extent);
        }
        // Whatever was not written was cut off durably, so all numbers so far are settled.
        self.durable_sequence = self.next_sequence.saturating_sub(1);
        Ok(failed)
    }

    fn note_in_index(
        &mut self,
        plan: &CommitPlan,
        written: &[(u64, Vec<usize>)],
    ) -> Result<(), IndexError> {
        if written.is_empty() {
            return Ok(());
        }
        let mut changes = Vec::new();
        let mut checkpoints = Vec::new();
        for (extent, indices) in written {
            let mut sequence_max = 0;
            for index in indices {
                let record = &plan.records[*index];
                changes.push(record.change.clone());
                sequence_max = sequence_max.max(record.sequence);
            }
            checkpoints.push((*extent, self.extents.checkpoint(*extent, sequence_max)));
        }
        self.state.index.apply(changes, &checkpoints)
    }

    /// A lack of space is the operation's problem; anything else is the disk's.
    pub(crate) fn index_failed(&self, operation: &'static str, error: &IndexError) -> ShardError {
        match error {
            IndexError::NoSpace(_) => self.full(),
            IndexError::Damaged(_) => self.state.index_error(error),
            IndexError::Failed(_) => self.broken(operation, &io::Error::other(error.clone())),
        }
    }

    /// A lack of space is the operation's problem; anything else is the disk's.
    fn failed(&self, operation: &'static str, error: &io::Error) -> ShardError {
        if is_no_space(error) {
            return self.full();
        }
        self.broken(operation, error)
    }

    pub(crate) fn full(&self) -> ShardError {
        let free_bytes = self.state.space().free_bytes;
        ShardError::Full { store: self.state.name.clone(), free_bytes }
    }

    pub(crate) fn broken(&self, operation: &'static str, error: &io::Error) -> ShardError {
        self.state.count_io_error();
        if planted!(StayInService) {
            return self.state.io_error(operation, error);
        }
        // A folder that is gone explains most errors better than they do themselves.
        if let Err(offline) = self.state.check_in_service() {
            return offline;
        }
        self.state.go_offline(format!("{operation} failed: {error}"));
        self.state.io_error(operation, error)
    }

    fn conflict(&self, key: &ShardKey) -> ShardError {
        ShardError::Conflict { store: self.state.name.clone(), key: Box::new(*key) }
    }
}
