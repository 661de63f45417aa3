use custos_core::{
    ChunkIndex, ChunkSize, ErasureProfile, EvidenceId, Salt, ShardSlot, units::FRAME_BYTES,
};

use crate::{
    ChunkLayout, FormatError, field_reader::FieldReader, layout::FRAME_TAG_BYTES,
    sha256::Sha256Midstate,
};

/// Bytes of an encoded shard header, always.
pub const SHARD_HEADER_BYTES: usize = 192;
/// Bytes of the sealed progress record: chaining value, SHA-256 midstate, tag.
pub const SEALED_PROGRESS_BYTES: usize = 32 + 32 + FRAME_TAG_BYTES;

const WHAT: &str = "shard header";
const MAGIC: [u8; 8] = *b"CUSTSHRD";
const VERSION: u8 = 1;
const SLOT_AT: usize = 11;
/// The identity fields come first; the sealed progress record vouches for all but the slot.
const IDENTITY_BYTES: usize = 64;
const CRC_AT: usize = SHARD_HEADER_BYTES - 4;

/// What a shard says of itself: enough to find its fellows and, with the key, to open the chunk.
/// The same in all n shards of an attempt but for the slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardHeader {
    /// Erasure profile of the chunk.
    pub profile: ErasureProfile,
    /// Which of the n shards this is.
    pub slot: ShardSlot,
    /// Plaintext bytes of a full chunk of this evidence.
    pub chunk_size: ChunkSize,
    /// The evidence.
    pub evidence_id: EvidenceId,
    /// The chunk, or [`ChunkIndex::CROWN`].
    pub chunk: ChunkIndex,
    /// Plaintext bytes of this chunk, 1 to `chunk_size`.
    pub plain_len: usize,
    /// The attempt to write the chunk.
    pub salt: Salt,
    /// The chunk's chaining value and the SHA-256 state after it, sealed;
    /// [`ChunkOpener::progress`](crate::ChunkOpener::progress) opens it.
    pub sealed_progress: [u8; SEALED_PROGRESS_BYTES],
}

