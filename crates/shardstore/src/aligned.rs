use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::limits::READ_MEMORY_KEPT_BYTES_MAX;
use crate::record::BLOCK_BYTES;

/// Fixed-size memory that starts at a multiple of 4 KiB, as `O_DIRECT` asks.
#[derive(Debug)]
pub(crate) struct AlignedBuffer {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBuffer {
    /// `len` bytes, zero at first.
    pub(crate) fn new(len: usize) -> Self {
        let memory = vec![0; len + BLOCK_BYTES];
        // The vector never grows, so the address stays.
        let start = memory.as_ptr().align_offset(BLOCK_BYTES);
        assert!(start < BLOCK_BYTES, "a byte address can be aligned within one block");
        Self { memory, start, len }
    }
}

impl Deref for AlignedBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }
}

impl DerefMut for AlignedBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

/// Recycles read buffers: the first touch of fresh memory costs more than reading into it.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    kept: Mutex<Vec<AlignedBuffer>>,
}

impl BufferPool {
    /// A buffer of at least `len` bytes whose content is undefined.
    pub(crate) fn take(self: &Arc<Self>, len: usize) -> PooledBuffer {
        let recycled = {
            let mut kept = self.kept.lock();
            // Not much larger than asked for, so that small reads do not pin large memory.
            let fits = |buffer: &AlignedBuffer| buffer.len >= len && buffer.len / 4 <= len;
            kept.iter().position(fits).map(|at| kept.swap_remove(at))
        };
        let size = len.next_multiple_of(16 * BLOCK_BYTES);
        let buffer = recycled.unwrap_or_else(|| AlignedBuffer::new(size));
        PooledBuffer { buffer: Some(buffer), pool: self.clone() }
    }

    fn put_back(&self, buffer: AlignedBuffer) {
        let mut kept = self.kept.lock();
        let bytes_kept: usize = kept.iter().map(|buffer| buffer.len).sum();
        if bytes_kept + buffer.len <= READ_MEMORY_KEPT_BYTES_MAX {
            kept.push(buffer);
        }
    }
}

/// A buffer that returns to its pool when dropped.
#[derive(Debug)]
pub(crate) struct PooledBuffer {
    buffer: Option<AlignedBuffer>,
    pool: Arc<BufferPool>,
}

impl PooledBuffer {
    /// The whole buffer, to be filled.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.buffer.as_mut().expect("present until dropped")
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref().expect("present until dropped")
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.pool.put_back(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_recycled() {
        let pool = Arc::new(BufferPool::default());
        let mut first = pool.take(100_000);
        let address = first.bytes_mut().as_ptr();
        assert!(first.as_ref().len() >= 100_000);
        assert_eq!(address.align_offset(BLOCK_BYTES), 0);
        drop(first);
        assert_eq!(pool.take(90_000).as_ref().as_ptr(), address, "the same memory serves again");
    }

    #[test]
    fn a_pool_keeps_no_more_than_its_limit() {
        let pool = Arc::new(BufferPool::default());
        let many: Vec<_> = (0..20).map(|_| pool.take(1 << 20)).collect();
        drop(many);
        let kept: usize = pool.kept.lock().iter().map(|buffer| buffer.len).sum();
        assert!(kept <= READ_MEMORY_KEPT_BYTES_MAX);
    }
}
