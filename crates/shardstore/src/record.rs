//! The head of a record, as `docs/formats/shardstore.md` lays it out.

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, LogIndex, Salt, ShardSlot, Timestamp, VaultId};
use custos_ports::{RemovalReason, ShardKey};

use crate::DiskId;
use crate::checksum::crc32c;
use crate::limits::{SHARD_HEADER_BYTES_MAX, SHARD_PAYLOAD_BYTES_MAX};

/// Unit of allocation and alignment within an extent.
pub(crate) const BLOCK_BYTES: usize = 4096;
/// Payload bytes under one checksum.
pub(crate) const CHECK_BYTES: usize = 64 << 10;
/// Most blocks of a head.
pub(crate) const HEAD_BLOCKS_MAX: usize = 2;

const MAGIC: &[u8; 8] = b"CUSTRECD";
const VERSION: u16 = 1;
const KIND_SHARD: u8 = 1;
const KIND_TOMBSTONE: u8 = 2;
const HEADER_AT: usize = 160;
const TABLE_AT: usize = HEADER_AT + SHARD_HEADER_BYTES_MAX;
const CRC_AT: usize = 52;

const _: () = assert!(TABLE_AT == 672);
const _: () = assert!(
    TABLE_AT + SHARD_PAYLOAD_BYTES_MAX / CHECK_BYTES * 4 <= HEAD_BLOCKS_MAX * BLOCK_BYTES,
    "the checksums of the largest payload fit the largest head"
);

/// Where a record begins: it says so itself, so that a misdirected write is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the extent.
    pub(crate) extent: u64,
    /// First block of the record in it.
    pub(crate) first_block: u32,
}

impl Place {
    pub(crate) fn offset(self) -> u64 {
        u64::from(self.first_block) * BLOCK_BYTES as u64
    }
}

/// When a record was written, in the disk's own order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Grows by one with every record of the disk.
    pub(crate) sequence: u64,
    /// First sequence number of the run (from open to close or crash) that wrote it.
    pub(crate) run: u64,
    /// Every record of this run up to this number was durable before this one was written.
    pub(crate) durable_sequence: u64,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecordBody {
    Shard {
        header: Bytes,
        payload_len: u32,
        /// CRC-32C of each 64 KiB of the payload.
        checksums: Vec<u32>,
    },
    /// Ends every record of this key with a lower sequence number.
    Tombstone { reason: RemovalReason, ledger_index: LogIndex },
}

/// Everything a record says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordHead {
    pub(crate) disk: DiskId,
    pub(crate) place: Place,
    pub(crate) stamp: Stamp,
    pub(crate) key: ShardKey,
    pub(crate) retain_until: Timestamp,
    pub(crate) body: RecordBody,
}

/// Why some bytes are no record head of version 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeadError {
    #[error("head is cut short")]
    Short,
    #[error("no record magic")]
    Magic,
    #[error("record version {0} is not known")]
    Version(u16),
    #[error("CRC-32C of the head is {found:#010x}, the head says {expected:#010x}")]
    Crc { expected: u32, found: u32 },
    #[error("field {0} of the head is out of range")]
    Field(&'static str),
}

/// Blocks that `payload_len` bytes take.
pub(crate) fn payload_blocks(payload_len: u32) -> u32 {
    payload_len.div_ceil(BLOCK_BYTES as u32)
}

/// CRC-32C of each 64 KiB of `payload`.
pub(crate) fn checksums_of(payload: &[u8]) -> Vec<u32> {
    payload.chunks(CHECK_BYTES).map(crc32c).collect()
}

/// Blocks of the head of a record with this many checksums.
pub(crate) fn head_blocks(checksums: usize) -> u32 {
    if TABLE_AT + checksums * 4 <= BLOCK_BYTES { 1 } else { 2 }
}

impl RecordHead {
    pub(crate) fn head_blocks(&self) -> u32 {
        match &self.body {
            RecordBody::Shard { checksums, .. } => head_blocks(checksums.len()),
            RecordBody::Tombstone { .. } => 1,
        }
    }

    /// Blocks of head and payload.
    pub(crate) fn total_blocks(&self) -> u32 {
        self.head_blocks()
            + match &self.body {
                RecordBody::Shard { payload_len, .. } => payload_blocks(*payload_len),
                RecordBody::Tombstone { .. } => 0,
            }
    }

