use std::sync::Arc;

use bytes::Bytes;
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
    permit: OwnedSemaphorePermit,
}

impl Reservation {
    /// The payload with its memory: it is given back when the last view of the payload is dropped,
    /// whoever holds it, and not when the caller gives up.
    pub(crate) fn hold(self, payload: Bytes) -> Bytes {
        Bytes::from_owner(Held { payload, _reservation: self })
    }

    /// Gives back what is not needed for `bytes`.
    fn shrink_to(&mut self, bytes: usize) {
        let spare = self.permit.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.permit.split(spare));
    }
}

struct Held {
    payload: Bytes,
    _reservation: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.payload
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
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
        let permit = self.units.clone().try_acquire_many_owned(units(bytes)).map_err(full)?;
        Ok(Reservation { permit })
    }

    /// Makes `reservation` one of `bytes`, which may fail when they are more.
    pub(crate) fn fit(&self, reservation: &mut Reservation, bytes: usize) -> Result<(), String> {
        reservation.shrink_to(bytes);
        let missing = units(bytes) as usize - reservation.permit.num_permits();
        reservation.permit.merge(self.reserve(missing * UNIT_BYTES)?.permit);
        Ok(())
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

    #[test]
    fn what_was_reserved_for_a_guess_becomes_what_it_was() {
        let budget = ByteBudget::new(100 << 20);
        let mut reservation = budget.reserve(60 << 20).expect("fits");
        budget.fit(&mut reservation, 10 << 20).expect("less");
        let other = budget.reserve(90 << 20).expect("the rest is free");
        budget.fit(&mut reservation, 20 << 20).expect_err("more than there is");
        drop(other);
        budget.fit(&mut reservation, 20 << 20).expect("more");
        budget.reserve(80 << 20).expect("the rest is free");
        budget.reserve(81 << 20).expect_err("but no more");
    }

    #[test]
    fn a_payload_keeps_its_memory_until_its_last_view_is_dropped() {
        let budget = ByteBudget::new(64 << 20);
        let held = budget.reserve(64 << 20).expect("fits").hold(Bytes::from_static(b"payload"));
        let view = held.slice(1..3);
        drop(held);
        budget.reserve(1).expect_err("it is held");
        drop(view);
        budget.reserve(64 << 20).expect("it is free");
    }
}
