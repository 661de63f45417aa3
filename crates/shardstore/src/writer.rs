use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use custos_core::Timestamp;
use custos_ports::{RemovalOrder, ShardError, ShardKey};
use tokio::sync::mpsc;

use crate::aligned::AlignedBuffer;
use crate::commit::{CommitPlan, Fate, Latest, PlannedRecord};
use crate::disk_state::DiskState;
use crate::extent_file::is_no_space;
use crate::extent_header::RetentionMonth;
use crate::index::IndexChange;
use crate::index_entry::IndexEntry;
use crate::limits::{COMMIT_BYTES_MAX, COMMIT_JOBS_MAX};
use crate::open_extents::{OpenExtents, SpaceClass};
use crate::reader::{ReadFailure, read_record};
use crate::record::{Place, RecordBody, RecordHead, Stamp};
use crate::write_job::{CheckedShard, WriteJob};

/// Memory in which records are gathered for writing.
const GATHER_BYTES: usize = 2 << 20;

/// The only one who appends to a disk's extents, on a thread of its own.
///
/// It takes all jobs that wait, writes their records, syncs each extent once, notes them in the
/// index and only then answers. Any failure but a lack of space takes the disk out of service:
/// after a failed write or sync nobody knows what the disk holds.
pub(crate) struct Writer {
    state: Arc<DiskState>,
    extents: OpenExtents,
    buffer: AlignedBuffer,
    next_sequence: u64,
    run: u64,
    durable_sequence: u64,
}

impl Writer {
    pub(crate) fn new(state: Arc<DiskState>, extents: OpenExtents, next_sequence: u64) -> Self {
        Self {
            state,
            extents,
            buffer: AlignedBuffer::new(GATHER_BYTES),
            next_sequence,
            run: next_sequence,
            durable_sequence: next_sequence.saturating_sub(1),
        }
    }

    /// Serves until every sender is gone and the queue is empty.
    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<WriteJob>) {
        while let Some(first) = queue.blocking_recv() {
            let mut bytes = first.payload_bytes();
            let mut jobs = vec![first];
            while jobs.len() < COMMIT_JOBS_MAX && bytes < COMMIT_BYTES_MAX {
                let Ok(job) = queue.try_recv() else { break };
                bytes += job.payload_bytes();
                jobs.push(job);
            }
            self.commit(jobs);
        }
        // A disk out of service is left exactly as it is.
        if self.state.check_in_service().is_ok() {
            self.extents.close_all();
            if let Err(error) = self.state.index.flush() {
                tracing::warn!(disk = %self.state.name, %error, "index not flushed at close");
            }
        }
    }

    fn commit(&mut self, jobs: Vec<WriteJob>) {
        if let Err(error) = self.state.check_in_service() {
            for job in jobs {
                let _ = job.into_reply().send(Err(error.clone()));
            }
            return;
        }
        let mut plan = CommitPlan::default();
        let mut broken = None;
        for job in jobs {
            if let Some(error) = &broken {
                plan.add_job(job.into_reply(), Fate::Decided(Err(ShardError::clone(error))));
                continue;
            }
            let (reply, planned) = match job {
                WriteJob::Write { shard, reply } => (reply, self.plan_write(&mut plan, shard)),
                WriteJob::Remove { keys, order, reply } => {
                    (reply, self.plan_removal(&mut plan, &keys, order))
                }
            };
            let fate = planned.unwrap_or_else(|error| Fate::Decided(Err(error)));
            plan.add_job(reply, fate);
            broken = self.state.check_in_service().err();
        }
        let outcome = match broken {
            Some(error) => Err(error),
            None => self.make_durable(&plan),
        };
        match outcome {
            Ok(failed) => plan.answer(|extent| failed.get(&extent).cloned()),
            Err(error) => plan.answer(|_| Some(error.clone())),
        }
        // Closing cuts files to what was committed; a disk that failed is left as it is.
        if self.state.check_in_service().is_ok() {
            self.extents.close_surplus();
        }
    }

    fn plan_write(
        &mut self,
        plan: &mut CommitPlan,
        shard: CheckedShard,
    ) -> Result<Fate, ShardError> {
        let key = shard.write.key;
        match plan.latest(&key) {
            Some(Latest::Written(record)) if plan.is_same(record, &shard) => {
                return Ok(Fate::WithRecords(vec![record]));
            }
            Some(Latest::Written(_)) => return Err(self.conflict(&key)),
            Some(Latest::Ended) => {}
            None => {
                if self.is_stored(&shard)? {
                    return Ok(Fate::Decided(Ok(())));
                }
            }
        }
        let body = RecordBody::Shard {
            header: shard.write.header,
            payload_len: shard.payload_len,
            checksums: shard.checksums,
        };
        let retain_until = shard.write.retain_until;
        let record = self.plan_record(plan, key, retain_until, body, shard.write.payload)?;
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
                Some(Latest::Ended) => continue,
                Some(Latest::Written(record)) => {
                    plan.planned_entry(record).map(|entry| entry.retain_until)
                }
                None => {
                    let stored = self.state.index.get(key);
                    let stored = stored.map_err(|error| self.state.index_error(&error))?;
                    stored.map(|entry| entry.retain_until)
                }
            };
            let Some(retain_until) = retain_until else { continue };
            let body =
                RecordBody::Tombstone { reason: order.reason, ledger_index: order.ledger_index };
            // In the month of what it ends, so that it lasts as long as that does.
            records.push(self.plan_record(plan, *key, retain_until, body, Bytes::new())?);
        }
        Ok(Fate::WithRecords(records))
    }

    fn plan_record(
        &mut self,
        plan: &mut CommitPlan,
        key: ShardKey,
        retain_until: Timestamp,
        body: RecordBody,
        payload: Bytes,
    ) -> Result<usize, ShardError> {
        let sequence = self.next_sequence;
        let class = match &body {
            RecordBody::Shard { .. } => SpaceClass::Shard,
            RecordBody::Tombstone { .. } => SpaceClass::Tombstone,
        };
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
            None => IndexChange::Remove { key, sequence },
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
    fn make_durable(&mut self, plan: &CommitPlan) -> Result<HashMap<u64, ShardError>, ShardError> {
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
                let path = self.state.extents.file(*extent);
                let reason = format!("its extent {} was removed", path.display());
                return Err(self.state.go_offline(reason));
            }
        }
        let mut changes = Vec::new();
        let mut checkpoints = Vec::new();
        for (extent, indices) in &written {
            let mut sequence_max = 0;
            for index in indices {
                let record = &plan.records[*index];
                changes.push(record.change.clone());
                sequence_max = sequence_max.max(record.sequence);
            }
            checkpoints.push((*extent, self.extents.checkpoint(*extent, sequence_max)));
        }
        if !changes.is_empty() {
            self.state.index.apply(changes, &checkpoints).map_err(|error| {
                self.broken("noting records in the index", &io::Error::other(error))
            })?;
        }
        for (extent, _) in &written {
            self.extents.commit(*extent);
        }
        // Whatever was not written was cut off durably, so all numbers so far are settled.
        self.durable_sequence = self.next_sequence.saturating_sub(1);
        Ok(failed)
    }

    /// A lack of space is the job's problem; anything else is the disk's.
    fn failed(&self, operation: &'static str, error: &io::Error) -> ShardError {
        if is_no_space(error) {
            let free_bytes = self.state.free_bytes();
            return ShardError::Full { store: self.state.name.clone(), free_bytes };
        }
        self.broken(operation, error)
    }

    fn broken(&self, operation: &'static str, error: &io::Error) -> ShardError {
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
