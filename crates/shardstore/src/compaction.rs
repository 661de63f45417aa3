//! Gives back the space of extents: removes those of which nothing is needed any more, after what
//! little still is has been written anew elsewhere.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use custos_ports::{DiskFile, FileAccess, ShardError, ShardKey};

use crate::aligned::AlignedBuffer;
use crate::commit::{CommitPlan, Fate};
use crate::compaction_choice::{Choice, choose};
use crate::engine::{Engine, Subject};
use crate::index_entry::IndexEntry;
use crate::index_store::IndexError;
use crate::open_extents::SpaceClass;
use crate::reader::{ReadFailure, read_record};
use crate::record::{BLOCK_BYTES, RecordHead};
use crate::scan::{ScanStart, scan};

/// Payload bytes moved in one step, unless a single record has more: writes wait for a step.
const STEP_BYTES_MAX: usize = 4 << 20;
/// Heads looked at in one step.
const STEP_HEADS_MAX: usize = 1024;

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompactionStep {
    /// There is nothing to give back.
    Idle,
    /// Bytes were moved, maybe none; there is more to do.
    Moved { bytes: u64 },
    /// An extent is gone.
    Removed { bytes_freed: u64 },
    /// An extent is left alone until the disk is opened anew: something in it is damaged.
    Kept,
}

/// What is under way between steps. A crash may forget it: moved records count wherever they are.
#[derive(Debug)]
pub(crate) struct Compaction {
    job: Option<Job>,
    kept: HashSet<u64>,
}

#[derive(Debug)]
struct Job {
    choice: Choice,
    /// Heads before this block were looked at.
    next_block: u32,
    /// Of the last record before it.
    sequence_max: u64,
    /// Keys of tombstones that go with the extent.
    tombstones: Vec<ShardKey>,
    /// Why the extent must stay.
    damage: Option<String>,
}

/// A record that is still needed.
struct Survivor {
    head: RecordHead,
    payload: Bytes,
}

