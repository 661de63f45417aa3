//! The head of an object, as `docs/formats/objectstore.md` lays it out.

use bytes::Bytes;
use custos_core::limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX};
use custos_core::{ChunkIndex, DiskId, EvidenceId, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{ShardKey, ShardWrite};

use crate::checksum::{CHECK_BYTES, checksums_of, crc32c};

/// Bytes of every head; the payload follows.
pub(crate) const HEAD_BYTES: usize = 8192;

const MAGIC: &[u8; 8] = b"CUSTOBJT";
const VERSION: u16 = 1;
const CRC_AT: usize = 12;
const HEADER_AT: usize = 128;
const TABLE_AT: usize = HEADER_AT + SHARD_HEADER_BYTES_MAX;

const _: () = assert!(
    TABLE_AT + SHARD_PAYLOAD_BYTES_MAX / CHECK_BYTES * 4 <= HEAD_BYTES,
    "the checksums of the largest payload fit the head"
);

/// Everything an object says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectHead {
    pub(crate) disk: DiskId,
    pub(crate) key: ShardKey,
    pub(crate) retain_until: Timestamp,
    /// The codec's shard header.
    pub(crate) header: Bytes,
    pub(crate) payload_len: u32,
    /// CRC-32C of each 64 KiB of the payload.
    pub(crate) checksums: Vec<u32>,
}

/// Why some bytes are no object head of version 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("head is cut short")]
    Short,
    #[error("no object magic")]
    Magic,
    #[error("object version {0} is not known")]
    Version(u16),
    #[error("CRC-32C of the head is {found:#010x}, the head says {expected:#010x}")]
    Crc { expected: u32, found: u32 },
    #[error("field {0} of the head is out of range")]
    Field(&'static str),
}

/// A shard that is not within the limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("payload of {0} bytes, 1 to {SHARD_PAYLOAD_BYTES_MAX} can be")]
    Payload(usize),
    #[error("header of {0} bytes, {SHARD_HEADER_BYTES_MAX} can be")]
    Header(usize),
}

impl ObjectHead {
    /// The head of a shard that is to be written.
    pub(crate) fn of(disk: DiskId, shard: &ShardWrite) -> Result<Self, LimitError> {
        let payload_len = shard.payload.len();
        if payload_len == 0 || payload_len > SHARD_PAYLOAD_BYTES_MAX {
            return Err(LimitError::Payload(payload_len));
        }
        if shard.header.len() > SHARD_HEADER_BYTES_MAX {
            return Err(LimitError::Header(shard.header.len()));
        }
        Ok(Self {
            disk,
            key: shard.key,
            retain_until: shard.retain_until,
            header: shard.header.clone(),
            payload_len: u32::try_from(payload_len).expect("at most 64 MiB"),
            checksums: checksums_of(&shard.payload),
        })
    }

    /// Bytes of the whole object.
    pub(crate) fn object_len(&self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.payload_len)
    }

    /// Whether both are of the same header and payload, as far as checksums tell.
    pub(crate) fn has_content_of(&self, other: &Self) -> bool {
        self.header == other.header
            && self.payload_len == other.payload_len
            && self.checksums == other.checksums
    }

    /// The head's [`HEAD_BYTES`] bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEAD_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        let header_len = u16::try_from(self.header.len()).expect("checked: at most 512");
        let count = u32::try_from(self.checksums.len()).expect("checked: at most 1024");
        put(0, MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(10, &header_len.to_le_bytes());
        put(16, self.disk.as_bytes());
        put(32, &self.key.vault.0.to_le_bytes());
        put(36, &self.key.chunk.0.to_le_bytes());
        put(40, self.key.evidence_id.as_bytes());
        put(56, self.key.salt.as_bytes());
        put(72, &[self.key.slot.0]);
        put(80, &self.retain_until.as_millis().to_le_bytes());
        put(88, &u64::from(self.payload_len).to_le_bytes());
        put(96, &count.to_le_bytes());
        put(HEADER_AT, &self.header);
        for (index, checksum) in self.checksums.iter().enumerate() {
            put(TABLE_AT + index * 4, &checksum.to_le_bytes());
        }
        let crc = crc32c(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a head from the beginning of an object; `bytes` may go on beyond it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let head = bytes.get(..HEAD_BYTES).ok_or(HeadError::Short)?;
        if &head[..8] != MAGIC {
            return Err(HeadError::Magic);
        }
        let version = u16::from_le_bytes(array(head, 8));
        if version != VERSION {
            return Err(HeadError::Version(version));
        }
        let expected = u32::from_le_bytes(array(head, CRC_AT));
        let found = crc_of_head(head);
        if found != expected {
            return Err(HeadError::Crc { expected, found });
        }
        let header_len = usize::from(u16::from_le_bytes(array(head, 10)));
        if header_len > SHARD_HEADER_BYTES_MAX {
            return Err(HeadError::Field("header_len"));
        }
        let payload_len = u64::from_le_bytes(array(head, 88));
        if payload_len == 0 || payload_len > SHARD_PAYLOAD_BYTES_MAX as u64 {
            return Err(HeadError::Field("payload_len"));
        }
        let payload_len = u32::try_from(payload_len).expect("at most 64 MiB");
        let count = payload_len.div_ceil(CHECK_BYTES as u32);
        if u32::from_le_bytes(array(head, 96)) != count {
            return Err(HeadError::Field("checksum_count"));
        }
        let table = &head[TABLE_AT..TABLE_AT + count as usize * 4];
        Ok(Self {
            disk: DiskId::from_bytes(array(head, 16)),
            key: ShardKey {
                vault: VaultId(u32::from_le_bytes(array(head, 32))),
                evidence_id: EvidenceId::from_bytes(array(head, 40)),
                chunk: ChunkIndex(u32::from_le_bytes(array(head, 36))),
                slot: ShardSlot(head[72]),
                salt: Salt(array(head, 56)),
            },
            retain_until: Timestamp::from_millis(i64::from_le_bytes(array(head, 80))),
            header: Bytes::copy_from_slice(&head[HEADER_AT..HEADER_AT + header_len]),
            payload_len,
            checksums: table
                .chunks_exact(4)
                .map(|bytes| u32::from_le_bytes(array(bytes, 0)))
                .collect(),
        })
    }
}

