//! What the commands that operate the cluster say.

use custos_client::{
    ClusterStatus, DamagedShard, DiskReport, DiskStatus, LedgerGroup, MetaGroup, MetaMember,
    MetaReport, NodeStatus, ScrubReport, StrangeDisk, VaultGroup, VaultsCreated,
};
use custos_core::{DiskId, ErasureProfile, Quarantined};
use serde::Serialize;

use crate::cluster::{Severity, Trouble};

/// What `cluster status` says.
#[derive(Debug, Serialize)]
pub(crate) struct ClusterObject<'a> {
    origin: &'a str,
    epoch: u64,
    time: String,
    healthy: bool,
    troubles: Vec<TroubleObject<'a>>,
    vaults: Vec<VaultGroupObject>,
    damaged_shards: u64,
    ledger_groups: Vec<LedgerGroupObject<'a>>,
    meta: Vec<MetaObject<'a>>,
    nodes: Vec<NodeObject<'a>>,
}

impl<'a> ClusterObject<'a> {
    pub(crate) fn new(status: &'a ClusterStatus, troubles: &'a [Trouble]) -> Self {
        let vault_group = |group: &VaultGroup| VaultGroupObject {
            profile: group.profile.to_string(),
            level: group.level.name(),
            vaults: group.vaults,
        };
        Self {
            origin: &status.origin,
            epoch: status.epoch.0,
            time: status.time.to_string(),
            healthy: troubles.iter().all(|trouble| trouble.severity != Severity::Wrong),
            troubles: troubles.iter().map(TroubleObject::from).collect(),
            vaults: status.vaults.iter().map(vault_group).collect(),
            damaged_shards: status.damaged_shards,
            ledger_groups: status.ledger_groups.iter().map(LedgerGroupObject::from).collect(),
            meta: status.meta.members.iter().map(|it| MetaObject::new(&status.meta, it)).collect(),
            nodes: status.nodes.iter().map(NodeObject::from).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct LedgerGroupObject<'a> {
    id: u32,
    system: bool,
    /// First and last of each range.
    virtual_shards: &'a [(u32, u32)],
    endpoints: &'a [String],
}

impl<'a> From<&'a LedgerGroup> for LedgerGroupObject<'a> {
    fn from(group: &'a LedgerGroup) -> Self {
        Self {
            id: group.id,
            system: group.is_system,
            virtual_shards: &group.shards,
            endpoints: &group.endpoints,
        }
    }
}

#[derive(Debug, Serialize)]
struct TroubleObject<'a> {
    severity: &'static str,
    kind: &'static str,
    node: Option<&'a str>,
    disk_id: Option<String>,
    message: &'a str,
}

impl<'a> From<&'a Trouble> for TroubleObject<'a> {
    fn from(trouble: &'a Trouble) -> Self {
        Self {
            severity: trouble.severity.name(),
            kind: trouble.kind,
            node: trouble.node.as_deref(),
            disk_id: trouble.disk_id.map(|id| id.to_string()),
            message: &trouble.message,
        }
    }
}

#[derive(Debug, Serialize)]
struct VaultGroupObject {
    profile: String,
    level: &'static str,
    vaults: u32,
}

/// What `meta ls` says of one member of the ledger's group.
#[derive(Debug, Serialize)]
pub(crate) struct MetaObject<'a> {
    id: u64,
    name: Option<&'a str>,
    endpoint: &'a str,
    vote: &'static str,
    state: Option<&'static str>,
    unreachable: Option<&'a str>,
    entries_behind: Option<u64>,
    report: Option<MetaReportObject<'a>>,
}

impl<'a> MetaObject<'a> {
    pub(crate) fn new(group: &MetaGroup, member: &'a MetaMember) -> Self {
        Self {
            id: member.id.0,
            name: member.name.as_deref(),
            endpoint: &member.endpoint,
            vote: member.vote.name(),
            state: member.state.map(|state| state.name()),
            unreachable: member.unreachable.as_deref(),
            entries_behind: group.entries_behind(member),
            report: member.report.as_ref().map(MetaReportObject::from),
        }
    }
}

#[derive(Debug, Serialize)]
struct MetaReportObject<'a> {
    role: &'a str,
    term: u64,
    leader: Option<u64>,
    last_log: Option<u64>,
    applied: Option<u64>,
    snapshot: Option<u64>,
    clock: String,
}

