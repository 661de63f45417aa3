use custos_core::{
    DiskGeneration, DiskId, DiskState, Epoch, ErasureProfile, FailureDomain, Fullness, Labels,
    NodeId, Timestamp,
};

use super::MetaGroup;

/// The cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterStatus {
    /// Name of the custody log.
    pub origin: String,
    /// Epoch of the cluster map.
    pub epoch: Epoch,
    /// Cluster time.
    pub time: Timestamp,
    /// Every node that ever registered.
    pub nodes: Vec<NodeStatus>,
    /// Vaults, one group for each profile and level.
    pub vaults: Vec<VaultGroup>,
    /// Damaged shards on record.
    pub damaged_shards: u64,
    /// The groups of the ledger, in order of id.
    pub ledger_groups: Vec<LedgerGroup>,
    /// The group that keeps the ledger.
    pub meta: MetaGroup,
}

impl ClusterStatus {
    /// Every disk with its node.
    pub fn disks(&self) -> impl Iterator<Item = (&NodeStatus, &DiskStatus)> {
        self.nodes.iter().flat_map(|node| node.disks.iter().map(move |disk| (node, disk)))
    }
}

/// A group of the ledger and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerGroup {
    /// Identity.
    pub id: u32,
    /// It keeps what belongs to no evidence.
    pub is_system: bool,
    /// First and last of the virtual shards that it keeps, of 0 to 1,023.
    pub shards: Vec<(u32, u32)>,
    /// Of its members' services; none for those that are configured as the cluster's meta nodes.
    pub endpoints: Vec<String>,
}

/// Vaults that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultGroup {
    /// Erasure profile of everything in them.
    pub profile: ErasureProfile,
    /// Level at which the slots of each are apart.
    pub level: FailureDomain,
    /// How many.
    pub vaults: u32,
}

/// A storage node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Identity.
    pub node_id: NodeId,
    /// Name that people use, unique in the cluster.
    pub name: String,
    /// Where its internal services are; empty when only its own process reaches it.
    pub endpoint: String,
    /// Where it stands.
    pub labels: Labels,
    /// Why it does not answer; `None` when it does.
    pub unreachable: Option<String>,
    /// Version of its software; `None` when it does not say.
    pub version: Option<String>,
    /// Its disks.
    pub disks: Vec<DiskStatus>,
    /// Disks of its configuration that are out of service and that the cluster map does not have as
    /// its own.
    pub strange_disks: Vec<StrangeDisk>,
}

/// A disk that a node could not take into service, such as a bucket that never answered or the copy
/// of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangeDisk {
    /// Name that its node gives it, with its place.
    pub name: String,
    /// Why it is out of service, and what to do.
    pub offline: String,
}

/// A disk or bucket, as the cluster map has it and as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskStatus {
    /// Identity.
    pub disk_id: DiskId,
    /// Name that its node gives it.
    pub name: String,
    /// Whether it is used.
    pub state: DiskState,
    /// Its share of new vaults in relation to the others.
    pub weight: u32,
    /// How often it was taken into service.
    pub generation: DiskGeneration,
    /// Slots of vaults that are on it.
    pub slots: u32,
    /// What it says of itself; `None` when its node does not answer or does not have it.
    pub report: Option<DiskReport>,
}

/// What a disk says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskReport {
    /// `local`, `s3` or `tiered`.
    pub kind: String,
    /// Why it is out of service, if it is.
    pub offline: Option<String>,
    /// Why it gets no new shards though it answers, if so.
    pub suspect: Option<String>,
    /// Shards it holds.
    pub shards: u64,
    /// Bytes of their payloads.
    pub payload_bytes: u64,
    /// Bytes that its extents take, live or not; 0 where it does not apply.
    pub stored_bytes: u64,
    /// Bytes of its file system; 0 where there is none.
    pub total_bytes: u64,
    /// Bytes free on its file system.
    pub free_bytes: u64,
    /// How full it is.
    pub fullness: Fullness,
    /// Failed reads, writes and syncs since it was opened.
    pub io_errors: u64,
    /// Records and files that it does not know and therefore keeps.
    pub quarantined: u64,
    /// How far its scrub is; `None` where there is none.
    pub scrub: Option<ScrubReport>,
}

/// How far the scrub of a disk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubReport {
    /// Beginning of the last pass; `None` before the first.
    pub pass_started: Option<Timestamp>,
    /// End of the last whole pass; `None` before that.
    pub pass_ended: Option<Timestamp>,
    /// Shards checked by the last pass.
    pub shards_checked: u64,
    /// Bytes checked by the last pass.
    pub bytes_checked: u64,
    /// Shards that the last pass found damaged.
    pub damaged: u64,
    /// Shards that all passes found damaged.
    pub damaged_ever: u64,
    /// Share of the disk's shards behind the cursor, in 1/1000.
    pub progress_permille: u32,
    /// Pace in force, in bytes a second.
    pub bytes_per_second: u64,
    /// Days within which every shard is to be checked.
    pub period_days: u32,
    /// Whether it rests by order.
    pub paused: bool,
}

impl ScrubReport {
    /// Whether a pass is under way: one began after the last whole one ended.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.pass_started.is_some() && self.pass_ended < self.pass_started
    }
}