/// Ends the scan of a step.
enum Halt {
    /// Enough was found for one step.
    Enough,
    Io(io::Error),
    Index(IndexError),
    Offline(ShardError),
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<IndexError> for Halt {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl Compaction {
    /// Never removes the extents in `kept`.
    pub(crate) fn new(kept: HashSet<u64>) -> Self {
        Self { job: None, kept }
    }
}

impl Engine {
    /// Does a bounded part of what gives space back, and says what. At every moment a record that
    /// counts is durable in its old place or its new one, and the index knows one that is.
    ///
    /// `Full` when there is no space to move records to: nothing is lost, and the next step begins
    /// anew. Other errors say why the disk is out of service.
    pub(crate) fn compact_step(&mut self) -> Result<CompactionStep, ShardError> {
        self.state.check_in_service()?;
        let mut job = match self.compaction.job.take() {
            Some(job) => job,
            None => match self.next_job()? {
                Some(job) => job,
                None => return Ok(CompactionStep::Idle),
            },
        };
        let book = self.state.index.book(job.choice.extent).unwrap_or_default();
        if book.live_shards == 0 && book.tombstones == 0 {
            return self.remove_extent(job.choice.extent, &[]);
        }
        let (survivors, is_end) = match self.look_on(&mut job) {
            Ok(found) => found,
            Err(Halt::Offline(error)) => return Err(error),
            Err(Halt::Index(error)) => return Err(self.state.index_error(&error)),
            Err(Halt::Io(error)) => {
                self.state.count_io_error();
                job.damage = Some(format!("it cannot be read: {error}"));
                return Ok(self.keep(&job));
            }
            Err(Halt::Enough) => unreachable!("it is caught where the scan is"),
        };
        if planted!(UnlinkFirst) && is_end {
            let _ = self.state.extents.remove(job.choice.extent);
            let _ = self.state.extents.sync_names();
        }
        let bytes = self.move_records(survivors)?;
        if !is_end || bytes > 0 {
            self.compaction.job = Some(job);
            return Ok(CompactionStep::Moved { bytes });
        }
        let book = self.state.index.book(job.choice.extent).unwrap_or_default();
        let still_needed = book.tombstones as usize > job.tombstones.len();
        if job.damage.is_none() && (book.live_shards > 0 || still_needed) {
            job.damage = Some("records that count were not found in it".to_owned());
        }
        if job.damage.is_some() {
            return Ok(self.keep(&job));
        }
        self.remove_extent(job.choice.extent, &job.tombstones)
    }

    /// `Full` when there is no room for what would have to move: what was moved would take space
    /// that nothing gives back.
    fn next_job(&mut self) -> Result<Option<Job>, ShardError> {
        let (extents, kept) = (&self.extents, &self.compaction.kept);
        let is_open = |extent| extents.is_open(extent);
        let is_kept = |extent| kept.contains(&extent);
        let choice = self.state.index.with_books(|books| choose(books, is_open, is_kept));
        let Some(choice) = choice else { return Ok(None) };
        let book = self.state.index.book(choice.extent);
        let Some(known) = book.and_then(|book| book.checkpoint) else { return Ok(None) };
        if choice.blocks_to_move > 0 && !self.fits(choice.blocks_to_move) {
            return Err(self.full());
        }
        self.extents.close_for_good(choice.extent);
        tracing::debug!(
            disk = %self.state.name, extent = choice.extent, blocks = choice.blocks_to_move,
            "giving an extent back"
        );
        Ok(Some(Job {
            choice,
            next_block: 1,
            sequence_max: known.sequence_min.saturating_sub(1),
            tombstones: Vec::new(),
            damage: None,
        }))
    }

    /// Whether there is room to move this much and still take removals: half of what is kept back
    /// stays.
    fn fits(&self, blocks: u32) -> bool {
        let spare_bytes = self.state.spare_bytes.load(Ordering::Relaxed);
        let free_bytes = self.state.space().free_bytes.saturating_add(spare_bytes);
        let kept_bytes = self.state.marks.space_kept_back_bytes / 2;
        free_bytes.saturating_sub(kept_bytes) >= u64::from(blocks) * BLOCK_BYTES as u64
    }

    /// Reads on in the extent: what is still needed, and whether that was the end.
    fn look_on(&self, job: &mut Job) -> Result<(Vec<Survivor>, bool), Halt> {
        let extent = job.choice.extent;
        let file = self.state.extents.open(extent, FileAccess::Read)?;
        let start = ScanStart {
            disk: self.state.id,
            extent,
            first_block: job.next_block,
            sequence_max: job.sequence_max,
        };
        let (mut survivors, mut bytes, mut heads) = (Vec::new(), 0, 0);
        let end = scan(&*file, start, |head| {
            // What is passed over counts as seen only in this scan, and this scan may end early.
            if let Some(block) = unknown_block(&*file, job.next_block..head.place.first_block)? {
                job.damage.get_or_insert_with(|| format!("block {block} is of no record"));
            }
            job.next_block = head.place.first_block.saturating_add(head.total_blocks());
            job.sequence_max = head.stamp.sequence;
            if let Some(survivor) = self.survivor(job, head)? {
                bytes += survivor.payload.len();
                survivors.push(survivor);
            }
            heads += 1;
            if bytes >= STEP_BYTES_MAX || heads >= STEP_HEADS_MAX {
                return Err(Halt::Enough);
            }
            Ok(())
        });
        match end {
            Ok(end) => {
                if end.damaged_blocks > 0 {
                    let block = job.next_block;
                    job.damage
                        .get_or_insert_with(|| format!("no record lies behind block {block}"));
                }
                Ok((survivors, true))
            }
            Err(Halt::Enough) => Ok((survivors, false)),
            Err(halt) => Err(halt),
        }
    }

    /// What of a record must be written anew. One that does not verify stays where it is.
    fn survivor(&self, job: &mut Job, head: RecordHead) -> Result<Option<Survivor>, Halt> {
        let key = head.key;
        let Some(entry) = IndexEntry::of(&head) else {
            let last_word = self.state.index.tombstone(&key)?;
            if last_word.is_none_or(|last| last.sequence != head.stamp.sequence) {
                return Ok(None);
            }
            if job.choice.is_oldest || planted!(DropTombstones) {
                job.tombstones.push(key);
                return Ok(None);
            }
            return Ok(Some(Survivor { head, payload: Bytes::new() }));
        };
        if self.state.index.get(&key)?.as_ref() != Some(&entry) {
            return Ok(None);
        }
        match read_record(&self.state, &key, &entry, 0..entry.payload_len as usize) {
            Ok(read) => Ok(Some(Survivor { head, payload: read.payload })),
            Err(ReadFailure::Damage(damage)) => {
                job.damage.get_or_insert_with(|| damage.to_string());
                Ok(None)
            }
            Err(ReadFailure::Io(error)) => {
                self.state.count_io_error();
                job.damage.get_or_insert_with(|| format!("a record cannot be read: {error}"));
                Ok(None)
            }
            Err(ReadFailure::Unlinked) => {
                let error = self.state.lost_extent(entry.place.extent);
                Err(Halt::Offline(error))
            }
            Err(ReadFailure::Offline(error)) => Err(Halt::Offline(error)),
        }
    }

    /// Writes records anew under new sequence numbers, syncs them and has the index point to them.
    fn move_records(&mut self, survivors: Vec<Survivor>) -> Result<u64, ShardError> {
        let mut plan = CommitPlan::default();
        let mut outcome = Ok(());
        for Survivor { head, payload } in survivors {
            let RecordHead { key, retain_until, body, .. } = head;
            let subject = Subject { key, retain_until, class: SpaceClass::Any };
            match self.plan_record(&mut plan, subject, body, payload) {
                Ok(record) => plan.add_fate(Fate::WithRecords(vec![record])),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        // What was given a place is written even if there was none for the rest.
        self.state.check_in_service()?;
        let bytes = plan.records.iter().map(|record| record.head.len() + record.payload.len());
        let bytes = bytes.sum::<usize>() as u64;
        let failed = self.make_durable(&plan)?;
        self.settle();
        if let Some(error) = failed.into_values().next() {
            outcome = Err(error);
        }
        outcome.map(|()| bytes)
    }

    /// Removes an extent of which nothing is needed, and with it the last word on some keys.
    fn remove_extent(
        &mut self,
        extent: u64,
        tombstones: &[ShardKey],
    ) -> Result<CompactionStep, ShardError> {
        let blocks = self.state.index.book(extent).map_or(0, |book| book.used_blocks() + 1);
        let forgotten = self.state.index.forget_extent(extent, tombstones);
        forgotten.map_err(|error| self.index_failed("noting an extent", &error))?;
        // The name must be gone for good before anything relies on it: a tombstone that went with
        // it, or the space.
        let removed = self.extents.give_back(extent);
        if !planted!(UnlinkFirst) {
            removed.map_err(|error| self.broken("removing an extent", &error))?;
        }
        self.state.read_files.forget(extent);
        self.settle();
        let bytes_freed = u64::from(blocks) * BLOCK_BYTES as u64;
        tracing::info!(disk = %self.state.name, extent, bytes_freed, "extent given back");
        Ok(CompactionStep::Removed { bytes_freed })
    }

    fn keep(&mut self, job: &Job) -> CompactionStep {
        let extent = job.choice.extent;
        let file = self.state.extents.locate(extent);
        tracing::error!(
            disk = %self.state.name, file = %file.display(),
            problem = job.damage.as_deref().unwrap_or_default(),
            "extent is damaged and kept; its shards that cannot be read are reported so"
        );
        self.compaction.kept.insert(extent);
        CompactionStep::Kept
    }
}

/// The first of these blocks that is not empty. There are hardly ever any blocks between records.
fn unknown_block(file: &dyn DiskFile, blocks: Range<u32>) -> io::Result<Option<u32>> {
    let mut memory = AlignedBuffer::new(BLOCK_BYTES);
    for block in blocks {
        file.read_at(&mut memory, u64::from(block) * BLOCK_BYTES as u64)?;
        if memory.iter().any(|byte| *byte != 0) {
            return Ok(Some(block));
        }
    }
    Ok(None)
}
