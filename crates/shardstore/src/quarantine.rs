use custos_ports::Quarantined;

use crate::record::{BLOCK_BYTES, array};

const KEY_PREFIX: u8 = b'q';
const KEY_BYTES: usize = 13;
/// Longest reason that is kept.
const REASON_BYTES_MAX: usize = 200;

/// Blocks of an extent that belong to no record that is known: kept, and never touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownBlocks {
    pub(crate) extent: u64,
    pub(crate) first_block: u32,
    pub(crate) blocks: u32,
    /// Why they are not known.
    pub(crate) reason: String,
}

impl UnknownBlocks {
    /// What the index keys of all of them begin with.
    pub(crate) const PREFIX: [u8; 1] = [KEY_PREFIX];

    /// As the index keeps it.
    pub(crate) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let mut key = vec![KEY_PREFIX];
        key.extend_from_slice(&self.extent.to_be_bytes());
        key.extend_from_slice(&self.first_block.to_be_bytes());
        let mut value = self.blocks.to_le_bytes().to_vec();
        value.extend(self.reason.bytes().take(REASON_BYTES_MAX));
        (key, value)
    }

    pub(crate) fn decode(key: &[u8], value: &[u8]) -> Option<Self> {
        let (blocks, reason) = value.split_at_checked(4)?;
        if key.len() != KEY_BYTES || key[0] != KEY_PREFIX {
            return None;
        }
        Some(Self {
            extent: u64::from_be_bytes(array(key, 1)),
            first_block: u32::from_be_bytes(array(key, 9)),
            blocks: u32::from_le_bytes(array(blocks, 0)),
            reason: String::from_utf8_lossy(reason).into_owned(),
        })
    }
}

impl From<UnknownBlocks> for Quarantined {
    fn from(unknown: UnknownBlocks) -> Self {
        let UnknownBlocks { extent, first_block, blocks, reason } = unknown;
        let offset = u64::from(first_block) * BLOCK_BYTES as u64;
        Self {
            place: format!("extent {extent} at offset {offset}"),
            len: u64::from(blocks) * BLOCK_BYTES as u64,
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_blocks_round_trip_and_cut_bytes_do_not_panic() {
        let unknown = UnknownBlocks {
            extent: 3,
            first_block: 17,
            blocks: 2,
            reason: "record version 9 is not known".to_owned(),
        };
        let (key, value) = unknown.encode();
        assert_eq!(UnknownBlocks::decode(&key, &value), Some(unknown));
        for cut in 0..key.len() {
            assert_eq!(UnknownBlocks::decode(&key[..cut], &value), None);
        }
        assert_eq!(UnknownBlocks::decode(&key, &value[..3]), None);
    }
}
