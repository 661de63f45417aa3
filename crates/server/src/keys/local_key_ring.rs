use std::sync::Arc;

use custos_codec::{DataKey, unwrap_key, wrap_key};
use custos_core::EvidenceId;
use custos_ports::{Entropy, KeyRing, KeyRingError};

use super::Kek;

/// A key ring of one key that lives in a local file.
///
/// Nonces are random; AES-GCM bears 2³² of them under one key before a collision is thinkable
/// (NIST SP 800-38D section 8.3), which is more data keys than one such ring ever wraps.
pub struct LocalKeyRing {
    kek: Kek,
    entropy: Arc<dyn Entropy>,
}

impl LocalKeyRing {
    /// A ring of `kek`.
    #[must_use]
    pub fn new(kek: Kek, entropy: Arc<dyn Entropy>) -> Self {
        Self { kek, entropy }
    }

    /// Gives the key back.
    #[must_use]
    pub fn into_kek(self) -> Kek {
        self.kek
    }
}

impl KeyRing for LocalKeyRing {
    fn wrap(&self, key: &DataKey, evidence_id: EvidenceId) -> Result<Vec<u8>, KeyRingError> {
        let nonce = self.entropy.array();
        Ok(wrap_key(self.kek.expose(), self.kek.id().0, nonce, key, evidence_id))
    }

    fn unwrap(&self, wrapped: &[u8], evidence_id: EvidenceId) -> Result<DataKey, KeyRingError> {
        unwrap_key(self.kek.expose(), self.kek.id().0, wrapped, evidence_id)
            .map_err(|error| KeyRingError::DoesNotOpen { evidence_id, reason: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemEntropy, keys::KekId};

    fn ring(id: u8) -> LocalKeyRing {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("kek");
        let kek = Kek::create(&path, KekId([id; 8]), &SystemEntropy).expect("made");
        LocalKeyRing::new(kek, Arc::new(SystemEntropy))
    }

    #[test]
    fn a_wrapped_data_key_opens_again_and_never_looks_the_same_twice() {
        let (ring, id) = (ring(1), EvidenceId::from_bytes([3; 16]));
        let key = DataKey::new([7; 32]);
        let wrapped = ring.wrap(&key, id).expect("wrapped");
        assert_ne!(wrapped, ring.wrap(&key, id).expect("wrapped"));
        assert_eq!(ring.unwrap(&wrapped, id).expect("opens").expose(), key.expose());
    }

    #[test]
    fn a_key_of_another_ring_or_other_evidence_does_not_open() {
        let (ring, other, id) = (ring(1), ring(2), EvidenceId::from_bytes([3; 16]));
        let wrapped = ring.wrap(&DataKey::new([7; 32]), id).expect("wrapped");
        let error = other.unwrap(&wrapped, id).expect_err("another ring").to_string();
        assert!(error.contains("0202020202020202"), "{error}");
        assert!(ring.unwrap(&wrapped, EvidenceId::from_bytes([4; 16])).is_err());
        assert!(ring.unwrap(&wrapped[1..], id).is_err());
    }
}
