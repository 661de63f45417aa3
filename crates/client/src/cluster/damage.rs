use custos_core::{DiskId, LogIndex, ShardDamage, Timestamp};

/// A damaged shard on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedShard {
    /// The disk that it is on.
    pub disk_id: DiskId,
    /// Which shard, and what does not verify.
    pub damage: ShardDamage,
    /// Cluster time of the report.
    pub reported_at: Timestamp,
    /// Entry of the custody log that records it.
    pub log_index: LogIndex,
}

/// One page of the damaged shards on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagePage {
    /// The page, in the order of the ledger.
    pub items: Vec<DamagedShard>,
    /// Token of the next page, if there may be one.
    pub next: Option<Vec<u8>>,
    /// Damaged shards on all pages.
    pub total: u64,
}
