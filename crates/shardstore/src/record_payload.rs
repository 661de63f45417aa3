use std::fmt;
use std::ops::Range;

use crate::checksum::crc32c;
use crate::record::{CHECK_BYTES, Place};

/// What does not verify in a record, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The extent's file is not there.
    Missing { place: Place },
    /// The extent ends before the record does.
    Cut { place: Place },
    /// The head does not verify, or is of another record.
    Head { place: Place, reason: String },
    /// A payload block does not match its checksum.
    Block { place: Place, block: usize, expected: u32, found: u32 },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Missing { place }
        | Self::Cut { place }
        | Self::Head { place, .. }
        | Self::Block { place, .. }) = self;
        let (extent, offset) = (place.extent, place.offset());
        match self {
            Self::Missing { .. } => write!(f, "extent {extent} is missing"),
            Self::Cut { .. } => {
                write!(f, "extent {extent} ends within the record at offset {offset}")
            }
            Self::Head { reason, .. } => {
                write!(f, "record head in extent {extent} at offset {offset}: {reason}")
            }
            Self::Block { block, expected, found, .. } => {
                let start = block * CHECK_BYTES;
                write!(
                    f,
                    "payload block {block} (from payload byte {start}) of the record in extent \
                     {extent} at offset {offset}: CRC-32C is {found:#010x}, the head says \
                     {expected:#010x}"
                )
            }
        }
    }
}

/// Payload bytes that must be read to verify `range`: whole 64 KiB blocks, or up to the end.
pub(crate) fn verified_range(range: &Range<usize>, payload_len: usize) -> Range<usize> {
    let start = range.start / CHECK_BYTES * CHECK_BYTES;
    let end = range.end.next_multiple_of(CHECK_BYTES).min(payload_len);
    start..end.max(start)
}

/// Checks payload bytes that begin with 64 KiB block `first_block`.
pub(crate) fn verify_payload(
    place: Place,
    checksums: &[u32],
    first_block: usize,
    bytes: &[u8],
) -> Result<(), Damage> {
    for (index, bytes) in bytes.chunks(CHECK_BYTES).enumerate() {
        let block = first_block + index;
        let expected = checksums[block];
        let found = crc32c(bytes);
        if found != expected && !planted!(IgnoreChecksums) {
            return Err(Damage::Block { place, block, expected, found });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_blocks_that_a_range_touches_are_read() {
        let len = 200_000;
        assert_eq!(verified_range(&(0..len), len), 0..len);
        assert_eq!(verified_range(&(0..1), len), 0..65_536);
        assert_eq!(verified_range(&(65_535..65_537), len), 0..131_072);
        assert_eq!(verified_range(&(65_536..131_072), len), 65_536..131_072);
        assert_eq!(verified_range(&(199_999..200_000), len), 196_608..len);
        assert_eq!(verified_range(&(70_000..70_000), len), 65_536..131_072);
        assert!(verified_range(&(0..0), len).is_empty());
        assert!(verified_range(&(131_072..131_072), 131_072).is_empty());
    }
}
