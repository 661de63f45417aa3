use std::fmt;

/// The index cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum IndexError {
    /// What it holds cannot be right: it must be made anew.
    #[error("{0}")]
    Damaged(String),
    /// There was no space, and nothing was written.
    #[error("{0}")]
    NoSpace(String),
    /// The file system failed, or what keeps the index did.
    #[error("{0}")]
    Failed(String),
}

/// Keys with their new values, or `None` to remove them, applied as one.
pub(crate) type IndexBatch = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A key and its value.
pub(crate) type IndexPair = (Box<[u8]>, Box<[u8]>);

/// What an index is kept in: an ordered map of bytes.
///
/// It may lose any number of its last batches in a crash, unless it was flushed since, but never
/// one and not those after it.
pub(crate) trait IndexStore: Send + Sync {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// All pairs from `start` on, in order of key.
    fn scan<'a>(
        &'a self,
        start: &[u8],
    ) -> Box<dyn Iterator<Item = Result<IndexPair, IndexError>> + 'a>;

    fn write(&self, batch: IndexBatch) -> Result<(), IndexError>;

    /// Makes everything written so far durable.
    fn flush(&self) -> Result<(), IndexError>;
}

/// The place of an index on a disk.
pub(crate) trait IndexMedium: fmt::Debug {
    /// Opens the one that is there.
    fn open(&self) -> Result<Option<Box<dyn IndexStore>>, IndexError>;

    /// Removes the one that is there, and makes an empty one.
    fn make(&self) -> Result<Box<dyn IndexStore>, IndexError>;
}