impl ShardHeader {
    /// Reads a header and checks everything that needs no key.
    ///
    /// # Errors
    /// Names the layout's part or the field that is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let bytes: &[u8; SHARD_HEADER_BYTES] = bytes.try_into().map_err(|_| {
            FormatError::Length { what: WHAT, expected: SHARD_HEADER_BYTES, found: bytes.len() }
        })?;
        let mut reader = FieldReader::new(bytes);
        if reader.array() != MAGIC {
            return Err(FormatError::Magic { what: WHAT });
        }
        // Before the checksum: another version may keep it elsewhere.
        let version = reader.u8();
        if version != VERSION {
            return Err(FormatError::Version { what: WHAT, found: version, known: VERSION });
        }
        let stored = FieldReader::new(&bytes[CRC_AT..]).u32();
        let computed = crc_fast::crc32_iscsi(&bytes[..CRC_AT]);
        if stored != computed {
            return Err(FormatError::Checksum { what: WHAT, stored, computed });
        }
        Self::decode_fields(reader)
    }

    fn decode_fields(mut reader: FieldReader<'_>) -> Result<Self, FormatError> {
        let (data, parity) = (reader.u8(), reader.u8());
        let profile = ErasureProfile::new(data, parity)
            .ok_or_else(|| field("profile", format_args!("{data}+{parity}")))?;
        let slot = ShardSlot(reader.u8());
        if usize::from(slot.0) >= profile.total() {
            return Err(field("slot", slot));
        }
        let log2 = reader.u8();
        let chunk_size =
            ChunkSize::from_log2(log2).ok_or_else(|| field("chunk_size_log2", log2))?;
        if reader.array() != [0; 3] {
            return Err(field("reserved (13..16)", "not zero"));
        }
        let evidence_id = EvidenceId::from_bytes(reader.array());
        let chunk = ChunkIndex(reader.u32());
        let plain_len = reader.u32() as usize;
        if !(1..=chunk_size.bytes()).contains(&plain_len) {
            return Err(field("plain_len", plain_len));
        }
        let shard_len = reader.u32() as usize;
        if shard_len != ChunkLayout::new(profile, plain_len).shard_len() {
            return Err(field("shard_len", shard_len));
        }
        if reader.array() != [0; 4] {
            return Err(field("reserved (44..48)", "not zero"));
        }
        let salt = Salt(reader.array());
        let sealed_progress = reader.array();
        if reader.array() != [0; 44] {
            return Err(field("reserved (144..188)", "not zero"));
        }
        Ok(Self { profile, slot, chunk_size, evidence_id, chunk, plain_len, salt, sealed_progress })
    }

    /// The header's [`SHARD_HEADER_BYTES`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; SHARD_HEADER_BYTES];
        bytes[..IDENTITY_BYTES].copy_from_slice(&self.identity());
        bytes[SLOT_AT] = self.slot.0;
        bytes[IDENTITY_BYTES..][..SEALED_PROGRESS_BYTES].copy_from_slice(&self.sealed_progress);
        let crc = crc_fast::crc32_iscsi(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Geometry of the chunk.
    #[must_use]
    pub fn layout(&self) -> ChunkLayout {
        ChunkLayout::new(self.profile, self.plain_len)
    }

    /// Checks that this is the header of the shard that was asked for.
    ///
    /// # Errors
    /// Names the first field that differs.
    pub fn expect_identity(
        &self,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
        slot: ShardSlot,
        salt: Salt,
    ) -> Result<(), FormatError> {
        same("evidence_id", evidence_id, self.evidence_id)?;
        same("chunk", chunk, self.chunk)?;
        same("slot", slot, self.slot)?;
        same("salt", salt, self.salt)
    }

    /// Identity fields as they are encoded, with slot 0: what the sealed progress is bound to.
    pub(crate) fn identity(&self) -> [u8; IDENTITY_BYTES] {
        let small = |count: usize| u8::try_from(count).expect("a profile has at most 14 shards");
        let word = |len: usize| u32::try_from(len).expect("a chunk has at most 64 MiB");
        let mut bytes = [0; IDENTITY_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8] = VERSION;
        bytes[9] = small(self.profile.data());
        bytes[10] = small(self.profile.parity());
        bytes[12] = self.chunk_size.log2();
        bytes[16..32].copy_from_slice(self.evidence_id.as_bytes());
        bytes[32..36].copy_from_slice(&self.chunk.0.to_le_bytes());
        bytes[36..40].copy_from_slice(&word(self.plain_len).to_le_bytes());
        bytes[40..44].copy_from_slice(&word(self.layout().shard_len()).to_le_bytes());
        bytes[48..64].copy_from_slice(self.salt.as_bytes());
        bytes
    }
}

/// Plaintext of the progress record, with room for the tag.
pub(crate) fn progress_bytes(
    cv: crate::ChainingValue,
    sha256_after: Sha256Midstate,
) -> [u8; SEALED_PROGRESS_BYTES] {
    let mut bytes = [0; SEALED_PROGRESS_BYTES];
    bytes[..32].copy_from_slice(&cv.0);
    bytes[32..64].copy_from_slice(&sha256_after.0);
    bytes
}

/// Where frame 0 of a chunk lies in the evidence, which the hash of its frames depends on. The
/// crown is hashed as a thing of its own.
pub(crate) fn chunk_offset(chunk: ChunkIndex, chunk_size: ChunkSize) -> u64 {
    if chunk == ChunkIndex::CROWN { 0 } else { u64::from(chunk.0) * chunk_size.bytes() as u64 }
}

/// Where a frame of a chunk that starts at `chunk_offset` lies in the evidence.
pub(crate) fn frame_offset(chunk_offset: u64, frame: usize) -> u64 {
    chunk_offset + (frame * FRAME_BYTES) as u64
}

