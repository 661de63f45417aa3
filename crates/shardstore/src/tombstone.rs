use crate::record::array;

/// Bytes of a tombstone in the index.
const TOMBSTONE_BYTES: usize = 16;

/// The tombstone that is the last word on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) sequence: u64,
    /// Where it lies.
    pub(crate) extent: u64,
}

impl Tombstone {
    pub(crate) fn encode(self) -> [u8; TOMBSTONE_BYTES] {
        let mut value = [0; TOMBSTONE_BYTES];
        value[..8].copy_from_slice(&self.sequence.to_le_bytes());
        value[8..].copy_from_slice(&self.extent.to_le_bytes());
        value
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == TOMBSTONE_BYTES).then(|| Self {
            sequence: u64::from_le_bytes(array(bytes, 0)),
            extent: u64::from_le_bytes(array(bytes, 8)),
        })
    }
}