    /// The head's blocks.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; self.head_blocks() as usize * BLOCK_BYTES];
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(11, &[u8::try_from(self.head_blocks()).expect("at most 2")]);
        put(12, &self.total_blocks().to_le_bytes());
        put(16, &self.stamp.sequence.to_le_bytes());
        put(24, &self.stamp.run.to_le_bytes());
        put(32, &self.stamp.durable_sequence.to_le_bytes());
        put(40, &self.place.extent.to_le_bytes());
        put(48, &self.place.first_block.to_le_bytes());
        put(56, self.disk.as_bytes());
        put(72, &self.key.vault.0.to_le_bytes());
        put(76, &self.key.chunk.0.to_le_bytes());
        put(80, self.key.evidence_id.as_bytes());
        put(96, self.key.salt.as_bytes());
        put(112, &[self.key.slot.0]);
        put(120, &self.retain_until.as_millis().to_le_bytes());
        match &self.body {
            RecordBody::Shard { header, payload_len, checksums } => {
                let header_len = u16::try_from(header.len()).expect("checked: at most 512");
                let count = u32::try_from(checksums.len()).expect("checked: at most 1024");
                put(10, &[KIND_SHARD]);
                put(114, &header_len.to_le_bytes());
                put(116, &count.to_le_bytes());
                put(128, &u64::from(*payload_len).to_le_bytes());
                put(HEADER_AT, header);
                for (index, checksum) in checksums.iter().enumerate() {
                    put(TABLE_AT + index * 4, &checksum.to_le_bytes());
                }
            }
            RecordBody::Tombstone { reason, ledger_index } => {
                put(10, &[KIND_TOMBSTONE]);
                put(113, &[reason_code(*reason)]);
                put(136, &ledger_index.0.to_le_bytes());
            }
        }
        let crc = crc32c(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a head from the blocks at its place; `bytes` may go on beyond it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let first = bytes.get(..BLOCK_BYTES).ok_or(HeadError::Short)?;
        if &first[..8] != MAGIC {
            return Err(HeadError::Magic);
        }
        let version = u16::from_le_bytes(array(first, 8));
        if version != VERSION {
            return Err(HeadError::Version(version));
        }
        let head_len = match first[11] {
            blocks @ 1..=2 => usize::from(blocks) * BLOCK_BYTES,
            _ => return Err(HeadError::Field("head_blocks")),
        };
        let head = bytes.get(..head_len).ok_or(HeadError::Short)?;
        let expected = u32::from_le_bytes(array(head, CRC_AT));
        let found = crc_of_head(head);
        if found != expected {
            return Err(HeadError::Crc { expected, found });
        }
        let decoded = Self {
            disk: DiskId::from_bytes(array(head, 56)),
            place: Place {
                extent: u64::from_le_bytes(array(head, 40)),
                first_block: u32::from_le_bytes(array(head, 48)),
            },
            stamp: Stamp {
                sequence: u64::from_le_bytes(array(head, 16)),
                run: u64::from_le_bytes(array(head, 24)),
                durable_sequence: u64::from_le_bytes(array(head, 32)),
            },
            key: ShardKey {
                vault: VaultId(u32::from_le_bytes(array(head, 72))),
                evidence_id: EvidenceId::from_bytes(array(head, 80)),
                chunk: ChunkIndex(u32::from_le_bytes(array(head, 76))),
                slot: ShardSlot(head[112]),
                salt: Salt(array(head, 96)),
            },
            retain_until: Timestamp::from_millis(i64::from_le_bytes(array(head, 120))),
            body: decode_body(head)?,
        };
        if usize::from(first[11]) != decoded.head_blocks() as usize {
            return Err(HeadError::Field("head_blocks"));
        }
        if u32::from_le_bytes(array(head, 12)) != decoded.total_blocks() {
            return Err(HeadError::Field("total_blocks"));
        }
        Ok(decoded)
    }
}

