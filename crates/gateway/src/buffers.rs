use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::GatewayError;

/// Buffers start on a page, so that a disk can take them without a copy.
const ALIGNMENT: usize = 4096;
/// The budget is counted in blocks of this many bytes.
const BLOCK_BYTES: usize = 64 << 10;

/// A fixed budget of reused, page-aligned transfer buffers.
///
/// Fresh memory is slow to touch on virtual machines, so buffers go round; and the budget is what
/// keeps a gateway's memory bounded whatever its load (invariant I10).
#[derive(Clone)]
pub(crate) struct BufferPool {
    shared: Arc<Shared>,
}

struct Shared {
    budget: Arc<Semaphore>,
    limit_bytes: usize,
    wait_max: Duration,
    free: Mutex<Free>,
}

impl BufferPool {
    pub(crate) fn new(limit_bytes: usize, wait_max: Duration) -> Self {
        let blocks = limit_bytes / BLOCK_BYTES;
        let shared = Shared {
            budget: Arc::new(Semaphore::new(blocks)),
            limit_bytes,
            wait_max,
            free: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// What a limit must be for `count` buffers of `len` bytes to live at once.
    pub(crate) fn limit_for(count: usize, len: usize) -> usize {
        count * (len + ALIGNMENT).next_multiple_of(BLOCK_BYTES)
    }

    /// A buffer of `len` bytes of unspecified content; waits for one to come free.
    pub(crate) async fn acquire(&self, len: usize) -> Result<Buffer, GatewayError> {
        let reservation = self.reserve(len + ALIGNMENT).await?;
        let storage = self.reuse(len + ALIGNMENT);
        let start = storage.as_ptr().align_offset(ALIGNMENT);
        Ok(Buffer { storage, start, len, pool: self.clone(), _reservation: reservation })
    }

    /// Sets part of the budget aside for memory that is not the pool's own. What is more than the
    /// whole budget is refused at once: no wait would bring it.
    pub(crate) async fn reserve(&self, len: usize) -> Result<Reservation, GatewayError> {
        let limit_bytes = self.shared.limit_bytes;
        let exhausted = || GatewayError::BuffersExhausted { limit_bytes };
        let blocks = len.div_ceil(BLOCK_BYTES);
        if blocks > limit_bytes / BLOCK_BYTES {
            let reason = format!("{len} bytes were asked of a budget of {limit_bytes}");
            return Err(GatewayError::Internal { reason });
        }
        let blocks = u32::try_from(blocks).map_err(|_| exhausted())?;
        let permit = self.shared.budget.clone().acquire_many_owned(blocks);
        let permit = tokio::time::timeout(self.shared.wait_max, permit)
            .await
            .map_err(|_| exhausted())?
            .expect("the budget is never closed");
        Ok(Reservation { permit })
    }

    fn reuse(&self, len: usize) -> Vec<u8> {
        let mut free = self.shared.free.lock();
        // Not much larger than asked for: what lies idle in it would be outside the budget.
        let fits = |storage: &Vec<u8>| (len..=len + len / 4).contains(&storage.len());
        if let Some(at) = free.storages.iter().position(fits) {
            return free.storages.swap_remove(at);
        }
        while free.allocated + len > self.shared.limit_bytes
            && let Some(idle) = free.storages.pop()
        {
            free.allocated -= idle.len();
        }
        free.allocated += len;
        drop(free);
        vec![0; len]
    }
}

/// Storages that nobody uses.
#[derive(Default)]
struct Free {
    storages: Vec<Vec<u8>>,
    /// Bytes of all storages, idle and in use.
    allocated: usize,
}

/// Part of the budget, for as long as it lives.
pub(crate) struct Reservation {
    permit: OwnedSemaphorePermit,
}

impl Reservation {
    /// Gives back what is more than `len` bytes.
    pub(crate) fn shrink(&mut self, len: usize) {
        let spare = self.permit.num_permits().saturating_sub(len.div_ceil(BLOCK_BYTES));
        drop(self.permit.split(spare));
    }

    /// Shares bytes that this part of the budget was set aside for.
    pub(crate) fn hold(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Held { bytes, _reservation: self })
    }
}

struct Held {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// One buffer; it goes back to its pool when the last view of it is dropped.
pub(crate) struct Buffer {
    storage: Vec<u8>,
    start: usize,
    len: usize,
    pool: BufferPool,
    _reservation: Reservation,
}

impl Buffer {
    /// Shares the content for reading.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.storage[self.start..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.storage[self.start..][..self.len]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let storage = std::mem::take(&mut self.storage);
        self.pool.shared.free.lock().storages.push(storage);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn i10_a_pool_hands_out_its_budget_and_no_more() {
        let pool = BufferPool::new(4 << 20, Duration::from_millis(20));
        let first = pool.acquire(2 << 20).await.expect("fits");
        assert_eq!(first.as_ptr().align_offset(ALIGNMENT), 0);
        let refused = pool.acquire(3 << 20).await;
        assert!(matches!(refused, Err(GatewayError::BuffersExhausted { .. })));
        drop(first);
        pool.acquire(3 << 20).await.expect("came free");
    }

    #[tokio::test]
    async fn what_exceeds_the_pool_is_refused_at_once() {
        let pool = BufferPool::new(4 << 20, Duration::from_secs(3600));
        let refused = pool.acquire(4 << 20).await;
        assert!(matches!(refused, Err(GatewayError::Internal { .. })), "with its alignment");
        pool.reserve(4 << 20).await.expect("all of it");
    }

    #[tokio::test]
    async fn a_pool_of_the_limit_for_three_buffers_holds_three() {
        let len = (5 << 20) + 17;
        let pool = BufferPool::new(BufferPool::limit_for(3, len), Duration::from_millis(1));
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(pool.acquire(len).await.expect("fits"));
        }
        assert!(pool.acquire(len).await.is_err());
    }

    #[tokio::test]
    async fn a_reservation_gives_back_what_it_no_longer_needs() {
        let pool = BufferPool::new(4 << 20, Duration::from_millis(1));
        let mut reservation = pool.reserve(4 << 20).await.expect("fits");
        reservation.shrink(1 << 20);
        pool.reserve(3 << 20).await.expect("was given back");
        assert!(pool.reserve(4 << 20).await.is_err(), "the rest is still held");
    }

    #[tokio::test]
    async fn a_buffer_comes_back_when_its_last_view_is_dropped() {
        let pool = BufferPool::new(4 << 20, Duration::from_millis(1));
        let mut buffer = pool.acquire(3 << 20).await.expect("fits");
        buffer[7] = 42;
        let shared = buffer.freeze();
        let view = shared.slice(7..8);
        drop(shared);
        assert!(pool.acquire(3 << 20).await.is_err());
        assert_eq!(view.as_ref(), [42]);
        drop(view);
        pool.acquire(3 << 20).await.expect("came free");
    }
}
