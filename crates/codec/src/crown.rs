use custos_core::{Blake3Hash, ChunkSize, Salt};

use crate::{
    ChainingValue, FormatError, chaining_value::CV_BYTES, field_reader::FieldReader,
    tree::root_hash,
};

const WHAT: &str = "crown";
const MAGIC: [u8; 8] = *b"CUSTCRWN";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 16;
const ENTRY_BYTES: usize = CV_BYTES + 16;

/// One chunk as the crown names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrownEntry {
    /// Chaining value of the chunk.
    pub cv: ChainingValue,
    /// The write attempt that counts.
    pub salt: Salt,
}

/// The chunks of evidence of two chunks or more, in order. Sealed like a chunk of its own, under
/// [`ChunkIndex::CROWN`](custos_core::ChunkIndex::CROWN).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crown {
    /// One entry for each chunk.
    pub entries: Vec<CrownEntry>,
}

impl Crown {
    /// Bytes of the encoded crown of evidence of `chunks` chunks.
    #[must_use]
    pub fn encoded_len(chunks: u32) -> usize {
        HEADER_BYTES + chunks as usize * ENTRY_BYTES
    }

    /// The bytes to be sealed: 16 bytes and 48 for each chunk.
    ///
    /// # Panics
    /// When there are more chunks than evidence can have.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.entries.len()).expect("chunk indexes are 32 bits");
        let mut bytes = Vec::with_capacity(Self::encoded_len(count));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0, 0, 0]);
        bytes.extend_from_slice(&count.to_le_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.cv.0);
            bytes.extend_from_slice(entry.salt.as_bytes());
        }
        bytes
    }

    /// Reads an opened crown of evidence of `expected_chunks` chunks.
    ///
    /// # Errors
    /// Names the layout's part or the field that is wrong.
    pub fn decode(bytes: &[u8], expected_chunks: u32) -> Result<Self, FormatError> {
        let expected = Self::encoded_len(expected_chunks);
        if bytes.len() != expected {
            return Err(FormatError::Length { what: WHAT, expected, found: bytes.len() });
        }
        let mut reader = FieldReader::new(bytes);
        if reader.array() != MAGIC {
            return Err(FormatError::Magic { what: WHAT });
        }
        let version = reader.u8();
        if version != VERSION {
            return Err(FormatError::Version { what: WHAT, found: version, known: VERSION });
        }
        if reader.array() != [0; 3] {
            let found = "not zero".to_owned();
            return Err(FormatError::Field { what: WHAT, field: "reserved (9..12)", found });
        }
        let count = reader.u32();
        if count != expected_chunks {
            let found = count.to_string();
            return Err(FormatError::Field { what: WHAT, field: "count", found });
        }
        let entries = (0..count)
            .map(|_| CrownEntry { cv: ChainingValue(reader.array()), salt: Salt(reader.array()) })
            .collect();
        Ok(Self { entries })
    }

    /// The evidence hash that the chunks merge to.
    ///
    /// # Panics
    /// When there is only one chunk, or not as many as evidence of `size` bytes has.
    #[must_use]
    pub fn root(&self, size: u64, chunk_size: ChunkSize) -> Blake3Hash {
        let chunks = chunk_size.chunk_count(size) as usize;
        assert_eq!(self.entries.len(), chunks, "one entry for each chunk");
        root_hash(&self.chaining_values())
    }

    /// Chaining value of each chunk, in order.
    #[must_use]
    pub fn chaining_values(&self) -> Vec<ChainingValue> {
        self.entries.iter().map(|entry| entry.cv).collect()
    }
}

/// The chunk size that a crown of `len` encoded bytes is sealed with: the smallest that holds it.
///
/// # Panics
/// Above 64 MiB, which no evidence within its own limit of 1 TiB needs.
#[must_use]
pub fn crown_chunk_size(len: usize) -> ChunkSize {
    let bytes = len.next_power_of_two().max(ChunkSize::MIN.bytes());
    ChunkSize::new(bytes as u64).expect("evidence within its limit has a crown within a chunk")
}

#[cfg(test)]
mod tests {
    use custos_core::limits::EVIDENCE_BYTES_MAX;

    use super::*;

    fn crown() -> Crown {
        let entry = |i: u8| CrownEntry { cv: ChainingValue([i; 32]), salt: Salt([!i; 16]) };
        Crown { entries: (0..5).map(entry).collect() }
    }

    #[test]
    fn crowns_round_trip() {
        let bytes = crown().encode();
        assert_eq!(bytes.len(), Crown::encoded_len(5));
        assert_eq!(Crown::decode(&bytes, 5), Ok(crown()));
    }

    #[test]
    fn another_count_length_or_header_is_caught() {
        let bytes = crown().encode();
        assert!(matches!(Crown::decode(&bytes, 4), Err(FormatError::Length { .. })));
        assert!(matches!(Crown::decode(&bytes[..99], 5), Err(FormatError::Length { .. })));
        for bit in 0..HEADER_BYTES * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Crown::decode(&bytes, 5).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_largest_evidence_in_the_smallest_chunks_has_a_crown_that_fits() {
        assert_eq!(crown_chunk_size(1), ChunkSize::MIN);
        assert_eq!(crown_chunk_size((1 << 20) + 1).bytes(), 2 << 20);
        let chunks = ChunkSize::MIN.chunk_count(EVIDENCE_BYTES_MAX);
        assert_eq!(crown_chunk_size(Crown::encoded_len(chunks)), ChunkSize::MAX);
    }
}
