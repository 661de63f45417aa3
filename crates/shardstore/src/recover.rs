//! What a disk does before it serves: brings the index up to what the extents say.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use custos_ports::{DiskFile, FileAccess, Quarantined, ShardKey};

use crate::aligned::AlignedBuffer;
use crate::disk_state::DiskState;
use crate::extent_book::Checkpoint;
use crate::extent_header::{ExtentHeader, RetentionMonth};
use crate::extents::EXTENTS_FOLDER;
use crate::index::IndexChange;
use crate::index_entry::IndexEntry;
use crate::index_store::IndexError;
use crate::open_extents::is_no_space;
use crate::quarantine::UnknownBlocks;
use crate::reader::{ReadFailure, read_record};
use crate::record::{BLOCK_BYTES, RecordHead, Stamp};
use crate::scan::{ScanEnd, ScanStart, scan};
use crate::scan_report::ScanReport;
use crate::settled::Settled;

/// Changes of the index applied at once while scanning.
const CHANGES_PER_BATCH: usize = 1024;
/// Sequence numbers left out while there is an extent whose numbers nobody knows: far more than
/// one can have.
const SEQUENCE_GAP: u64 = 1 << 32;

/// What the writer goes on from.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) next_extent: u64,
    pub(crate) next_sequence: u64,
    /// Extents that more records may be appended to, one per retention month.
    pub(crate) resumable: HashMap<RetentionMonth, (u64, u32)>,
    /// Spare files, as an earlier process left them.
    pub(crate) spares: Vec<u64>,
    /// Extents that are damaged: never removed, and there may be more in them than is known.
    pub(crate) damaged: HashSet<u64>,
    pub(crate) settled: Settled,
    pub(crate) report: ScanReport,
}

/// Why a disk could not be brought up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    #[error("index: {0}")]
    Index(#[from] IndexError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Scans what the index does not cover and brings it up to date. Only records that were
/// completed enter the index; a record known to have been synced enters it unread, so that damage
/// to it is reported when it is read and not mistaken for a write that never ended.
pub(crate) fn recover(state: &DiskState) -> Result<Recovered, RecoverError> {
    let mut recovery = Recovery::new(state, state.index.checkpoints());
    // A process that was killed may have made an extent whose name is not yet durable.
    if !planted!(TrustNames) {
        state.extents.sync_names()?;
    }
    let listing = state.extents.list()?;
    for name in &listing.foreign {
        recovery.foreign_file(name);
    }
    for number in &listing.numbers {
        recovery.extent(*number)?;
    }
    recovery.note_missing(&listing.numbers);
    recovery.spare_files(listing.spares);
    recovery.finish()
}

struct ScannedExtent {
    number: u64,
    file: Arc<dyn DiskFile>,
    file_len: u64,
    month: Option<RetentionMonth>,
    sequence_min: u64,
    unknown_blocks: u64,
    end: ScanEnd,
}

struct Recovery<'a> {
    state: &'a DiskState,
    known: HashMap<u64, Checkpoint>,
    /// Per run: the highest sequence number that one of its records says was durable.
    durable: HashMap<u64, u64>,
    /// Records that may not have been completed.
    doubtful: Vec<(ShardKey, Stamp, IndexEntry)>,
    changes: Vec<IndexChange>,
    unknown: Vec<UnknownBlocks>,
    scanned: Vec<ScannedExtent>,
    recovered: Recovered,
}

impl<'a> Recovery<'a> {
    fn new(state: &'a DiskState, known: HashMap<u64, Checkpoint>) -> Self {
        let sequence_max = known.values().map(|known| known.sequence_max).max().unwrap_or(0);
        let extent_max = known.keys().copied().max().unwrap_or(0);
        let settled = Settled::load(&*state.disk, state.id);
        let recovered = Recovered {
            next_extent: extent_max.saturating_add(1),
            next_sequence: sequence_max.max(settled.up_to()).saturating_add(1),
            settled,
            ..Recovered::default()
        };
        Self {
            state,
            known,
            durable: HashMap::new(),
            doubtful: Vec::new(),
            changes: Vec::new(),
            unknown: Vec::new(),
            scanned: Vec::new(),
            recovered,
        }
    }

