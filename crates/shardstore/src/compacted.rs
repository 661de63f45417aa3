/// What giving space back did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Extents removed.
    pub extents_removed: u64,
    /// Extents left alone because something in them is damaged.
    pub extents_kept: u64,
    /// Bytes that the removed extents took.
    pub bytes_freed: u64,
    /// Bytes of records written anew before.
    pub bytes_moved: u64,
}