fn decode_body(head: &[u8]) -> Result<RecordBody, HeadError> {
    match head[10] {
        KIND_SHARD => {
            let header_len = usize::from(u16::from_le_bytes(array(head, 114)));
            if header_len > SHARD_HEADER_BYTES_MAX {
                return Err(HeadError::Field("header_len"));
            }
            let payload_len = u64::from_le_bytes(array(head, 128));
            if payload_len == 0 || payload_len > SHARD_PAYLOAD_BYTES_MAX as u64 {
                return Err(HeadError::Field("payload_len"));
            }
            let payload_len = u32::try_from(payload_len).expect("at most 64 MiB");
            let count = payload_len.div_ceil(CHECK_BYTES as u32);
            if u32::from_le_bytes(array(head, 116)) != count {
                return Err(HeadError::Field("checksum_count"));
            }
            let table = head
                .get(TABLE_AT..TABLE_AT + count as usize * 4)
                .ok_or(HeadError::Field("checksum_count"))?;
            let checksums =
                table.chunks_exact(4).map(|bytes| u32::from_le_bytes(array(bytes, 0))).collect();
            let header = Bytes::copy_from_slice(&head[HEADER_AT..HEADER_AT + header_len]);
            Ok(RecordBody::Shard { header, payload_len, checksums })
        }
        KIND_TOMBSTONE => Ok(RecordBody::Tombstone {
            reason: reason_of(head[113]).ok_or(HeadError::Field("removal_reason"))?,
            ledger_index: LogIndex(u64::from_le_bytes(array(head, 136))),
        }),
        _ => Err(HeadError::Field("kind")),
    }
}

/// CRC-32C of a head with its own checksum field taken as zero.
fn crc_of_head(head: &[u8]) -> u32 {
    let mut head = head.to_vec();
    head[CRC_AT..CRC_AT + 4].fill(0);
    crc32c(&head)
}

fn reason_code(reason: RemovalReason) -> u8 {
    match reason {
        RemovalReason::AbortedUpload => 1,
        RemovalReason::SupersededAttempt => 2,
        RemovalReason::Moved => 3,
        RemovalReason::Disposition => 4,
    }
}

fn reason_of(code: u8) -> Option<RemovalReason> {
    RemovalReason::ALL.into_iter().find(|reason| reason_code(*reason) == code)
}

/// `N` bytes from `at` on, of a slice that is known to reach that far.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> ShardKey {
        ShardKey {
            vault: VaultId(7),
            evidence_id: EvidenceId::from_bytes([byte; 16]),
            chunk: ChunkIndex::CROWN,
            slot: ShardSlot(3),
            salt: Salt([byte ^ 0xff; 16]),
        }
    }

    fn shard(header_len: usize, payload_len: u32) -> RecordHead {
        let count = payload_len.div_ceil(CHECK_BYTES as u32);
        RecordHead {
            disk: DiskId::from_bytes([9; 16]),
            place: Place { extent: 5, first_block: 17 },
            stamp: Stamp { sequence: 12, run: 10, durable_sequence: 11 },
            key: key(1),
            retain_until: Timestamp::from_millis(-5),
            body: RecordBody::Shard {
                header: vec![0xab; header_len].into(),
                payload_len,
                checksums: (0..count).collect(),
            },
        }
    }

    #[test]
    fn heads_round_trip_at_every_edge() {
        let mib = 1 << 20;
        for (header_len, payload_len, blocks) in [
            (0, 1, 1),
            (512, 4096, 1),
            (100, 65_536, 1),
            (100, 65_537, 1),
            (1, 856 * 65_536, 1),
            (1, 856 * 65_536 + 1, 2),
            (512, 64 * mib, 2),
        ] {
            let head = shard(header_len, payload_len);
            let bytes = head.encode();
            assert_eq!(bytes.len(), blocks * BLOCK_BYTES);
            assert_eq!(RecordHead::decode(&bytes), Ok(head));
        }
        let tombstone = RecordHead {
            body: RecordBody::Tombstone {
                reason: RemovalReason::SupersededAttempt,
                ledger_index: LogIndex(77),
            },
            ..shard(0, 1)
        };
        assert_eq!(RecordHead::decode(&tombstone.encode()), Ok(tombstone));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_a_head_is_caught(at in 0usize..BLOCK_BYTES, bit in 0u8..8) {
            let mut bytes = shard(40, 200_000).encode();
            bytes[at] ^= 1 << bit;
            prop_assert!(RecordHead::decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..9000),
            blocks in 0u8..4,
        ) {
            if bytes.len() > 12 {
                bytes[..8].copy_from_slice(MAGIC);
                bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
                bytes[11] = blocks;
            }
            if let Some(head) = bytes.get(..BLOCK_BYTES) {
                let crc = crc_of_head(head);
                bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
            }
            let _ = RecordHead::decode(&bytes);
        }
    }
}
