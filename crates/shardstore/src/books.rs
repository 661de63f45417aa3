use std::collections::BTreeMap;

use crate::extent_book::ExtentBook;
use crate::record::array;

/// Bytes of the counters in the index.
const COUNTERS_BYTES: usize = 16;

/// How much the index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    pub(crate) shards: u64,
    pub(crate) payload_bytes: u64,
}

impl Counters {
    pub(crate) fn encode(self) -> [u8; COUNTERS_BYTES] {
        let mut value = [0; COUNTERS_BYTES];
        value[..8].copy_from_slice(&self.shards.to_le_bytes());
        value[8..].copy_from_slice(&self.payload_bytes.to_le_bytes());
        value
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == COUNTERS_BYTES).then(|| Self {
            shards: u64::from_le_bytes(array(bytes, 0)),
            payload_bytes: u64::from_le_bytes(array(bytes, 8)),
        })
    }
}

/// What is counted as a whole.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) counters: Counters,
    pub(crate) extents: BTreeMap<u64, ExtentBook>,
    /// Bytes of all extents' records and headers.
    pub(crate) held_bytes: u64,
}

impl Books {
    pub(crate) fn put(&mut self, extent: u64, book: ExtentBook) {
        self.held_bytes += book.held_bytes();
        let before = self.extents.insert(extent, book);
        self.held_bytes -= before.map_or(0, |before| before.held_bytes());
    }
    pub(crate) fn remove(&mut self, extent: u64) {
        if let Some(book) = self.extents.remove(&extent) {
            self.held_bytes -= book.held_bytes();
        }
    }
}

/// Books as they will be when a batch is applied.
pub(crate) struct ChangedBooks<'a, Before> {
    changed: &'a mut BTreeMap<u64, ExtentBook>,
    before: Before,
}

impl<'a, Before: Fn(u64) -> ExtentBook> ChangedBooks<'a, Before> {
    /// `before` says what the book of an extent is as yet.
    pub(crate) fn new(changed: &'a mut BTreeMap<u64, ExtentBook>, before: Before) -> Self {
        Self { changed, before }
    }

    pub(crate) fn of(&mut self, extent: u64) -> &mut ExtentBook {
        let before = &self.before;
        self.changed.entry(extent).or_insert_with(|| before(extent))
    }
}
