use std::io;

use crate::DiskId;
use crate::aligned::AlignedBuffer;
use crate::extent_file::ExtentFile;
use crate::record::{BLOCK_BYTES, HEAD_BLOCKS_MAX, Place, RecordHead};

/// Read ahead where records are small or damaged.
const WINDOW_BYTES: usize = 256 << 10;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanEnd {
    /// Block after the last record.
    pub(crate) end_block: u32,
    pub(crate) sequence_max: u64,
    /// Blocks that are not empty and belong to no record.
    pub(crate) damaged_blocks: u64,
    /// Nothing but zeros follows the last record, and that record is whole in length.
    pub(crate) tail_is_empty: bool,
}

/// Walks the records of an extent in order and hands each head to `visit`. Payloads are not read.
/// What is no record is passed over block by block, so that records behind it are found.
pub(crate) fn scan<E: From<io::Error>>(
    file: &ExtentFile,
    start: ScanStart,
    mut visit: impl FnMut(RecordHead) -> Result<(), E>,
) -> Result<ScanEnd, E> {
    let file_len = file.len()?;
    let mut window = Window::new(file, file_len);
    let mut end = ScanEnd {
        end_block: start.first_block,
        sequence_max: start.sequence_max,
        damaged_blocks: 0,
        tail_is_empty: true,
    };
    let mut block = start.first_block;
    while u64::from(block) * (BLOCK_BYTES as u64) < file_len {
        let bytes = window.at(block)?;
        let place = Place { extent: start.extent, first_block: block };
        let head = RecordHead::decode(bytes).ok().filter(|head| {
            let ours = head.disk == start.disk && head.place == place;
            ours && head.stamp.sequence > end.sequence_max
        });
        if let Some(head) = head {
            let Some(next) = block.checked_add(head.total_blocks()) else { break };
            block = next;
            end.end_block = next;
            end.sequence_max = head.stamp.sequence;
            end.tail_is_empty = true;
            visit(head)?;
            continue;
        }
        let first = &bytes[..bytes.len().min(BLOCK_BYTES)];
        let is_empty = first.len() == BLOCK_BYTES && first.iter().all(|byte| *byte == 0);
        let Some(next) = block.checked_add(1) else { break };
        block = next;
        if is_empty {
            match file.next_data(u64::from(block) * BLOCK_BYTES as u64)? {
                Some(offset) => {
                    let data_block = u32::try_from(offset / BLOCK_BYTES as u64);
                    block = block.max(data_block.unwrap_or(u32::MAX));
                }
                None => break,
            }
        } else {
            end.damaged_blocks += 1;
            end.tail_is_empty = false;
        }
    }
    let end_offset = u64::from(end.end_block) * BLOCK_BYTES as u64;
    if end_offset > file_len || file_len % BLOCK_BYTES as u64 != 0 {
        end.tail_is_empty = false;
    }
    Ok(end)
}

struct Window<'a> {
    file: &'a ExtentFile,
    file_len: u64,
    buffer: AlignedBuffer,
    offset: u64,
    len: usize,
}

impl<'a> Window<'a> {
    fn new(file: &'a ExtentFile, file_len: u64) -> Self {
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
            self.len = self.file.read_at(&mut self.buffer[..wanted], offset)?;
            self.offset = offset;
        }
        let from = usize::try_from(offset - self.offset).expect("within the window");
        Ok(&self.buffer[from..self.len.max(from)])
    }
}