/// CRC-32C of a head with its own checksum field taken as zero.
fn crc_of_head(head: &[u8]) -> u32 {
    let mut head = head.to_vec();
    head[CRC_AT..CRC_AT + 4].fill(0);
    crc32c(&head)
}

/// `N` bytes from `at` on, of a slice that is known to reach that far.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use custos_ports::WritePurpose;
    use proptest::prelude::*;

    use super::*;

    fn write(header_len: usize, payload_len: usize) -> ShardWrite {
        ShardWrite {
            key: ShardKey {
                vault: VaultId(0x0102_0304),
                evidence_id: EvidenceId::from_bytes(*b"evidence-id-0001"),
                chunk: ChunkIndex(0x0a0b_0c0d),
                slot: ShardSlot(5),
                salt: Salt(*b"salt-of-attempt1"),
            },
            retain_until: Timestamp::from_millis(1_830_297_600_000),
            purpose: WritePurpose::Ingest,
            header: vec![0xab; header_len].into(),
            payload: vec![0x5a; payload_len].into(),
        }
    }

    fn head(header_len: usize, payload_len: usize) -> ObjectHead {
        let disk = DiskId::from_bytes([0xd1; 16]);
        ObjectHead::of(disk, &write(header_len, payload_len)).expect("within the limits")
    }

    #[test]
    fn heads_round_trip_at_every_edge() {
        for (header_len, payload_len) in
            [(0, 1), (512, 4096), (100, 65_536), (100, 65_537), (512, 64 << 20)]
        {
            let head = head(header_len, payload_len);
            let bytes = head.encode();
            assert_eq!(bytes.len(), HEAD_BYTES);
            assert_eq!(ObjectHead::decode(&bytes), Ok(head));
        }
    }

    #[test]
    fn shards_outside_the_limits_get_no_head() {
        let disk = DiskId::from_bytes([0; 16]);
        for (header_len, payload_len) in [(0, 0), (513, 1), (0, (64 << 20) + 1)] {
            assert!(ObjectHead::of(disk, &write(header_len, payload_len)).is_err());
        }
    }

    /// The file was made by another encoder, from `docs/formats/objectstore.md` alone.
    #[test]
    fn the_format_of_an_object_is_the_one_that_was_promised() {
        let file = Path::new("tests/golden/object-v1.bin");
        let golden = std::fs::read(file).expect("golden file");
        let payload: Vec<u8> = (0..70_000_u32).map(|at| (at % 7).to_le_bytes()[0]).collect();
        let mut shard = write(0, 1);
        shard.header = Bytes::from_static(b"codec header");
        shard.payload = payload.into();
        let head = ObjectHead::of(DiskId::from_bytes([0xd1; 16]), &shard).expect("within limits");
        let mut object = head.encode();
        object.extend_from_slice(&shard.payload);
        assert!(object == golden, "the bytes of an object changed");
        assert_eq!(ObjectHead::decode(&golden), Ok(head));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_a_head_is_caught(at in 0usize..HEAD_BYTES, bit in 0u8..8) {
            let mut bytes = head(40, 200_000).encode();
            bytes[at] ^= 1 << bit;
            prop_assert!(ObjectHead::decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..9000),
            right_checksum in any::<bool>(),
        ) {
            if bytes.len() > 12 {
                bytes[..8].copy_from_slice(MAGIC);
                bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
            }
            if let (Some(head), true) = (bytes.get(..HEAD_BYTES), right_checksum) {
                let crc = crc_of_head(head);
                bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
            }
            let _ = ObjectHead::decode(&bytes);
        }
    }
}
