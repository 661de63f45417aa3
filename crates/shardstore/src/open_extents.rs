use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use custos_ports::{DiskFile, FileAccess};

use crate::aligned::AlignedBuffer;
use crate::block_writer::BlockWriter;
use crate::disk_state::DiskState;
use crate::extent_book::Checkpoint;
use crate::extent_header::{ExtentHeader, RetentionMonth};
use crate::extents::write_header;
use crate::limits::WRITE_EXTENTS_OPEN_MAX;
use crate::options::ExtentLimits;
use crate::record::{BLOCK_BYTES, Place};
use crate::spare_files::SpareFiles;

/// Whose space a record takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpaceClass {
    /// Not the space that is kept back.
    Shard,
    /// Any space: a full disk must still take removals, and move what is left of an extent that
    /// gives back more.
    Any,
}

/// Extents that are being appended to, at most one per retention month.
///
/// Space is reserved first, then written and synced, then committed; what was reserved and not
/// committed is rolled back or given out again.
pub(crate) struct OpenExtents {
    state: Arc<DiskState>,
    extent_blocks_max: u32,
    preallocate_blocks: u32,
    open: Vec<OpenExtent>,
    spares: SpareFiles,
    resumable: HashMap<RetentionMonth, (u64, u32)>,
    next_extent: u64,
    uses: u64,
}

struct OpenExtent {
    number: u64,
    month: RetentionMonth,
    sequence_min: u64,
    unknown_blocks: u32,
    file: Arc<dyn DiskFile>,
    /// Records before this block are durable and in the index.
    committed_block: u32,
    /// Records of the current group commit end here.
    reserved_block: u32,
    /// The file system has given space up to here.
    allocated_block: u32,
    /// Takes no more records.
    is_full: bool,
    last_use: u64,
}

impl OpenExtents {
    pub(crate) fn new(
        state: Arc<DiskState>,
        limits: ExtentLimits,
        next_extent: u64,
        resumable: HashMap<RetentionMonth, (u64, u32)>,
    ) -> Self {
        let blocks = |bytes: u64| {
            let blocks = bytes.div_ceil(BLOCK_BYTES as u64).clamp(1, u64::from(u32::MAX / 4));
            u32::try_from(blocks).expect("clamped")
        };
        let extent_blocks_max = blocks(limits.extent_bytes_max);
        Self {
            spares: SpareFiles::new(state.clone(), extent_blocks_max),
            state,
            extent_blocks_max,
            preallocate_blocks: blocks(limits.preallocate_bytes),
            open: Vec::new(),
            resumable,
            next_extent,
            uses: 0,
        }
    }

    /// Finds a place for a record of `blocks` blocks. `StorageFull` when there is no space.
    pub(crate) fn reserve(
        &mut self,
        month: RetentionMonth,
        blocks: u32,
        sequence: u64,
        class: SpaceClass,
    ) -> io::Result<Place> {
        self.uses += 1;
        let at = self.extent_for(month, blocks, sequence, class)?;
        let end = self.open[at].reserved_block + blocks;
        self.allocate(at, end, class)?;
        let extent = &mut self.open[at];
        let place = Place { extent: extent.number, first_block: extent.reserved_block };
        extent.reserved_block = end;
        extent.last_use = self.uses;
        Ok(place)
    }

    fn extent_for(
        &mut self,
        month: RetentionMonth,
        blocks: u32,
        sequence: u64,
        class: SpaceClass,
    ) -> io::Result<usize> {
        let blocks_max = self.extent_blocks_max;
        let fits = |end: u32| end == 1 || end + blocks <= blocks_max;
        let mut candidates = self.open.iter().enumerate();
        let current = candidates.find(|(_, open)| open.month == month && !open.is_full);
        if let Some((at, extent)) = current {
            if fits(extent.reserved_block) {
                return Ok(at);
            }
            self.open[at].is_full = true;
        }
        let resumed = match self.resumable.remove(&month) {
            Some((number, end)) if fits(end) => self.resume(month, number, end)?,
            _ => None,
        };
        let extent = match resumed {
            Some(extent) => extent,
            None => self.create(month, sequence, class)?,
        };
        self.open.push(extent);
        Ok(self.open.len() - 1)
    }

    fn resume(
        &self,
        month: RetentionMonth,
        number: u64,
        end: u32,
    ) -> io::Result<Option<OpenExtent>> {
        let file = self.state.extents.open(number, FileAccess::Append)?;
        // Nothing that someone else put there is overwritten.
        if file.byte_len()? != u64::from(end) * BLOCK_BYTES as u64 {
            return Ok(None);
        }
        let known = self.state.index.book(number).and_then(|book| book.checkpoint);
        let known = known.unwrap_or_default();
        Ok(Some(OpenExtent {
            number,
            month,
            sequence_min: known.sequence_min,
            unknown_blocks: known.unknown_blocks,
            file,
            committed_block: end,
            reserved_block: end,
            allocated_block: end,
            is_full: false,
            last_use: 0,
        }))
    }