impl<'a> From<&'a MetaReport> for MetaReportObject<'a> {
    fn from(report: &'a MetaReport) -> Self {
        Self {
            role: &report.role,
            term: report.term,
            leader: report.leader.map(|id| id.0),
            last_log: report.last_log,
            applied: report.applied,
            snapshot: report.snapshot,
            clock: report.clock.to_string(),
        }
    }
}

/// What `meta remove` and `meta lead` say.
#[derive(Debug, Serialize)]
pub(crate) struct MetaOrderObject {
    pub(crate) id: u64,
}

/// What `node ls` says of one node.
#[derive(Debug, Serialize)]
pub(crate) struct NodeObject<'a> {
    node_id: String,
    name: &'a str,
    endpoint: &'a str,
    zone: &'a str,
    rack: &'a str,
    host: &'a str,
    unreachable: Option<&'a str>,
    version: Option<&'a str>,
    disks: Vec<DiskObject<'a>>,
    /// Disks that are out of service and that the cluster does not know.
    strange_disks: Vec<StrangeDiskObject<'a>>,
}

#[derive(Debug, Serialize)]
struct StrangeDiskObject<'a> {
    name: &'a str,
    offline: &'a str,
}

impl<'a> From<&'a StrangeDisk> for StrangeDiskObject<'a> {
    fn from(disk: &'a StrangeDisk) -> Self {
        Self { name: &disk.name, offline: &disk.offline }
    }
}

impl<'a> From<&'a NodeStatus> for NodeObject<'a> {
    fn from(node: &'a NodeStatus) -> Self {
        Self {
            node_id: node.node_id.to_string(),
            name: &node.name,
            endpoint: &node.endpoint,
            zone: &node.labels.zone,
            rack: &node.labels.rack,
            host: &node.labels.host,
            unreachable: node.unreachable.as_deref(),
            version: node.version.as_deref(),
            disks: node.disks.iter().map(|disk| DiskObject::new(node, disk)).collect(),
            strange_disks: node.strange_disks.iter().map(StrangeDiskObject::from).collect(),
        }
    }
}

/// What `disk ls` says of one disk.
#[derive(Debug, Serialize)]
pub(crate) struct DiskObject<'a> {
    node: &'a str,
    node_id: String,
    disk_id: String,
    name: &'a str,
    state: &'static str,
    weight: u32,
    generation: u64,
    slots: u32,
    report: Option<ReportObject<'a>>,
}

impl<'a> DiskObject<'a> {
    pub(crate) fn new(node: &'a NodeStatus, disk: &'a DiskStatus) -> Self {
        Self {
            node: &node.name,
            node_id: node.node_id.to_string(),
            disk_id: disk.disk_id.to_string(),
            name: &disk.name,
            state: disk.state.name(),
            weight: disk.weight,
            generation: disk.generation.0,
            slots: disk.slots,
            report: disk.report.as_ref().map(ReportObject::from),
        }
    }
}

#[derive(Debug, Serialize)]
struct ReportObject<'a> {
    kind: &'a str,
    offline: Option<&'a str>,
    suspect: Option<&'a str>,
    shards: u64,
    payload_bytes: u64,
    stored_bytes: u64,
    total_bytes: u64,
    free_bytes: u64,
    fullness: &'static str,
    io_errors: u64,
    quarantined: u64,
    scrub: Option<ScrubObject>,
}

impl<'a> From<&'a DiskReport> for ReportObject<'a> {
    fn from(report: &'a DiskReport) -> Self {
        Self {
            kind: &report.kind,
            offline: report.offline.as_deref(),
            suspect: report.suspect.as_deref(),
            shards: report.shards,
            payload_bytes: report.payload_bytes,
            stored_bytes: report.stored_bytes,
            total_bytes: report.total_bytes,
            free_bytes: report.free_bytes,
            fullness: report.fullness.name(),
            io_errors: report.io_errors,
            quarantined: report.quarantined,
            scrub: report.scrub.as_ref().map(ScrubObject::from),
        }
    }
}

/// What `scrub status` says of one disk.
#[derive(Debug, Serialize)]
pub(crate) struct DiskScrubObject<'a> {
    node: &'a str,
    disk_id: String,
    name: &'a str,
    scrub: Option<ScrubObject>,
}