fn field(field: &'static str, found: impl ToString) -> FormatError {
    FormatError::Field { what: WHAT, field, found: found.to_string() }
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    expected: T,
    found: T,
) -> Result<(), FormatError> {
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.to_string(), found.to_string());
    Err(FormatError::Identity { what: WHAT, field, expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> ShardHeader {
        ShardHeader {
            profile: ErasureProfile::P4_2,
            slot: ShardSlot(5),
            chunk_size: ChunkSize::DEFAULT,
            evidence_id: EvidenceId::from_bytes([7; 16]),
            chunk: ChunkIndex(3),
            plain_len: 100_000,
            salt: Salt([9; 16]),
            sealed_progress: [0xab; SEALED_PROGRESS_BYTES],
        }
    }

    /// `bytes` with a checksum that fits, as a fault before the checksum would leave them.
    fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
        let crc = crc_fast::crc32_iscsi(&bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    #[test]
    fn headers_round_trip() {
        let bytes = header().encode();
        assert_eq!(bytes.len(), SHARD_HEADER_BYTES);
        assert_eq!(ShardHeader::decode(&bytes), Ok(header()));
    }

    #[test]
    fn every_flipped_bit_is_caught() {
        let good = header().encode();
        for bit in 0..SHARD_HEADER_BYTES * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(ShardHeader::decode(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn any_other_length_is_named() {
        let good = header().encode();
        for len in [0, 1, SHARD_HEADER_BYTES - 1, SHARD_HEADER_BYTES + 1] {
            let mut bytes = good.clone();
            bytes.resize(len, 0);
            let expected =
                FormatError::Length { what: WHAT, expected: SHARD_HEADER_BYTES, found: len };
            assert_eq!(ShardHeader::decode(&bytes), Err(expected));
        }
    }

    #[test]
    fn a_field_that_cannot_be_is_named_although_the_checksum_fits() {
        for (at, value, name) in [
            (9, 3, "profile"),
            (SLOT_AT, 6, "slot"),
            (12, 19, "chunk_size_log2"),
            (12, 255, "chunk_size_log2"),
            (13, 1, "reserved (13..16)"),
            (39, 1, "plain_len"),
            (40, 1, "shard_len"),
            (47, 1, "reserved (44..48)"),
            (187, 1, "reserved (144..188)"),
        ] {
            let mut bytes = header().encode();
            bytes[at] = value;
            match ShardHeader::decode(&with_crc(bytes)) {
                Err(FormatError::Field { field, .. }) => assert_eq!(field, name),
                other => panic!("byte {at}: {other:?}"),
            }
        }
        let mut bytes = header().encode();
        bytes[8] = 2;
        let newer = FormatError::Version { what: WHAT, found: 2, known: 1 };
        assert_eq!(ShardHeader::decode(&with_crc(bytes)), Err(newer));
    }

    #[test]
    fn a_header_of_something_else_is_named_by_field() {
        let header = header();
        let (id, chunk, slot, salt) = (header.evidence_id, header.chunk, header.slot, header.salt);
        assert_eq!(header.expect_identity(id, chunk, slot, salt), Ok(()));
        let differing = |result| match result {
            Err(FormatError::Identity { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        let other_id = EvidenceId::from_bytes([8; 16]);
        assert_eq!(differing(header.expect_identity(other_id, chunk, slot, salt)), "evidence_id");
        let other_chunk = ChunkIndex::CROWN;
        assert_eq!(differing(header.expect_identity(id, other_chunk, slot, salt)), "chunk");
        let other_slot = ShardSlot(0);
        assert_eq!(differing(header.expect_identity(id, chunk, other_slot, salt)), "slot");
        let other_salt = Salt([0; 16]);
        assert_eq!(differing(header.expect_identity(id, chunk, slot, other_salt)), "salt");
    }
}
