use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use custos_codec::DataKey;
use custos_core::{EvidenceId, Timestamp};

use crate::{Clock, Entropy, KeyRing, KeyRingError};

/// A clock that stands still.
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that stands where it was set.
pub struct SetClock(AtomicI64);

impl SetClock {
    /// Stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Sets it.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Bytes that never repeat within a test: a counter, hashed by nobody.
#[derive(Default)]
pub struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, out: &mut [u8]) {
        for block in out.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            block.copy_from_slice(&number.to_be_bytes()[..block.len()]);
        }
    }
}

/// Wraps nothing: the data key stands beside its evidence id.
pub struct PlainKeyRing;

impl KeyRing for PlainKeyRing {
    fn wrap(&self, key: &DataKey, evidence_id: EvidenceId) -> Result<Vec<u8>, KeyRingError> {
        Ok([evidence_id.as_bytes().as_slice(), key.expose()].concat())
    }

    fn unwrap(&self, wrapped: &[u8], evidence_id: EvidenceId) -> Result<DataKey, KeyRingError> {
        let key = wrapped
            .strip_prefix(evidence_id.as_bytes())
            .and_then(|key| <[u8; 32]>::try_from(key).ok());
        key.map(DataKey::new).ok_or_else(|| KeyRingError::DoesNotOpen {
            evidence_id,
            reason: "not wrapped by this key ring".to_owned(),
        })
    }
}
