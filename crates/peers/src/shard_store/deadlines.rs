use std::time::Duration;

use crate::limits::{
    LIST_DEADLINE, READ_DEADLINE, REMOVE_DEADLINE, STATUS_DEADLINE, VERIFY_DEADLINE, WRITE_DEADLINE,
};

/// Longest call of each sort to a store of another node, a second attempt with a newer map
/// included. The node is told, and gives up then too.
#[derive(Debug, Clone)]
pub struct Deadlines {
    /// Writing a shard.
    pub write: Duration,
    /// Reading a shard.
    pub read: Duration,
    /// Any listing.
    pub list: Duration,
    /// Checking a shard on its disk.
    pub verify: Duration,
    /// Removing up to 1000 shards.
    pub remove: Duration,
    /// What the store says of itself.
    pub status: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            write: WRITE_DEADLINE,
            read: READ_DEADLINE,
            list: LIST_DEADLINE,
            verify: VERIFY_DEADLINE,
            remove: REMOVE_DEADLINE,
            status: STATUS_DEADLINE,
        }
    }
}
