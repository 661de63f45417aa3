//! Keys and values of the index. They are a cache's own business, not a promised format: a change
//! here bumps `INDEX_VERSION`, and every index is rebuilt.

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{ShardEntry, ShardKey};

use crate::checksum::crc32c;
use crate::record::{Place, RecordBody, RecordHead, array, payload_blocks};

/// Version of everything in the index.
pub(crate) const INDEX_VERSION: u8 = 2;
/// Bytes of a shard's key in the index.
pub(crate) const KEY_BYTES: usize = 42;
const EVIDENCE_PREFIX_BYTES: usize = 21;
const VALUE_FIXED_BYTES: usize = 37;

/// What the index keeps of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub(crate) place: Place,
    pub(crate) head_blocks: u8,
    pub(crate) sequence: u64,
    pub(crate) retain_until: Timestamp,
    pub(crate) payload_len: u32,
    /// Checksum over header and payload checksums: tells other content apart cheaply, and proves
    /// nothing when it is equal.
    pub(crate) fingerprint: u32,
    pub(crate) header: Bytes,
}

/// Fingerprint of a shard with this header and these payload checksums.
pub(crate) fn fingerprint(header: &[u8], payload_len: u32, checksums: &[u32]) -> u32 {
    let mut bytes = Vec::with_capacity(4 + header.len() + checksums.len() * 4);
    bytes.extend_from_slice(&payload_len.to_le_bytes());
    bytes.extend_from_slice(header);
    checksums.iter().for_each(|checksum| bytes.extend_from_slice(&checksum.to_le_bytes()));
    crc32c(&bytes)
}

impl IndexEntry {
    /// Of a shard's head; `None` for a tombstone's.
    pub(crate) fn of(head: &RecordHead) -> Option<Self> {
        let RecordBody::Shard { header, payload_len, checksums } = &head.body else {
            return None;
        };
        Some(Self {
            place: head.place,
            head_blocks: u8::try_from(head.head_blocks()).expect("at most 2"),
            sequence: head.stamp.sequence,
            retain_until: head.retain_until,
            payload_len: *payload_len,
            fingerprint: fingerprint(header, *payload_len, checksums),
            header: header.clone(),
        })
    }

    /// Blocks of head and payload.
    pub(crate) fn total_blocks(&self) -> u32 {
        u32::from(self.head_blocks) + payload_blocks(self.payload_len)
    }

    pub(crate) fn to_shard_entry(&self, key: ShardKey) -> ShardEntry {
        ShardEntry {
            key,
            retain_until: self.retain_until,
            header: self.header.clone(),
            payload_len: u64::from(self.payload_len),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(VALUE_FIXED_BYTES + self.header.len());
        out.extend_from_slice(&self.place.extent.to_le_bytes());
        out.extend_from_slice(&self.place.first_block.to_le_bytes());
        out.push(self.head_blocks);
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.retain_until.as_millis().to_le_bytes());
        out.extend_from_slice(&self.payload_len.to_le_bytes());
        out.extend_from_slice(&self.fingerprint.to_le_bytes());
        assert_eq!(out.len(), VALUE_FIXED_BYTES);
        out.extend_from_slice(&self.header);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fixed, header) = bytes.split_at_checked(VALUE_FIXED_BYTES)?;
        Some(Self {
            place: Place {
                extent: u64::from_le_bytes(array(fixed, 0)),
                first_block: u32::from_le_bytes(array(fixed, 8)),
            },
            head_blocks: fixed[12],
            sequence: u64::from_le_bytes(array(fixed, 13)),
            retain_until: Timestamp::from_millis(i64::from_le_bytes(array(fixed, 21))),
            payload_len: u32::from_le_bytes(array(fixed, 29)),
            fingerprint: u32::from_le_bytes(array(fixed, 33)),
            header: Bytes::copy_from_slice(header),
        })
    }
}

/// Key of a shard: bytes sort as shards do.
pub(crate) fn encode_key(key: &ShardKey) -> [u8; KEY_BYTES] {
    let mut out = [0; KEY_BYTES];
    out[..EVIDENCE_PREFIX_BYTES].copy_from_slice(&evidence_prefix(key.vault, key.evidence_id));
    out[21..25].copy_from_slice(&key.chunk.0.to_be_bytes());
    out[25] = key.slot.0;
    out[26..].copy_from_slice(key.salt.as_bytes());
    out
}

pub(crate) fn decode_key(bytes: &[u8]) -> Option<ShardKey> {
    if bytes.len() != KEY_BYTES || bytes[0] != b's' {
        return None;
    }
    Some(ShardKey {
        vault: VaultId(u32::from_be_bytes(array(bytes, 1))),
        evidence_id: EvidenceId::from_bytes(array(bytes, 5)),
        chunk: ChunkIndex(u32::from_be_bytes(array(bytes, 21))),
        slot: ShardSlot(bytes[25]),
        salt: Salt(array(bytes, 26)),
    })
}

/// What the keys of all shards of an evidence item begin with.
pub(crate) fn evidence_prefix(vault: VaultId, evidence_id: EvidenceId) -> [u8; 21] {
    let mut out = [0; EVIDENCE_PREFIX_BYTES];
    out[0] = b's';
    out[1..5].copy_from_slice(&vault.0.to_be_bytes());
    out[5..].copy_from_slice(evidence_id.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_key() -> impl Strategy<Value = ShardKey> {
        // Few values, so that keys often agree in their first fields.
        (0u32..3, 0u8..3, any::<u32>(), any::<u8>(), any::<[u8; 16]>()).prop_map(
            |(vault, evidence, chunk, slot, salt)| ShardKey {
                vault: VaultId(vault << 24 | vault),
                evidence_id: EvidenceId::from_bytes([evidence; 16]),
                chunk: ChunkIndex(chunk),
                slot: ShardSlot(slot),
                salt: Salt(salt),
            },
        )
    }

    proptest! {
        #[test]
        fn keys_round_trip_and_sort_as_shards_do(a in any_key(), b in any_key()) {
            prop_assert_eq!(decode_key(&encode_key(&a)), Some(a));
            prop_assert_eq!(encode_key(&a).cmp(&encode_key(&b)), a.cmp(&b));
        }

        #[test]
        fn entries_round_trip(
            numbers in any::<(u64, u32, u8, u64, i64, u32, u32)>(),
            header in proptest::collection::vec(any::<u8>(), 0..512),
        ) {
            let entry = IndexEntry {
                place: Place { extent: numbers.0, first_block: numbers.1 },
                head_blocks: numbers.2,
                sequence: numbers.3,
                retain_until: Timestamp::from_millis(numbers.4),
                payload_len: numbers.5,
                fingerprint: numbers.6,
                header: header.into(),
            };
            prop_assert_eq!(IndexEntry::decode(&entry.encode()), Some(entry));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = IndexEntry::decode(&bytes);
            let _ = decode_key(&bytes);
        }
    }
}
