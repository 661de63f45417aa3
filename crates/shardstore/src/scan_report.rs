/// What the scan at opening found beyond what the index knew already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanReport {
    /// Extents that were read, wholly or from where the index left off.
    pub extents_scanned: u64,
    /// Shards found.
    pub shards: u64,
    /// Tombstones found.
    pub tombstones: u64,
    /// Records that were never completed, so never acknowledged: left where they are.
    pub torn_records: u64,
    /// Blocks of 4 KiB that are not empty and belong to no record that can be read: quarantined,
    /// that is kept as they are.
    pub damaged_blocks: u64,
    /// Extents that are missing, cut short, foreign, or could not be read to their end.
    pub damaged_extents: u64,
}