    fn create(
        &mut self,
        month: RetentionMonth,
        sequence: u64,
        class: SpaceClass,
    ) -> io::Result<OpenExtent> {
        if self.spares.is_empty() {
            self.check_space(1, class)?;
        }
        let number = self.next_extent;
        self.next_extent += 1;
        let header = ExtentHeader { disk: self.state.id, number, month, sequence_min: sequence };
        let (file, allocated_block) = match self.spares.begin(&header)? {
            Some(begun) => begun,
            None => (self.begin(&header)?, 1),
        };
        tracing::debug!(
            disk = %self.state.name, extent = number, month = month.0, blocks = allocated_block,
            "extent begun"
        );
        Ok(OpenExtent {
            number,
            month,
            sequence_min: sequence,
            unknown_blocks: 0,
            file,
            committed_block: 1,
            reserved_block: 1,
            allocated_block,
            is_full: false,
            last_use: 0,
        })
    }

    /// Makes the file of a new extent.
    fn begin(&self, header: &ExtentHeader) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.state.extents.create(header.number)?;
        let written = write_header(&*file, header).and_then(|()| match planted!(SkipFolderSync) {
            true => Ok(()),
            false => self.state.extents.sync_names(),
        });
        if let Err(error) = written {
            // It was made a moment ago and holds nothing.
            let _ = self.state.extents.remove(header.number);
            return Err(error);
        }
        Ok(file)
    }

    /// Makes sure that the extent has space up to `end`, a step ahead where there is enough of what
    /// is not kept back.
    fn allocate(&mut self, at: usize, end: u32, class: SpaceClass) -> io::Result<()> {
        let from = self.open[at].allocated_block;
        if end <= from {
            return Ok(());
        }
        let ahead = end.next_multiple_of(self.preallocate_blocks).min(self.extent_blocks_max);
        let mut outcome = Ok(());
        for (target, class) in [(ahead.max(end), SpaceClass::Shard), (end, class)] {
            let blocks = target - from;
            outcome = self.check_space(blocks, class).and_then(|()| {
                let offset = u64::from(from) * BLOCK_BYTES as u64;
                self.open[at].file.preallocate(offset, u64::from(blocks) * BLOCK_BYTES as u64)
            });
            match &outcome {
                Ok(()) => {
                    self.open[at].allocated_block = target;
                    break;
                }
                Err(error) if is_no_space(error) => {}
                Err(_) => break,
            }
        }
        outcome
    }

    /// Makes spare files room where there is not enough.
    fn check_space(&mut self, blocks: u32, class: SpaceClass) -> io::Result<()> {
        let kept_back = match class {
            SpaceClass::Shard => self.state.marks.space_kept_back_bytes,
            SpaceClass::Any => 0,
        };
        let needed = kept_back.saturating_add(u64::from(blocks) * BLOCK_BYTES as u64);
        while self.state.space().free_bytes < needed {
            if !self.spares.drop_one() {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Ok(())
    }

    fn find(&mut self, number: u64) -> &mut OpenExtent {
        let found = self.open.iter_mut().find(|open| open.number == number);
        found.expect("an extent stays open while records are reserved in it")
    }

    /// Writes the records reserved since the last commit, in order and without a gap.
    pub(crate) fn append<'a>(
        &mut self,
        number: u64,
        buffer: &mut AlignedBuffer,
        records: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> io::Result<()> {
        let extent = self.find(number);
        let offset = u64::from(extent.committed_block) * BLOCK_BYTES as u64;
        let mut out = BlockWriter::new(&*extent.file, buffer, offset);
        for (head, payload) in records {
            out.push(head)?;
            out.push(payload)?;
            out.pad();
        }
        out.flush()
    }

    pub(crate) fn sync(&mut self, number: u64) -> io::Result<()> {
        if planted!(SkipDataSync, AnswerBeforeSync) {
            return Ok(());
        }
        self.find(number).file.sync_data()
    }

    /// What `AnswerBeforeSync` should have done earlier.
    #[cfg(test)]
    pub(crate) fn sync_late(&mut self) {
        self.open.iter().for_each(|extent| extent.file.sync_data().expect("not with failures"));
    }

    pub(crate) fn is_unlinked(&mut self, number: u64) -> io::Result<bool> {
        self.find(number).file.is_unlinked()
    }

    /// Forgets what was reserved since the last commit, and cuts off what was written of it.
    pub(crate) fn roll_back(&mut self, number: u64) -> io::Result<()> {
        let extent = self.find(number);
        if planted!(SkipRollBack) {
            extent.reserved_block = extent.committed_block;
            return Ok(());
        }
        extent.file.set_len(u64::from(extent.committed_block) * BLOCK_BYTES as u64)?;
        extent.file.sync_data()?;
        extent.reserved_block = extent.committed_block;
        extent.allocated_block = extent.committed_block;
        // There was no space, whatever the file system said of it.
        self.spares.drop_all();
        Ok(())
    }

    /// What the index is to note when the reserved records are durable.
    pub(crate) fn checkpoint(&mut self, number: u64, sequence_max: u64) -> Checkpoint {
        let extent = self.find(number);
        Checkpoint {
            end_block: extent.reserved_block,
            sequence_min: extent.sequence_min,
            sequence_max,
            month: Some(extent.month),
            unknown_blocks: extent.unknown_blocks,
        }
    }

    pub(crate) fn commit(&mut self, number: u64) {
        let extent = self.find(number);
        extent.committed_block = extent.reserved_block;
    }

    /// Between two group commits: closes extents that are full, and those least recently used.
    pub(crate) fn close_surplus(&mut self) {
        while let Some(at) = self.open.iter().position(|open| open.is_full) {
            self.close(at);
        }
        while self.open.len() > WRITE_EXTENTS_OPEN_MAX {
            let oldest = self.open.iter().enumerate().min_by_key(|(_, open)| open.last_use);
            let (at, _) = oldest.expect("there are several");
            self.close(at);
        }
    }

    /// Between two group commits: where space is short, gives up what is kept only to be quick.
    pub(crate) fn release_if_short(&mut self) {
        let is_much = |open: &OpenExtent, step: u32| {
            open.allocated_block.saturating_sub(open.committed_block) > step
        };
        let step = self.preallocate_blocks;
        let has_much = self.open.iter().any(|open| is_much(open, step));
        if (self.spares.is_empty() && !has_much) || !self.spares.is_space_short() {
            return;
        }
        self.spares.drop_all();
        for extent in self.open.iter_mut().filter(|open| is_much(open, step)) {
            let end = extent.committed_block;
            match extent.file.set_len(u64::from(end) * BLOCK_BYTES as u64) {
                Ok(()) => extent.allocated_block = end,
                Err(error) => {
                    let (disk, extent) = (&self.state.name, extent.number);
                    tracing::warn!(%disk, extent, %error, "space not given back");
                }
            }
        }
    }

    /// Takes over the spare files that are there.
    pub(crate) fn adopt_spares(&mut self, numbers: &[u64]) -> io::Result<()> {
        self.spares.adopt(numbers)
    }

    /// Gives back the file of an extent that the index has forgotten. When this returns, no folder
    /// has it under its name for good.
    pub(crate) fn give_back(&mut self, number: u64) -> io::Result<()> {
        self.spares.give_back(number)
    }

    pub(crate) fn is_open(&self, number: u64) -> bool {
        self.open.iter().any(|open| open.number == number)
    }

    /// Between two group commits: never appends to this extent again.
    pub(crate) fn close_for_good(&mut self, number: u64) {
        if let Some(at) = self.open.iter().position(|open| open.number == number) {
            self.close(at);
        }
        self.resumable.retain(|_, (resumable, _)| *resumable != number);
    }

    /// Bytes that the file system has given and that hold no record.
    pub(crate) fn ahead_bytes(&self) -> u64 {
        let ahead = |open: &OpenExtent| {
            u64::from(open.allocated_block.saturating_sub(open.committed_block))
        };
        self.open.iter().map(ahead).sum::<u64>() * BLOCK_BYTES as u64
    }

    pub(crate) fn close_all(&mut self) {
        while !self.open.is_empty() {
            self.close(0);
        }
    }

    /// Gives back what was preallocated and not used.
    fn close(&mut self, at: usize) {
        let extent = self.open.swap_remove(at);
        let end = extent.committed_block;
        match extent.file.set_len(u64::from(end) * BLOCK_BYTES as u64) {
            Ok(()) if !extent.is_full => {
                self.resumable.insert(extent.month, (extent.number, end));
            }
            Ok(()) => {}
            Err(error) => {
                let (disk, extent) = (&self.state.name, extent.number);
                tracing::warn!(%disk, extent, %error, "preallocated space not given back");
            }
        }
    }
}

/// Whether an error says that there is no space, and not that the disk is broken.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
