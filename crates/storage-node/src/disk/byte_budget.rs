use std::sync::Arc;

use custos_core::limits::SHARD_PAYLOAD_BYTES_MAX;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the budget is counted in: small enough to be fair to small shards, and large enough for
/// the counters.
const UNIT_BYTES: usize = 4 << 10;

/// How many payload bytes a node may hold at once (invariant I10).
#[derive(Debug, Clone)]
pub(crate) struct ByteBudget {
    units: Arc<Semaphore>,
    bytes: usize,
}

/// Bytes set aside; they are given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    _permit: OwnedSemaphorePermit,
}

impl ByteBudget {
    /// At least one shard of the largest size always fits.
    pub(crate) fn new(bytes: usize) -> Self {
        let bytes = bytes.max(SHARD_PAYLOAD_BYTES_MAX);
        Self { units: Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES))), bytes }
    }

    /// Sets `bytes` aside at once or not at all; the error names the limit.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reservation, String> {
        let full =
            |_| format!("{} MiB of shards are under way, which is the limit", self.bytes >> 20);
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX);
        let permit = self.units.clone().try_acquire_many_owned(units).map_err(full)?;
        Ok(Reservation { _permit: permit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_until_something_is_given_back() {
        let budget = ByteBudget::new(100 << 20);
        let first = budget.reserve(60 << 20).expect("fits");
        let refused = budget.reserve(41 << 20).expect_err("does not fit");
        assert!(refused.contains("100 MiB"), "{refused}");
        let small = budget.reserve(1).expect("fits");
        drop((first, small));
        budget.reserve(100 << 20).expect("all of it is free again");
    }
}
