use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::Options;
use crate::aligned::AlignedBuffer;
use crate::disk_state::DiskState;
use crate::extent_file::{ExtentFile, is_no_space};
use crate::extent_header::{ExtentHeader, RetentionMonth};
use crate::identity::sync_dir;
use crate::index::Checkpoint;
use crate::limits::WRITE_EXTENTS_OPEN_MAX;
use crate::record::{BLOCK_BYTES, Place};

/// Whose space a record takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpaceClass {
    /// Not the space that is kept back.
    Shard,
    /// Any space: a full disk must still take removals.
    Tombstone,
}

/// Extents that are being appended to, at most one per retention month.
///
/// Space is reserved first, then written and synced, then committed; what was reserved and not
/// committed is rolled back or given out again.
pub(crate) struct OpenExtents {
    state: Arc<DiskState>,
    extent_blocks_max: u32,
    preallocate_blocks: u32,
    space_kept_back_bytes: u64,
    open: Vec<OpenExtent>,
    resumable: HashMap<RetentionMonth, (u64, u32)>,
    next_extent: u64,
    uses: u64,
}

struct OpenExtent {
    number: u64,
    month: RetentionMonth,
    file: ExtentFile,
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
        options: &Options,
        next_extent: u64,
        resumable: HashMap<RetentionMonth, (u64, u32)>,
    ) -> Self {
        let blocks = |bytes: u64| {
            let blocks = bytes.div_ceil(BLOCK_BYTES as u64).clamp(1, u64::from(u32::MAX / 4));
            u32::try_from(blocks).expect("clamped")
        };
        Self {
            state,
            extent_blocks_max: blocks(options.extent_bytes_max),
            preallocate_blocks: blocks(options.preallocate_bytes),
            space_kept_back_bytes: options.space_kept_back_bytes,
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
        let path = self.state.extents.file(number);
        let file = ExtentFile::open_to_append(&path, self.state.io_mode)?;
        // Nothing that someone else put there is overwritten.
        if file.len()? != u64::from(end) * BLOCK_BYTES as u64 {
            return Ok(None);
        }
        Ok(Some(OpenExtent {
            number,
            month,
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
        self.check_space(1, class)?;
        let number = self.next_extent;
        self.next_extent += 1;
        let path = self.state.extents.file(number);
        let file = ExtentFile::create(&path, self.state.io_mode)?;
        let header = ExtentHeader { disk: self.state.id, number, month, sequence_min: sequence };
        let written =
            write_header(&file, &header).and_then(|()| sync_dir(self.state.extents.path()));
        if let Err(error) = written {
            // It was made a moment ago and holds nothing.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        tracing::debug!(disk = %self.state.name, extent = number, month = month.0, "extent begun");
        Ok(OpenExtent {
            number,
            month,
            file,
            committed_block: 1,
            reserved_block: 1,
            allocated_block: 1,
            is_full: false,
            last_use: 0,
        })
    }

    /// Makes sure that the extent has space up to `end`, a step ahead where there is enough.
    fn allocate(&mut self, at: usize, end: u32, class: SpaceClass) -> io::Result<()> {
        let from = self.open[at].allocated_block;
        if end <= from {
            return Ok(());
        }
        let ahead = end.next_multiple_of(self.preallocate_blocks).min(self.extent_blocks_max);
        let mut outcome = Ok(());
        for target in [ahead.max(end), end] {
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

    fn check_space(&self, blocks: u32, class: SpaceClass) -> io::Result<()> {
        let kept_back = match class {
            SpaceClass::Shard => self.space_kept_back_bytes,
            SpaceClass::Tombstone => 0,
        };
        let needed = kept_back.saturating_add(u64::from(blocks) * BLOCK_BYTES as u64);
        if self.state.free_bytes() < needed {
            return Err(io::ErrorKind::StorageFull.into());
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
        let mut out = BlockWriter { file: &extent.file, buffer, filled: 0, offset };
        for (head, payload) in records {
            out.push(head)?;
            out.push(payload)?;
            out.pad();
        }
        out.flush()
    }

    pub(crate) fn sync(&mut self, number: u64) -> io::Result<()> {
        self.find(number).file.sync_data()
    }

    pub(crate) fn is_unlinked(&mut self, number: u64) -> io::Result<bool> {
        self.find(number).file.is_unlinked()
    }

    /// Forgets what was reserved since the last commit, and cuts off what was written of it.
    pub(crate) fn roll_back(&mut self, number: u64) -> io::Result<()> {
        let extent = self.find(number);
        extent.file.set_len(u64::from(extent.committed_block) * BLOCK_BYTES as u64)?;
        extent.file.sync_data()?;
        extent.reserved_block = extent.committed_block;
        extent.allocated_block = extent.committed_block;
        Ok(())
    }

    /// What the index is to note when the reserved records are durable.
    pub(crate) fn checkpoint(&mut self, number: u64, sequence_max: u64) -> Checkpoint {
        let extent = self.find(number);
        Checkpoint { end_block: extent.reserved_block, sequence_max, month: Some(extent.month) }
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

fn write_header(file: &ExtentFile, header: &ExtentHeader) -> io::Result<()> {
    let mut block = AlignedBuffer::new(BLOCK_BYTES);
    block.copy_from_slice(&header.encode());
    file.write_all_at(&block, 0)?;
    file.sync_data()
}

/// Gathers bytes in aligned memory and writes them in large pieces. Payloads come from the
/// network and are hardly ever aligned, so they are copied; that costs a tenth of the write.
struct BlockWriter<'a> {
    file: &'a ExtentFile,
    buffer: &'a mut AlignedBuffer,
    filled: usize,
    offset: u64,
}

impl BlockWriter<'_> {
    fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.filled == self.buffer.len() {
                self.flush()?;
            }
            let count = bytes.len().min(self.buffer.len() - self.filled);
            let (now, later) = bytes.split_at(count);
            self.buffer[self.filled..self.filled + count].copy_from_slice(now);
            self.filled += count;
            bytes = later;
        }
        Ok(())
    }

    fn pad(&mut self) {
        let end = self.filled.next_multiple_of(BLOCK_BYTES);
        self.buffer[self.filled..end].fill(0);
        self.filled = end;
    }

    fn flush(&mut self) -> io::Result<()> {
        assert_eq!(self.filled % BLOCK_BYTES, 0, "only whole blocks are written");
        self.file.write_all_at(&self.buffer[..self.filled], self.offset)?;
        self.offset += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}