    fn extent(&mut self, number: u64) -> Result<(), RecoverError> {
        self.recovered.next_extent = self.recovered.next_extent.max(number.saturating_add(1));
        let known = self.known.get(&number).copied();
        let opened = self.state.extents.open(number, FileAccess::Append);
        let opened = opened.and_then(|file| Ok((file.byte_len()?, file)));
        let (file_len, file) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.damaged_extent(number, &format!("it cannot be read: {error}"));
                return Ok(());
            }
        };
        if let Some(known) = known {
            let known_len = u64::from(known.end_block) * BLOCK_BYTES as u64;
            if file_len == known_len || (planted!(TrustIndex) && file_len > known_len) {
                if let Some(month) = known.month {
                    self.resume(month, number, known.end_block);
                }
                return Ok(());
            }
            if file_len < known_len && known.end_block <= 1 && known.month.is_none() {
                // The process was killed right after it made the file: it never had a header.
                return Ok(());
            }
            if file_len < known_len {
                self.damaged_extent(number, "it is shorter than it was");
                return Ok(());
            }
        }
        // A record that was only in memory when the process died must not be shown before it is on
        // the disk; and after a sync that failed, memory may show what the disk never got and will
        // never get. A disk that fails here is not opened.
        file.sync_data()?;
        if !planted!(KeepCache) {
            file.forget_cached()?;
        }
        match self.scan_extent(number, known, file, file_len) {
            Ok(mut scanned) => {
                self.recovered.report.extents_scanned += 1;
                self.recovered.report.damaged_blocks += scanned.end.damaged_blocks;
                self.unknown.append(&mut scanned.end.unknown);
                if self.unknown.len() >= CHANGES_PER_BATCH {
                    self.state.index.add_unknown(&std::mem::take(&mut self.unknown))?;
                }
                if scanned.end.unreadable_blocks > 0 {
                    self.damaged_extent(number, "it has blocks that cannot be read");
                }
                self.saw_sequence(scanned.end.sequence_max);
                self.scanned.push(scanned);
            }
            // One bad sector must not keep the disk's other shards from being served.
            Err(RecoverError::Io(error)) => {
                self.damaged_extent(number, &format!("it cannot be read: {error}"));
            }
            Err(error @ RecoverError::Index(_)) => return Err(error),
        }
        self.settle_doubtful()?;
        Ok(())
    }

    fn scan_extent(
        &mut self,
        number: u64,
        known: Option<Checkpoint>,
        file: Arc<dyn DiskFile>,
        file_len: u64,
    ) -> Result<ScannedExtent, RecoverError> {
        let disk = self.state.id;
        let (before, start) = match known {
            Some(known) => {
                let sequence_max = known.sequence_max;
                let first_block = known.end_block;
                (known, ScanStart { disk, extent: number, first_block, sequence_max })
            }
            None => {
                let header = self.header_of(number, &*file)?;
                let sequence_min = header.as_ref().map_or(0, |header| header.sequence_min);
                let sequence_max = sequence_min.saturating_sub(1);
                let start = ScanStart { disk, extent: number, first_block: 1, sequence_max };
                // A header that is not its own is something unknown.
                let unknown_blocks = u32::from(self.recovered.damaged.contains(&number));
                let month = header.map(|header| header.month);
                let nothing = Checkpoint::default();
                (Checkpoint { sequence_min, month, unknown_blocks, ..nothing }, start)
            }
        };
        let mut heads = 0_u64;
        let end = scan(&*file, start, |head| {
            heads += 1;
            self.record(head)
        })?;
        tracing::debug!(disk = %self.state.name, extent = number, records = heads, "scanned");
        let Checkpoint { month, sequence_min, unknown_blocks, .. } = before;
        let unknown_blocks = u64::from(unknown_blocks) + end.damaged_blocks;
        Ok(ScannedExtent { number, file, file_len, month, sequence_min, unknown_blocks, end })
    }

    /// The extent's header, if it has one that is its own. Records are good without it.
    fn header_of(&mut self, number: u64, file: &dyn DiskFile) -> io::Result<Option<ExtentHeader>> {
        let mut block = AlignedBuffer::new(BLOCK_BYTES);
        let len = file.read_at(&mut block, 0)?;
        let problem = match ExtentHeader::decode(&block[..len]) {
            Ok(header) if header.disk == self.state.id && header.number == number => {
                return Ok(Some(header));
            }
            Ok(header) => {
                format!("it says that it is extent {} of disk {}", header.number, header.disk)
            }
            // Made, and the power failed before anything was written: nothing is lost.
            Err(_) if block.iter().all(|byte| *byte == 0) => return Ok(None),
            Err(error) => error.to_string(),
        };
        let reason = format!("no header of this extent: {problem}");
        self.unknown.push(UnknownBlocks { extent: number, first_block: 0, blocks: 1, reason });
        self.damaged_extent(number, &problem);
        Ok(None)
    }

    fn record(&mut self, head: RecordHead) -> Result<(), RecoverError> {
        let stamp = head.stamp;
        let durable = self.durable.entry(stamp.run).or_default();
        *durable = stamp.durable_sequence.max(*durable);
        match IndexEntry::of(&head) {
            Some(entry) => {
                self.recovered.report.shards += 1;
                self.doubtful.push((head.key, stamp, entry));
                if self.doubtful.len() >= CHANGES_PER_BATCH {
                    self.settle_doubtful()?;
                }
            }
            // Its head verifies, and that is all of it.
            None => {
                self.recovered.report.tombstones += 1;
                let (sequence, extent) = (stamp.sequence, head.place.extent);
                self.changes.push(IndexChange::Remove { key: head.key, sequence, extent });
                self.apply_many()?;
            }
        }
        Ok(())
    }

    /// Takes over the records that a later record of their run, or a later close or opening,
    /// vouches for.
    fn settle_doubtful(&mut self) -> Result<(), IndexError> {
        let (durable, settled) = (&self.durable, &self.recovered.settled);
        let vouched = |stamp: &Stamp| {
            settled.vouches_for(stamp.sequence)
                || durable.get(&stamp.run).is_some_and(|up_to| *up_to >= stamp.sequence)
        };
        let settled = self.doubtful.extract_if(.., |(_, stamp, _)| vouched(stamp));
        self.changes.extend(settled.map(|(key, _, entry)| IndexChange::Put { key, entry }));
        self.apply_many()
    }

    fn apply_many(&mut self) -> Result<(), IndexError> {
        if self.changes.len() >= CHANGES_PER_BATCH {
            self.state.index.apply(std::mem::take(&mut self.changes), &[])?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Recovered, RecoverError> {
        let mut torn_blocks: HashMap<u64, u64> = HashMap::new();
        for (key, stamp, entry) in std::mem::take(&mut self.doubtful) {
            let whole = 0..entry.payload_len as usize;
            let read = read_record(self.state, &key, &entry, whole);
            // What could not be read at all may well be whole: reads of it will say what is wrong.
            if read.is_err() {
                self.recovered.settled.doubt(stamp.sequence);
            }
            if planted!(TakeTornRecords) || !matches!(read, Err(ReadFailure::Damage(_))) {
                self.changes.push(IndexChange::Put { key, entry });
                continue;
            }
            self.recovered.report.torn_records += 1;
            self.recovered.report.shards -= 1;
            let blocks = torn_blocks.entry(entry.place.extent).or_default();
            *blocks += u64::from(entry.total_blocks());
            self.unknown.push(UnknownBlocks {
                extent: entry.place.extent,
                first_block: entry.place.first_block,
                blocks: entry.total_blocks(),
                reason: "a record that was never completed, as nothing vouches for it".to_owned(),
            });
            let sequence = stamp.sequence;
            tracing::warn!(disk = %self.state.name, ?key, sequence, "torn record passed over");
        }
        let mut checkpoints = Vec::new();
        for scanned in &self.scanned {
            // What could not be read is tried again at the next opening.
            if scanned.end.unreadable_blocks > 0 {
                continue;
            }
            let ScanEnd { end_block, sequence_max, .. } = scanned.end;
            let &ScannedExtent { number, month, sequence_min, unknown_blocks, .. } = scanned;
            // They may be all that is left of a record that was complete: nothing removes them.
            let torn = torn_blocks.get(&number).copied().unwrap_or(0);
            let unknown_blocks = u32::try_from(unknown_blocks + torn).unwrap_or(u32::MAX);
            let checkpoint =
                Checkpoint { end_block, sequence_min, sequence_max, month, unknown_blocks };
            checkpoints.push((number, checkpoint));
        }
        self.state.index.add_unknown(&self.unknown)?;
        self.state.index.apply(std::mem::take(&mut self.changes), &checkpoints)?;
        for scanned in std::mem::take(&mut self.scanned) {
            if scanned.end.tail_is_empty && !torn_blocks.contains_key(&scanned.number) {
                self.give_back_tail(&scanned)?;
            }
        }
        self.count_quarantined()?;
        self.settle()?;
        self.log_report();
        Ok(self.recovered)
    }

    /// From now on what was found complete counts as that, whatever becomes of it.
    fn settle(&mut self) -> io::Result<()> {
        let Recovered { next_sequence, damaged, settled, .. } = &mut self.recovered;
        if !damaged.is_empty() {
            *next_sequence = next_sequence.saturating_add(SEQUENCE_GAP);
        }
        let before = settled.up_to();
        settled.extend(next_sequence.saturating_sub(1));
        if settled.up_to() == before {
            return Ok(());
        }
        match settled.store(&*self.state.disk, self.state.id) {
            Err(error) if is_no_space(&error) => {
                tracing::warn!(disk = %self.state.name, %error, "what is complete was not noted");
                Ok(())
            }
            stored => stored,
        }
    }

    /// Frees what was preallocated and never written, and lets the extent be appended to.
    fn give_back_tail(&mut self, scanned: &ScannedExtent) -> io::Result<()> {
        let Some(month) = scanned.month else { return Ok(()) };
        let end = u64::from(scanned.end.end_block) * BLOCK_BYTES as u64;
        if scanned.file_len > end {
            scanned.file.set_len(end)?;
        }
        self.resume(month, scanned.number, scanned.end.end_block);
        Ok(())
    }

    fn resume(&mut self, month: RetentionMonth, number: u64, end_block: u32) {
        let slot = self.recovered.resumable.entry(month).or_insert((number, end_block));
        if slot.0 <= number {
            *slot = (number, end_block);
        }
    }

    fn saw_sequence(&mut self, sequence: u64) {
        let next = &mut self.recovered.next_sequence;
        *next = (*next).max(sequence.saturating_add(1));
    }

    fn note_missing(&mut self, present: &[u64]) {
        let mut missing: Vec<u64> = self.known.keys().copied().collect();
        missing.retain(|number| present.binary_search(number).is_err());
        for number in missing {
            self.damaged_extent(number, "it is missing");
        }
    }

    fn spare_files(&mut self, numbers: Vec<u64>) {
        // Their numbers were given out once.
        let after_last = numbers.last().map_or(0, |number| number.saturating_add(1));
        self.recovered.next_extent = self.recovered.next_extent.max(after_last);
        self.recovered.spares = numbers;
    }

    fn foreign_file(&mut self, name: &str) {
        tracing::warn!(disk = %self.state.name, name, "foreign file among the extents, kept");
        self.state.unknown_files.lock().push(Quarantined {
            place: format!("{EXTENTS_FOLDER}/{name}"),
            len: self.state.extents.foreign_len(name),
            reason: "no extent has such a name".to_owned(),
        });
    }

    fn count_quarantined(&self) -> Result<(), IndexError> {
        let files = self.state.unknown_files.lock().len();
        let mut count = files as u64;
        for unknown in self.state.index.unknown() {
            unknown?;
            count += 1;
        }
        self.state.quarantined.store(count, Ordering::Relaxed);
        Ok(())
    }

    fn damaged_extent(&mut self, number: u64, problem: &str) {
        self.recovered.report.damaged_extents += 1;
        self.recovered.damaged.insert(number);
        self.state.index.note_unread(number);
        let file = self.state.extents.locate(number);
        tracing::error!(
            disk = %self.state.name, file = %file.display(), problem,
            "extent is damaged; it is kept, and its shards that cannot be read are reported so"
        );
    }

    fn log_report(&self) {
        let report = &self.recovered.report;
        if *report != ScanReport::default() {
            tracing::info!(
                disk = %self.state.name,
                extents = report.extents_scanned,
                shards = report.shards,
                tombstones = report.tombstones,
                torn_records = report.torn_records,
                damaged_blocks = report.damaged_blocks,
                damaged_extents = report.damaged_extents,
                "extents scanned"
            );
        }
    }
}
