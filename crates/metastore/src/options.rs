use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use custos_core::{MetaId, limits::COMMAND_QUEUE_ITEMS_MAX};
use custos_ports::Clock;

/// What a metastore needs to open.
#[derive(Clone)]
pub struct Options {
    /// Directory of this node alone; created when it is missing.
    pub dir: PathBuf,
    /// This node. A directory remembers whose it is.
    pub node_id: MetaId,
    /// Where the leader's stamps come from.
    pub clock: Arc<dyn Clock>,
    /// Longest wait of one command or query, queueing included. 10 s by default.
    pub request_timeout: Duration,
    /// Longest wait for a leader in `open`. 30 s by default.
    pub start_timeout: Duration,
    /// Raft entries between two snapshots. 50,000 by default.
    pub snapshot_entries: u64,
    /// Raft entries kept behind a snapshot for followers that lag. 10,000 by default.
    pub snapshot_tail_entries: u64,
    /// Commands that may wait, and queries as well;
    /// [`COMMAND_QUEUE_ITEMS_MAX`](custos_core::limits) by default.
    pub queue_items_max: usize,
}

impl Options {
    /// The defaults for node 1 in `dir`.
    pub fn new(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            dir: dir.into(),
            node_id: MetaId(1),
            clock,
            request_timeout: Duration::from_secs(10),
            start_timeout: Duration::from_secs(30),
            snapshot_entries: 50_000,
            snapshot_tail_entries: 10_000,
            queue_items_max: COMMAND_QUEUE_ITEMS_MAX,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dir", &self.dir)
            .field("node_id", &self.node_id)
            .field("request_timeout", &self.request_timeout)
            .field("start_timeout", &self.start_timeout)
            .field("snapshot_entries", &self.snapshot_entries)
            .field("snapshot_tail_entries", &self.snapshot_tail_entries)
            .field("queue_items_max", &self.queue_items_max)
            .finish_non_exhaustive()
    }
}
