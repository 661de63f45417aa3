use std::num::NonZeroU32;

use custos_core::{Epoch, ErasureProfile, FailureDomain};

/// Which vaults are to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultOrder {
    /// Erasure profile of what will be in them.
    pub profile: ErasureProfile,
    /// Level at which the slots of a vault must be apart; `None` for the widest that the cluster
    /// can satisfy.
    pub level: Option<FailureDomain>,
    /// How many; `None` for as many as spread the load evenly.
    pub count: Option<NonZeroU32>,
}

/// Vaults that were created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultsCreated {
    /// How many.
    pub created: u32,
    /// Level at which the slots of each are apart; `None` when none was created.
    pub level: Option<FailureDomain>,
    /// Epoch of the cluster map that has them.
    pub epoch: Epoch,
    /// Disks in the map that no slot was planned on, and why, in words.
    pub left_out: Vec<String>,
}

/// A folder of a node that is to become a disk of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDisk {
    /// Node, by name or id.
    pub node: String,
    /// Folder on the node.
    pub path: String,
    /// Make a disk there if the folder is empty or missing; without it the folder must be a disk
    /// already.
    pub create: bool,
}

/// How a disk goes out of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskRemoval {
    /// Until its node starts again.
    UntilRestart,
    /// Out of the cluster: it never comes back under its id.
    ForGood {
        /// Why; goes on the custody log.
        reason: String,
    },
}

/// What is to change about a scrub; what is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubChange {
    /// Pace on each disk, in bytes a second.
    pub bytes_per_second: Option<u64>,
    /// Days within which every shard is to be checked.
    pub period_days: Option<u32>,
    /// Whether it rests.
    pub paused: Option<bool>,
    /// Begin a new pass at once.
    pub start: bool,
}
