use std::io;

use custos_ports::DiskFile;

use crate::aligned::AlignedBuffer;
use crate::record::BLOCK_BYTES;

/// Gathers bytes in aligned memory and writes them in large pieces. Payloads come from the
/// network and are hardly ever aligned, so they are copied; that costs a tenth of the write.
pub(crate) struct BlockWriter<'a> {
    file: &'a dyn DiskFile,
    buffer: &'a mut AlignedBuffer,
    filled: usize,
    offset: u64,
}

impl<'a> BlockWriter<'a> {
    /// Begins at `offset`, a multiple of 4 KiB.
    pub(crate) fn new(file: &'a dyn DiskFile, buffer: &'a mut AlignedBuffer, offset: u64) -> Self {
        Self { file, buffer, filled: 0, offset }
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> io::Result<()> {
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

    /// Fills the block up with zeros.
    pub(crate) fn pad(&mut self) {
        let end = self.filled.next_multiple_of(BLOCK_BYTES);
        self.buffer[self.filled..end].fill(0);
        self.filled = end;
    }

    /// What was pushed must end with a whole block.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        assert_eq!(self.filled % BLOCK_BYTES, 0, "only whole blocks are written");
        self.file.write_all_at(&self.buffer[..self.filled], self.offset)?;
        self.offset += self.filled as u64;
        self.filled = 0;
        Ok(())
    }
}
