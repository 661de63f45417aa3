//! The first block of an extent, as `docs/formats/shardstore.md` lays it out.

use custos_core::Timestamp;

use crate::DiskId;
use crate::checksum::crc32c;
use crate::record::{BLOCK_BYTES, array};

const MAGIC: &[u8; 8] = b"CUSTEXTN";
const VERSION: u16 = 1;
const CRC_AT: usize = 12;
const MONTH_MILLIS: i64 = 30 * 86_400_000;

/// Periods of 30 days since 1970-01-01T00:00Z: records that end together lie together, so that
/// expiry is mostly an unlink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RetentionMonth(pub(crate) i32);

impl RetentionMonth {
    pub(crate) fn of(time: Timestamp) -> Self {
        let months = time.as_millis().div_euclid(MONTH_MILLIS);
        let saturated = months.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        Self(i32::try_from(saturated).expect("clamped"))
    }
}

/// What an extent says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtentHeader {
    pub(crate) disk: DiskId,
    pub(crate) number: u64,
    pub(crate) month: RetentionMonth,
    /// No record of this extent has a lower sequence number: one that has is left over from an
    /// earlier use of the space.
    pub(crate) sequence_min: u64,
}

/// Why a block is no extent header of version 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExtentHeaderError {
    #[error("extent header is cut short")]
    Short,
    #[error("no extent magic")]
    Magic,
    #[error("extent version {0} is not known")]
    Version(u16),
    #[error("CRC-32C of the extent header is {found:#010x}, the header says {expected:#010x}")]
    Crc { expected: u32, found: u32 },
}

impl ExtentHeader {
    pub(crate) fn encode(&self) -> [u8; BLOCK_BYTES] {
        let mut out = [0; BLOCK_BYTES];
        out[..8].copy_from_slice(MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[16..32].copy_from_slice(self.disk.as_bytes());
        out[32..40].copy_from_slice(&self.number.to_le_bytes());
        out[40..48].copy_from_slice(&self.sequence_min.to_le_bytes());
        out[48..52].copy_from_slice(&self.month.0.to_le_bytes());
        let crc = crc32c(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ExtentHeaderError> {
        let mut block: [u8; BLOCK_BYTES] =
            array(bytes.get(..BLOCK_BYTES).ok_or(ExtentHeaderError::Short)?, 0);
        if &block[..8] != MAGIC {
            return Err(ExtentHeaderError::Magic);
        }
        let version = u16::from_le_bytes(array(&block, 8));
        if version != VERSION {
            return Err(ExtentHeaderError::Version(version));
        }
        let expected = u32::from_le_bytes(array(&block, CRC_AT));
        block[CRC_AT..CRC_AT + 4].fill(0);
        let found = crc32c(&block);
        if found != expected {
            return Err(ExtentHeaderError::Crc { expected, found });
        }
        Ok(Self {
            disk: DiskId::from_bytes(array(&block, 16)),
            number: u64::from_le_bytes(array(&block, 32)),
            sequence_min: u64::from_le_bytes(array(&block, 40)),
            month: RetentionMonth(i32::from_le_bytes(array(&block, 48))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> ExtentHeader {
        ExtentHeader {
            disk: DiskId::from_bytes([3; 16]),
            number: 42,
            month: RetentionMonth(-1),
            sequence_min: 1 << 40,
        }
    }

    #[test]
    fn extent_headers_round_trip_and_any_flipped_byte_is_caught() {
        let bytes = header().encode();
        assert_eq!(ExtentHeader::decode(&bytes), Ok(header()));
        for at in 0..BLOCK_BYTES {
            let mut flipped = bytes;
            flipped[at] ^= 0x10;
            assert!(ExtentHeader::decode(&flipped).is_err(), "byte {at}");
        }
        assert_eq!(ExtentHeader::decode(&bytes[..4095]), Err(ExtentHeaderError::Short));
    }

    #[test]
    fn months_are_thirty_days_and_saturate() {
        assert_eq!(RetentionMonth::of(Timestamp::from_millis(-1)), RetentionMonth(-1));
        assert_eq!(RetentionMonth::of(Timestamp::from_millis(MONTH_MILLIS)), RetentionMonth(1));
        assert_eq!(RetentionMonth::of(Timestamp::from_millis(i64::MIN)).0, i32::MIN);
    }
}
