use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use custos_core::Fullness;
use custos_ports::{DiskFile, FileAccess};

use crate::disk_state::DiskState;
use crate::extent_header::ExtentHeader;
use crate::extents::write_header;
use crate::limits::SPARE_FILES_MAX;
use crate::open_extents::is_no_space;
use crate::record::BLOCK_BYTES;

/// Files of extents that were given back, kept to become extents again: space that was written
/// once takes direct writes faster than space that the file system has to find first.
///
/// A spare file is zeros, durably, before it becomes an extent, and it has the new extent's header
/// before it has its name. So no crash leaves an extent with something of an earlier one in it;
/// and if one did, records name the extent that they are in and count in no other.
pub(crate) struct SpareFiles {
    state: Arc<DiskState>,
    extent_blocks_max: u32,
    kept: Vec<Spare>,
}

#[derive(Debug, Clone, Copy)]
struct Spare {
    /// As an extent.
    number: u64,
    blocks: u32,
}

impl SpareFiles {
    pub(crate) fn new(state: Arc<DiskState>, extent_blocks_max: u32) -> Self {
        Self { state, extent_blocks_max, kept: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Takes over files that an earlier process left, as many as are wanted; the others go. Fails
    /// when a sync does.
    pub(crate) fn adopt(&mut self, numbers: &[u64]) -> io::Result<()> {
        for &number in numbers {
            let file = self.state.extents.open_spare(number);
            if file.is_ok_and(|file| self.wants(&*file)) {
                // Nobody knows how far the zeros came.
                self.add(number)?;
            } else {
                self.unlink(number);
            }
        }
        Ok(())
    }

    /// Sets the file of an extent aside, or removes it where no more spare files are wanted. The
    /// index has forgotten the extent; its name is gone for good when this returns.
    pub(crate) fn give_back(&mut self, extent: u64) -> io::Result<()> {
        let extents = &self.state.extents;
        let file = extents.open(extent, FileAccess::Read);
        let is_taken = self.kept.iter().any(|spare| spare.number == extent);
        if is_taken || !file.is_ok_and(|file| self.wants(&*file)) {
            extents.remove(extent)?;
            return extents.sync_names();
        }
        extents.set_aside(extent)?;
        if planted!(ZeroFirst) {
            self.add(extent)?;
            return self.state.extents.sync_names();
        }
        // A crash may undo a rename that is not durable: the extent would be back, with zeros in
        // place of tombstones and records in any pattern.
        extents.sync_names()?;
        self.add(extent)
    }

    /// Makes a spare file a new extent, if there is one. Returns it open, with the block that its
    /// space ends at.
    pub(crate) fn begin(
        &mut self,
        header: &ExtentHeader,
    ) -> io::Result<Option<(Arc<dyn DiskFile>, u32)>> {
        let Some(spare) = self.kept.pop() else { return Ok(None) };
        self.note_bytes();
        let extents = &self.state.extents;
        let file = match extents.open_spare(spare.number) {
            Ok(file) => file,
            Err(error) => {
                self.unfit(spare.number, &error);
                return Ok(None);
            }
        };
        // The header first: a spare file with a header is still no extent.
        match write_header(&*file, header) {
            Err(error) if is_no_space(&error) => {
                self.unfit(spare.number, &error);
                return Ok(None);
            }
            outcome => outcome?,
        }
        if let Err(error) = extents.reuse(spare.number, header.number) {
            self.unfit(spare.number, &error);
            return Err(error);
        }
        if !planted!(SkipFolderSync) {
            extents.sync_names().inspect_err(|_| {
                // It holds nothing yet.
                let _ = extents.remove(header.number);
            })?;
        }
        Ok(Some((file, spare.blocks)))
    }

    /// Whether less is free than a disk with spare files should have: a whole extent beside what
    /// is kept back.
    pub(crate) fn is_space_short(&self) -> bool {
        let extent_bytes = u64::from(self.extent_blocks_max) * BLOCK_BYTES as u64;
        let needed = self.state.marks.space_kept_back_bytes.saturating_add(extent_bytes);
        self.state.space().free_bytes < needed || self.state.fullness() > Fullness::Normal
    }

    /// Gives one back to the file system, and says whether there was one.
    pub(crate) fn drop_one(&mut self) -> bool {
        let Some(spare) = self.kept.pop() else { return false };
        self.unlink(spare.number);
        self.note_bytes();
        true
    }

    pub(crate) fn drop_all(&mut self) {
        while self.drop_one() {}
    }

    /// Whether a file is worth keeping: about as long as an extent can be.
    fn wants(&self, file: &dyn DiskFile) -> bool {
        let blocks_max = u64::from(self.extent_blocks_max);
        let is_fit = file.byte_len().is_ok_and(|len| {
            let blocks = len / BLOCK_BYTES as u64;
            len % BLOCK_BYTES as u64 == 0 && (blocks_max.div_ceil(2)..=blocks_max).contains(&blocks)
        });
        is_fit && self.kept.len() < SPARE_FILES_MAX && !self.is_space_short()
    }

    /// Fills a spare file with zeros and keeps it; where that cannot be done it goes. Fails when
    /// the sync does.
    fn add(&mut self, number: u64) -> io::Result<()> {
        let zeroed = self.state.extents.open_spare(number).and_then(|file| {
            let len = file.byte_len()?;
            if !planted!(SkipZeros) {
                file.zero(0, len)?;
            }
            Ok((file, len))
        });
        let (file, len) = match zeroed {
            Ok(zeroed) => zeroed,
            Err(error) => {
                self.unfit(number, &error);
                return Ok(());
            }
        };
        file.sync_data()?;
        let blocks = u32::try_from(len / BLOCK_BYTES as u64).expect("no longer than an extent");
        self.kept.push(Spare { number, blocks });
        self.note_bytes();
        Ok(())
    }

    /// Nothing is lost with it.
    fn unfit(&self, number: u64, error: &io::Error) {
        if error.kind() != io::ErrorKind::Unsupported {
            tracing::warn!(disk = %self.state.name, number, %error, "spare file not used");
        }
        self.unlink(number);
    }

    /// A crash may bring it back, and the next opening finds it then.
    fn unlink(&self, number: u64) {
        if let Err(error) = self.state.extents.remove_spare(number) {
            tracing::warn!(disk = %self.state.name, number, %error, "spare file not removed");
        }
    }

    fn note_bytes(&self) {
        let blocks: u64 = self.kept.iter().map(|spare| u64::from(spare.blocks)).sum();
        self.state.spare_bytes.store(blocks * BLOCK_BYTES as u64, Ordering::Relaxed);
    }
}