impl<'a> DiskScrubObject<'a> {
    pub(crate) fn new(node: &'a NodeStatus, disk: &'a DiskStatus) -> Self {
        let scrub = disk.report.as_ref().and_then(|report| report.scrub.as_ref());
        Self {
            node: &node.name,
            disk_id: disk.disk_id.to_string(),
            name: &disk.name,
            scrub: scrub.map(ScrubObject::from),
        }
    }
}

#[derive(Debug, Serialize)]
struct ScrubObject {
    pass_started: Option<String>,
    pass_ended: Option<String>,
    under_way: bool,
    shards_checked: u64,
    bytes_checked: u64,
    damaged: u64,
    damaged_ever: u64,
    progress_permille: u32,
    bytes_per_second: u64,
    period_days: u32,
    paused: bool,
}

impl From<&ScrubReport> for ScrubObject {
    fn from(scrub: &ScrubReport) -> Self {
        Self {
            pass_started: scrub.pass_started.map(|time| time.to_string()),
            pass_ended: scrub.pass_ended.map(|time| time.to_string()),
            under_way: scrub.is_under_way(),
            shards_checked: scrub.shards_checked,
            bytes_checked: scrub.bytes_checked,
            damaged: scrub.damaged,
            damaged_ever: scrub.damaged_ever,
            progress_permille: scrub.progress_permille,
            bytes_per_second: scrub.bytes_per_second,
            period_days: scrub.period_days,
            paused: scrub.paused,
        }
    }
}

/// What `cluster vaults create` says.
#[derive(Debug, Serialize)]
pub(crate) struct VaultsObject<'a> {
    profile: String,
    created: u32,
    level: Option<&'static str>,
    epoch: u64,
    left_out: &'a [String],
}

impl<'a> VaultsObject<'a> {
    pub(crate) fn new(profile: ErasureProfile, vaults: &'a VaultsCreated) -> Self {
        Self {
            profile: profile.to_string(),
            created: vaults.created,
            level: vaults.level.map(|level| level.name()),
            epoch: vaults.epoch.0,
            left_out: &vaults.left_out,
        }
    }
}

/// What `disk add` says.
#[derive(Debug, Serialize)]
pub(crate) struct DiskAddedObject<'a> {
    pub(crate) node: &'a str,
    pub(crate) path: &'a str,
    pub(crate) disk_id: String,
}

/// What `disk remove` says.
#[derive(Debug, Serialize)]
pub(crate) struct DiskRemovedObject {
    pub(crate) disk_id: String,
    pub(crate) for_good: bool,
}

/// What `disk release` says.
#[derive(Debug, Serialize)]
pub(crate) struct DiskReleasedObject {
    pub(crate) disk_id: String,
}

/// What the orders to the scrub say.
#[derive(Debug, Serialize)]
pub(crate) struct ScrubOrderObject {
    disk_id: Option<String>,
    disks: u32,
}

impl ScrubOrderObject {
    pub(crate) fn new(disk: Option<DiskId>, disks: u32) -> Self {
        Self { disk_id: disk.map(|id| id.to_string()), disks }
    }
}

/// What `damage ls` says of one shard.
#[derive(Debug, Serialize)]
pub(crate) struct DamageObject<'a> {
    disk_id: String,
    vault: u32,
    evidence_id: String,
    /// A number, or `crown`.
    chunk: String,
    slot: u8,
    salt: String,
    what: &'a str,
    reported_at: String,
    log_index: u64,
}

impl<'a> From<&'a DamagedShard> for DamageObject<'a> {
    fn from(shard: &'a DamagedShard) -> Self {
        let key = &shard.damage.key;
        Self {
            disk_id: shard.disk_id.to_string(),
            vault: key.vault.0,
            evidence_id: key.evidence_id.to_string(),
            chunk: key.chunk.to_string(),
            slot: key.slot.0,
            salt: key.salt.to_string(),
            what: &shard.damage.what,
            reported_at: shard.reported_at.to_string(),
            log_index: shard.log_index.0,
        }
    }
}

/// What `disk quarantine` says of one item.
#[derive(Debug, Serialize)]
pub(crate) struct QuarantinedObject<'a> {
    place: &'a str,
    len: u64,
    reason: &'a str,
}

impl<'a> From<&'a Quarantined> for QuarantinedObject<'a> {
    fn from(item: &'a Quarantined) -> Self {
        Self { place: &item.place, len: item.len, reason: &item.reason }
    }
}
