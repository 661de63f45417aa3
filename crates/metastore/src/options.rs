use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use custos_core::{MetaId, limits::COMMAND_QUEUE_ITEMS_MAX};
use custos_ports::{Clock, PeerTransport};

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
    /// The group that the node is a member of. Without it the node is alone and stays so.
    pub group: Option<GroupOptions>,
}

/// How a node is a member of a group.
#[derive(Clone)]
pub struct GroupOptions {
    /// Origin line of the cluster: members of another are not heard.
    pub origin: String,
    /// Where the other members reach this one, such as `https://10.0.0.7:7401`. It stays the same
    /// once the group has other members.
    pub endpoint: String,
    /// Carries messages to them.
    pub transport: Arc<dyn PeerTransport>,
    /// How a node begins whose directory is new.
    pub beginning: Beginning,
    /// Pace of snapshots to other members; 0 is as fast as it goes. 64 MiB/s by default.
    pub snapshot_bytes_per_second: u64,
}

/// How a new node begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// It is the first of its group, and decides alone until others join.
    Founding,
    /// It waits until the leader of the group finds it.
    Joining,
}

impl GroupOptions {
    /// A member of the cluster with this origin line, at the default pace.
    pub fn new(
        origin: impl Into<String>,
        endpoint: impl Into<String>,
        transport: Arc<dyn PeerTransport>,
        beginning: Beginning,
    ) -> Self {
        Self {
            origin: origin.into(),
            endpoint: endpoint.into(),
            transport,
            beginning,
            snapshot_bytes_per_second: 64 << 20,
        }
    }
}

impl fmt::Debug for GroupOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupOptions")
            .field("origin", &self.origin)
            .field("endpoint", &self.endpoint)
            .field("beginning", &self.beginning)
            .finish_non_exhaustive()
    }
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
            group: None,
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
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}
