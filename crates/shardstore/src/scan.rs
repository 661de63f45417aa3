use std::io;

use custos_ports::DiskFile;

use crate::DiskId;
use crate::aligned::AlignedBuffer;
use crate::quarantine::UnknownBlocks;
use crate::record::{BLOCK_BYTES, HEAD_BLOCKS_MAX, Place, RecordHead};

/// Read ahead where records are small or damaged.
const WINDOW_BYTES: usize = 256 << 10;

/// Most runs of unknown blocks that are noted of one extent; all are counted.
const UNKNOWN_RUNS_MAX: usize = 1024;
/// A scan gives up an extent with more blocks than this that cannot be read.
const UNREADABLE_BLOCKS_MAX: u32 = 64;

/// Where a scan begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScanStart {
    pub(crate) disk: DiskId,
    pub(crate) extent: u64,
    pub(crate) first_block: u32,
    /// Records up to this number lie before; one that is not above it is left over from an
    /// earlier use of the space.
    pub(crate) sequence_max: u64,
}

/// What a scan found besides records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanEnd {
    /// Block after the last record.
    pub(crate) end_block: u32,
    pub(crate) sequence_max: u64,
    /// Blocks that are not empty and belong to no record.
    pub(crate) damaged_blocks: u64,
    /// Where they are, as far as there is room to say.
    pub(crate) unknown: Vec<UnknownBlocks>,
    /// Blocks that could not be read, which are among the damaged.
    pub(crate) unreadable_blocks: u32,
    /// Nothing but zeros follows the last record, and that record is whole in length.
    pub(crate) tail_is_empty: bool,
}

impl ScanEnd {
    fn add_unknown(&mut self, extent: u64, block: u32, reason: String) {
        self.damaged_blocks += 1;
        self.tail_is_empty = false;
        if let Some(last) = self.unknown.last_mut()
            && last.first_block + last.blocks == block
        {
            last.blocks += 1;
        } else if self.unknown.len() < UNKNOWN_RUNS_MAX {
            self.unknown.push(UnknownBlocks { extent, first_block: block, blocks: 1, reason });
        }
    }
}

/// Walks the records of an extent in order and hands each head to `visit`. Payloads are not read.
/// What is no record is passed over block by block, so that records behind it are found.
pub(crate) fn scan<E: From<io::Error>>(
    file: &dyn DiskFile,
    start: ScanStart,
    mut visit: impl FnMut(RecordHead) -> Result<(), E>,
) -> Result<ScanEnd, E> {
    let file_len = file.byte_len()?;
    let mut window = Window::new(file, file_len);
    let mut end = ScanEnd {
        end_block: start.first_block,
        sequence_max: start.sequence_max,
        damaged_blocks: 0,
        unknown: Vec::new(),
        unreadable_blocks: 0,
        tail_is_empty: true,
    };
    let mut block = start.first_block;
    while u64::from(block) * (BLOCK_BYTES as u64) < file_len {
        let bytes = match window.at(block) {
            Ok(bytes) => bytes,
            Err(error) if end.unreadable_blocks < UNREADABLE_BLOCKS_MAX => {
                // A bad sector must not hide the records behind it.
                end.unreadable_blocks += 1;
                end.add_unknown(start.extent, block, format!("it cannot be read: {error}"));
                let Some(next) = block.checked_add(1) else { break };
                block = next;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let head = match own_head(bytes, start, block, end.sequence_max) {
            Ok(head) => head,
            Err(reason) => {
                let first = &bytes[..bytes.len().min(BLOCK_BYTES)];
                let is_empty = first.len() == BLOCK_BYTES && first.iter().all(|byte| *byte == 0);
                let Some(next) = block.checked_add(1) else { break };
                if !is_empty {
                    end.add_unknown(start.extent, block, reason);
                    block = next;
                    continue;
                }
                match file.next_data(u64::from(next) * BLOCK_BYTES as u64)? {
                    Some(offset) => {
                        let data_block = u32::try_from(offset / BLOCK_BYTES as u64);
                        block = next.max(data_block.unwrap_or(u32::MAX));
                    }
                    None => break,
                }
                continue;
            }
        };
        let Some(next) = block.checked_add(head.total_blocks()) else { break };
        block = next;
        end.end_block = next;
        end.sequence_max = head.stamp.sequence;
        end.tail_is_empty = true;
        visit(head)?;
    }
    let end_offset = u64::from(end.end_block) * BLOCK_BYTES as u64;
    if end_offset > file_len || file_len % BLOCK_BYTES as u64 != 0 {
        end.tail_is_empty = false;
    }
    Ok(end)
}

/// The head at `block`, if it is one that belongs there; else why not.
fn own_head(
    bytes: &[u8],
    start: ScanStart,
    block: u32,
    sequence_max: u64,
) -> Result<RecordHead, String> {
    let head = RecordHead::decode(bytes).map_err(|error| error.to_string())?;
    if head.disk != start.disk {
        return Err(format!("a record of disk {}", head.disk));
    }
    if head.place != (Place { extent: start.extent, first_block: block }) {
        let Place { extent, first_block } = head.place;
        return Err(format!("a record of extent {extent}, block {first_block}"));
    }
    if head.stamp.sequence <= sequence_max {
        return Err("a record of an earlier use of the space".to_owned());
    }
    Ok(head)
}

struct Window<'a> {
    file: &'a dyn DiskFile,
    file_len: u64,
    buffer: AlignedBuffer,
    offset: u64,
    len: usize,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn DiskFile, file_len: u64) -> Self {
        Self { file, file_len, buffer: AlignedBuffer::new(WINDOW_BYTES), offset: 0, len: 0 }
    }

    /// The bytes from `block` on: at least the longest head, or what is left of the file.
    fn at(&mut self, block: u32) -> io::Result<&[u8]> {
        let needed = HEAD_BLOCKS_MAX * BLOCK_BYTES;
        let offset = u64::from(block) * BLOCK_BYTES as u64;
        let window_end = self.offset + self.len as u64;
        let left = self.file_len.saturating_sub(offset);
        let has =
            |offset: u64| offset >= self.offset && offset + left.min(needed as u64) <= window_end;
        if !has(offset) {
            // A long way past what was read: records are large, and only their heads are wanted.
            let is_near = offset < window_end + WINDOW_BYTES as u64 / 2;
            let wanted = if is_near { WINDOW_BYTES } else { needed };
            let wide = self.file.read_at(&mut self.buffer[..wanted], offset);
            // It may be a block further on that cannot be read.
            let read = wide.or_else(|_| self.file.read_at(&mut self.buffer[..needed], offset));
            self.len = 0;
            self.len =
                read.or_else(|_| self.file.read_at(&mut self.buffer[..BLOCK_BYTES], offset))?;
            self.offset = offset;
        }
        let from = usize::try_from(offset - self.offset).expect("within the window");
        Ok(&self.buffer[from..self.len.max(from)])
    }
}
