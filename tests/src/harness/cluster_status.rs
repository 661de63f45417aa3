use serde::Deserialize;

/// What `custos cluster status --json` says, as far as cases ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClusterStatus {
    /// Epoch of the cluster map.
    pub epoch: u64,
    /// Nothing is wrong and nothing needs a look.
    pub healthy: bool,
    /// All that is wrong or needs a look.
    pub troubles: Vec<Trouble>,
    /// Every storage node.
    pub nodes: Vec<NodeStatus>,
    /// Vaults by profile and level.
    pub vaults: Vec<VaultGroup>,
    /// Damaged shards on record.
    pub damaged_shards: u64,
}

/// Something that is wrong or needs a look.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Trouble {
    /// Name of the node that it is about.
    pub node: Option<String>,
    /// What it is and what to do.
    pub message: String,
}

/// Vaults of one profile whose slots are apart at one level.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct VaultGroup {
    /// Such as `4+2`.
    pub profile: String,
    /// What holds at most one slot of each: zone, rack, host or disk.
    pub level: String,
    /// How many.
    pub vaults: u64,
}

/// A storage node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NodeStatus {
    /// Identity.
    pub node_id: String,
    /// Its name.
    pub name: String,
    /// Where its internal services are.
    pub endpoint: String,
    /// Why it does not answer.
    pub unreachable: Option<String>,
    /// What is in it.
    pub disks: Vec<DiskStatus>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DiskStatus {
    /// Identity.
    pub disk_id: String,
    /// in-service, released or removed.
    pub state: String,
    /// How often it was taken into service.
    pub generation: u64,
    /// Slots of vaults that are on it.
    pub slots: u64,
    /// What it says of itself; nothing while its node does not answer.
    pub report: Option<DiskReport>,
}

/// What a disk says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DiskReport {
    /// local, s3 or tiered.
    pub kind: String,
    /// Why it is out of service.
    pub offline: Option<String>,
    /// Why it gets no new shards.
    pub suspect: Option<String>,
    /// Shards on it.
    pub shards: u64,
    /// Its scrub.
    pub scrub: Option<ScrubReport>,
}

/// How far the scrub of a disk is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ScrubReport {
    /// When the last whole pass ended.
    pub pass_ended: Option<String>,
    /// Whether a pass has begun that has not ended.
    pub under_way: bool,
    /// Damaged shards found in this pass.
    pub damaged: u64,
    /// Pace.
    pub bytes_per_second: u64,
}

impl ClusterStatus {
    /// All disks.
    pub fn disks(&self) -> impl Iterator<Item = &DiskStatus> {
        self.nodes.iter().flat_map(|node| &node.disks)
    }

    /// Something about this node is on the list, in words with all of these.
    #[must_use]
    pub fn has_trouble(&self, node: &str, words: &[&str]) -> bool {
        let of_node = self.troubles.iter().filter(|trouble| trouble.node.as_deref() == Some(node));
        of_node.into_iter().any(|trouble| words.iter().all(|word| trouble.message.contains(word)))
    }

    /// The node of this name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn node(&self, name: &str) -> &NodeStatus {
        let found = self.nodes.iter().find(|node| node.name == name);
        found.unwrap_or_else(|| panic!("no node {name} in {self:?}"))
    }

    /// The disk of this id, or its first copy in order of nodes.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    #[track_caller]
    pub fn disk(&self, disk_id: &str) -> &DiskStatus {
        let found = self.disks().find(|disk| disk.disk_id == disk_id);
        found.unwrap_or_else(|| panic!("no disk {disk_id} in {self:?}"))
    }

    /// Shards on the disks that answer.
    #[must_use]
    pub fn shards(&self) -> u64 {
        self.disks().map(DiskStatus::shards).sum()
    }

    /// There are vaults, every node answers, and every disk that is not released or removed serves.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let has_vaults = self.vaults.iter().any(|group| group.vaults > 0);
        let all_answer = self.nodes.iter().all(|node| node.unreachable.is_none());
        has_vaults && all_answer && self.disks().all(|disk| disk.serves() || !disk.is_in_service())
    }
}

impl DiskStatus {
    /// It is used.
    #[must_use]
    pub fn is_in_service(&self) -> bool {
        self.state == "in-service"
    }

    /// Its scrub, when it answers.
    #[must_use]
    pub fn scrub(&self) -> Option<&ScrubReport> {
        self.report.as_ref().and_then(|report| report.scrub.as_ref())
    }

    /// Shards on it; 0 when it does not answer.
    #[must_use]
    pub fn shards(&self) -> u64 {
        self.report.as_ref().map_or(0, |report| report.shards)
    }

    /// It answers and takes and gives shards.
    #[must_use]
    pub fn serves(&self) -> bool {
        let is_fine = |report: &DiskReport| report.offline.is_none() && report.suspect.is_none();
        self.is_in_service() && self.report.as_ref().is_some_and(is_fine)
    }
}
