//! The cluster map: which nodes and disks there are, and which disk holds which slot of a vault.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    DiskGeneration, DiskId, Epoch, ErasureProfile, NodeId, RunId, ShardSlot, Timestamp, VaultId,
};

/// What fails together, widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureDomain {
    /// A building or site.
    Zone,
    /// A rack or power circuit.
    Rack,
    /// A machine.
    Host,
    /// A single disk or bucket.
    Disk,
}

/// A text that names no failure domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such failure domain: {text:?} (known: zone, rack, host, disk)")]
pub struct ParseFailureDomainError {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl FailureDomain {
    /// Every level, widest first.
    pub const ALL: [Self; 4] = [Self::Zone, Self::Rack, Self::Host, Self::Disk];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Rack => "rack",
            Self::Host => "host",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for FailureDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FailureDomain {
    type Err = ParseFailureDomainError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| ParseFailureDomainError { text: text.chars().take(80).collect() })
    }
}

/// Where a node stands. Each at most 64 bytes; an empty zone or rack is one that nobody named, and
/// all nodes without a name share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Labels {
    /// Building or site.
    pub zone: String,
    /// Rack or power circuit; a rack is told from others of its name by the zone.
    pub rack: String,
    /// Machine: never empty in the map. Two nodes on one machine give the same host.
    pub host: String,
}

/// A storage node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// Identity.
    pub node_id: NodeId,
    /// Name that people use, unique in the cluster, at most 64 bytes.
    pub name: String,
    /// Where its internal services are, such as `https://10.0.0.7:7400`; empty when only its own
    /// process reaches it.
    pub endpoint: String,
    /// Where it stands.
    pub labels: Labels,
    /// The process that registered last.
    pub run: RunId,
    /// Cluster time of the first registration.
    pub registered_at: Timestamp,
}

/// Whether a disk is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiskState {
    /// It takes and gives shards.
    InService,
    /// Given up by its node: it takes and gives nothing, and any node may take it into service.
    Released,
    /// Taken out for good: it never comes back under its id.
    Removed,
}

impl DiskState {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InService => "in-service",
            Self::Released => "released",
            Self::Removed => "removed",
        }
    }
}

/// A disk or bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskRecord {
    /// Identity.
    pub disk_id: DiskId,
    /// The node that it is in, or that it was in when it was released.
    pub node_id: NodeId,
    /// Name that its node gives it, at most 64 bytes, such as `disk 3`.
    pub name: String,
    /// Its share of new vaults in relation to the others: capacity in GiB, at least 1.
    pub weight: u32,
    /// How often it was taken into service.
    pub generation: DiskGeneration,
    /// The opening that this generation belongs to.
    pub opening: RunId,
    /// Whether it is used.
    pub state: DiskState,
}

/// n slots, each on a disk of another failure domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRecord {
    /// Identity.
    pub vault_id: VaultId,
    /// Erasure profile of everything in it.
    pub profile: ErasureProfile,
    /// Level at which its slots are apart.
    pub level: FailureDomain,
    /// The disk of each slot, n of them.
    pub slots: Vec<DiskId>,
    /// Epoch of its last change: requests for this vault that know less are refused.
    pub epoch: Epoch,
}

impl VaultRecord {
    /// The disk of a slot.
    #[must_use]
    pub fn disk(&self, slot: ShardSlot) -> Option<DiskId> {
        self.slots.get(usize::from(slot.0)).copied()
    }
}

/// Nodes, disks and vaults at one epoch; each list in order of id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterMap {
    /// Its version.
    pub epoch: Epoch,
    /// Every node that ever registered.
    pub nodes: Vec<NodeRecord>,
    /// Every disk that ever registered, released and removed ones too.
    pub disks: Vec<DiskRecord>,
    /// Every vault.
    pub vaults: Vec<VaultRecord>,
}

/// The failure domain that a disk is in at some level: equal where the disks fail together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainName(pub String);

impl ClusterMap {
    /// The node of this id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeRecord> {
        find(&self.nodes, |node| node.node_id.cmp(&id))
    }

    /// The disk of this id.
    #[must_use]
    pub fn disk(&self, id: DiskId) -> Option<&DiskRecord> {
        find(&self.disks, |disk| disk.disk_id.cmp(&id))
    }

    /// The vault of this id.
    #[must_use]
    pub fn vault(&self, id: VaultId) -> Option<&VaultRecord> {
        find(&self.vaults, |vault| vault.vault_id.cmp(&id))
    }

    /// Disks that take and give shards.
    pub fn disks_in_service(&self) -> impl Iterator<Item = &DiskRecord> {
        self.disks.iter().filter(|disk| disk.state == DiskState::InService)
    }

    /// The failure domain of a disk at `level`; of a disk that the map does not know, itself.
    #[must_use]
    pub fn domain_of(&self, disk: DiskId, level: FailureDomain) -> DomainName {
        let labels =
            self.disk(disk).and_then(|disk| self.node(disk.node_id)).map(|node| &node.labels);
        match (level, labels) {
            (FailureDomain::Disk, _) | (_, None) => DomainName(disk.to_string()),
            (FailureDomain::Zone, Some(labels)) => DomainName(labels.zone.clone()),
            (FailureDomain::Rack, Some(labels)) => {
                DomainName(format!("{}/{}", labels.zone, labels.rack))
            }
            (FailureDomain::Host, Some(labels)) => DomainName(labels.host.clone()),
        }
    }

    /// Distinct failure domains at `level` that have a disk in service.
    #[must_use]
    pub fn domains(&self, level: FailureDomain) -> BTreeSet<DomainName> {
        self.disks_in_service().map(|disk| self.domain_of(disk.disk_id, level)).collect()
    }
}

fn find<T>(items: &[T], order: impl Fn(&T) -> std::cmp::Ordering) -> Option<&T> {
    items.binary_search_by(order).ok().map(|at| &items[at])
}
