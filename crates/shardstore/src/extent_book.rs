use crate::extent_header::RetentionMonth;
use crate::record::{BLOCK_BYTES, array};

/// Bytes of a book in the index.
const BOOK_BYTES: usize = 41;

/// How far the index knows an extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Checkpoint {
    /// The index covers the blocks before this one.
    pub(crate) end_block: u32,
    /// No record of the extent has a lower sequence number; 0 when its header does not say.
    pub(crate) sequence_min: u64,
    /// Highest sequence number seen in them.
    pub(crate) sequence_max: u64,
    /// Retention month of the extent, unless its header is damaged.
    pub(crate) month: Option<RetentionMonth>,
    /// Blocks among them that are not empty and belong to no record that can be read. While there
    /// is one, the extent is never removed.
    pub(crate) unknown_blocks: u32,
}

/// What the index knows of one extent: kept with its entries, so that garbage is found without a
/// scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ExtentBook {
    /// `None` until the extent was scanned to its end.
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Shards in it that count.
    pub(crate) live_shards: u32,
    /// Blocks that these take.
    pub(crate) live_blocks: u32,
    /// Tombstones in it that are the last word on their keys; each takes a block.
    pub(crate) tombstones: u32,
}

impl ExtentBook {
    /// Bytes of its records and its header.
    pub(crate) fn held_bytes(&self) -> u64 {
        self.checkpoint.map_or(0, |known| u64::from(known.end_block) * BLOCK_BYTES as u64)
    }

    /// Blocks of its records, live or not.
    pub(crate) fn used_blocks(&self) -> u32 {
        self.checkpoint.map_or(0, |known| known.end_block.saturating_sub(1))
    }

    pub(crate) fn add_shard(&mut self, blocks: u32) {
        self.live_shards = self.live_shards.saturating_add(1);
        self.live_blocks = self.live_blocks.saturating_add(blocks);
    }

    pub(crate) fn drop_shard(&mut self, blocks: u32) {
        self.live_shards = self.live_shards.saturating_sub(1);
        self.live_blocks = self.live_blocks.saturating_sub(blocks);
    }

    pub(crate) fn encode(&self) -> [u8; BOOK_BYTES] {
        let mut out = [0; BOOK_BYTES];
        out[..4].copy_from_slice(&self.live_shards.to_le_bytes());
        out[4..8].copy_from_slice(&self.live_blocks.to_le_bytes());
        out[8..12].copy_from_slice(&self.tombstones.to_le_bytes());
        if let Some(known) = &self.checkpoint {
            out[12] = if known.month.is_some() { 2 } else { 1 };
            let month = known.month.map_or(0, |month| month.0);
            out[13..17].copy_from_slice(&known.end_block.to_le_bytes());
            out[17..25].copy_from_slice(&known.sequence_min.to_le_bytes());
            out[25..33].copy_from_slice(&known.sequence_max.to_le_bytes());
            out[33..37].copy_from_slice(&month.to_le_bytes());
            out[37..41].copy_from_slice(&known.unknown_blocks.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != BOOK_BYTES || bytes[12] > 2 {
            return None;
        }
        let checkpoint = (bytes[12] > 0).then(|| Checkpoint {
            end_block: u32::from_le_bytes(array(bytes, 13)),
            sequence_min: u64::from_le_bytes(array(bytes, 17)),
            sequence_max: u64::from_le_bytes(array(bytes, 25)),
            month: (bytes[12] == 2).then(|| RetentionMonth(i32::from_le_bytes(array(bytes, 33)))),
            unknown_blocks: u32::from_le_bytes(array(bytes, 37)),
        });
        Some(Self {
            checkpoint,
            live_shards: u32::from_le_bytes(array(bytes, 0)),
            live_blocks: u32::from_le_bytes(array(bytes, 4)),
            tombstones: u32::from_le_bytes(array(bytes, 8)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_round_trip() {
        let known = Checkpoint {
            end_block: 7,
            sequence_min: 1 << 40,
            sequence_max: 1 << 41,
            month: Some(RetentionMonth(-5)),
            unknown_blocks: 3,
        };
        let unread = ExtentBook { live_shards: 1, live_blocks: 2, ..ExtentBook::default() };
        let book = ExtentBook { checkpoint: Some(known), tombstones: 9, ..unread };
        let monthless = Checkpoint { month: None, ..known };
        let monthless = ExtentBook { checkpoint: Some(monthless), ..unread };
        for book in [unread, book, monthless] {
            assert_eq!(ExtentBook::decode(&book.encode()), Some(book));
        }
        assert_eq!(ExtentBook::decode(&[0; 40]), None);
        assert_eq!(ExtentBook::decode(&[9; 41]), None);
    }
}
