//! Which group of ledger processes keeps what (ADR 11).
//!
//! The key space of evidence is cut into 1,024 virtual shards, and each of them is kept by one
//! group; what belongs to no evidence is kept by the system group. The table that says so is part
//! of the state of every group, and each refuses what another one keeps: a second group is an entry
//! in the table. Today there is one, and it keeps everything.

use std::fmt;

use custos_core::{Refusal, Rule};
use sha2::{Digest, Sha256};

use crate::{Command, Query};

/// A part of the key space: all names whose SHA-256 begins with the same ten bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VirtualShard(u16);

impl VirtualShard {
    /// How many there are.
    pub const COUNT: u16 = 1024;

    /// The one that a name lies in: the 16 bytes of an evidence id, or the 32 of an upload key.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let digest = Sha256::digest(name);
        Self(u16::from_be_bytes([digest[0], digest[1]]) / (u16::MAX / Self::COUNT + 1))
    }

    /// 0 to 1,023.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for VirtualShard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A group of ledger processes with a Raft log, a state and a custody log of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerGroupId(pub u32);

impl LedgerGroupId {
    /// The group that a cluster begins with.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for LedgerGroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a command or query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The cluster: its map, policy, members, disks and their damage, the custody log as a whole.
    System,
    /// An evidence item or an upload.
    Shard(VirtualShard),
    /// All evidence.
    Everywhere,
}

/// A group and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerGroup {
    /// Identity.
    pub id: LedgerGroupId,
    /// Endpoints of its members' services; empty for those that are configured as the cluster's
    /// meta nodes.
    pub endpoints: Vec<String>,
}

/// Virtual shards that one group keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardRange {
    /// The first of them.
    pub first: u16,
    /// The last of them.
    pub last: u16,
    /// Who keeps them.
    pub group: LedgerGroupId,
}

/// Which group keeps what, as one group knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// The group whose state this is.
    pub here: LedgerGroupId,
    /// The group that keeps what belongs to no evidence.
    pub system: LedgerGroupId,
    /// Every group, in order of id.
    pub groups: Vec<LedgerGroup>,
    /// Every virtual shard once, in order.
    pub shards: Vec<ShardRange>,
}

impl Routing {
    /// One group that keeps everything.
    #[must_use]
    pub fn single() -> Self {
        let group = LedgerGroupId::FIRST;
        Self {
            here: group,
            system: group,
            groups: vec![LedgerGroup { id: group, endpoints: Vec::new() }],
            shards: vec![ShardRange { first: 0, last: VirtualShard::COUNT - 1, group }],
        }
    }

    /// Whether every virtual shard is kept by exactly one group, and every group is known once.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_known = |id: LedgerGroupId| self.groups.iter().any(|group| group.id == id);
        let mut next = 0;
        for range in &self.shards {
            if range.first != next || range.last < range.first || !is_known(range.group) {
                return false;
            }
            next = range.last.saturating_add(1);
        }
        next == VirtualShard::COUNT
            && is_known(self.here)
            && is_known(self.system)
            && self.groups.is_sorted_by(|one, other| one.id < other.id)
    }

    /// Who keeps a virtual shard.
    #[must_use]
    pub fn group_of(&self, shard: VirtualShard) -> LedgerGroupId {
        let keeper = self.shards.iter().find(|range| shard.0 <= range.last);
        keeper.map_or(self.system, |range| range.group)
    }

    /// The groups to be asked: one, or for all evidence every group that keeps any, in order of id.
    #[must_use]
    pub fn groups_of(&self, scope: Scope) -> Vec<LedgerGroupId> {
        match scope {
            Scope::System => vec![self.system],
            Scope::Shard(shard) => vec![self.group_of(shard)],
            Scope::Everywhere => {
                let mut keepers: Vec<_> = self.shards.iter().map(|range| range.group).collect();
                keepers.sort_unstable();
                keepers.dedup();
                keepers
            }
        }
    }

    /// Refuses what another group keeps.
    pub(crate) fn check_here(&self, scope: Scope) -> Result<(), Refusal> {
        if self.groups_of(scope).contains(&self.here) {
            return Ok(());
        }
        let (keeper, here) = (self.groups_of(scope)[0], self.here);
        let what = match scope {
            Scope::Shard(shard) => format!("virtual shard {shard}"),
            Scope::System => "what belongs to no evidence".to_owned(),
            Scope::Everywhere => "evidence".to_owned(),
        };
        let reason = format!("{what} is kept by ledger group {keeper}, and this is group {here}");
        Err(Refusal::refused(Rule::I6, MISROUTED_FIELD, reason))
    }
}

/// Field of the refusal of what another group keeps: whoever gets it looks at the table anew.
pub const MISROUTED_FIELD: &str = "ledger_group";

impl Command {
    /// What the command is about. An upload goes where its key lies: there it is found again.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::OpenUpload { upload_key, .. } => Scope::of(upload_key.as_bytes()),
            Self::Seal { evidence_id, .. }
            | Self::AbortUpload { evidence_id, .. }
            | Self::RecordView { evidence_id, .. } => Scope::of(evidence_id.as_bytes()),
            Self::InitCluster { .. }
            | Self::RegisterNode { .. }
            | Self::RegisterDisks { .. }
            | Self::RemoveDisk { .. }
            | Self::ReleaseDisk { .. }
            | Self::CreateVaults { .. }
            | Self::ReportDamage { .. }
            | Self::ReportRepair { .. }
            | Self::AdoptKey { .. }
            | Self::AdmitMeta { .. }
            | Self::RetireMeta { .. }
            | Self::Law(_)
            | Self::KeepTime
            | Self::RecordBackup { .. }
            | Self::RestoreLedger { .. } => Scope::System,
        }
    }
}

impl Query {
    /// What the query is about.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Evidence(id) | Self::Upload(id) | Self::Entries { evidence_id: Some(id), .. } => {
                Scope::of(id.as_bytes())
            }
            Self::ListEvidence { .. } => Scope::Everywhere,
            Self::By { query, .. } => query.scope(),
            Self::Cluster
            | Self::Checkpoint
            | Self::Entries { evidence_id: None, .. }
            | Self::ProveInclusion(_)
            | Self::ProveConsistency { .. }
            | Self::ClusterMap { .. }
            | Self::ListDamage { .. }
            | Self::MetaMembers
            | Self::Law(_) => Scope::System,
        }
    }
}

impl Scope {
    fn of(name: &[u8]) -> Self {
        Self::Shard(VirtualShard::of(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halves() -> Routing {
        let (one, two) = (LedgerGroupId(1), LedgerGroupId(2));
        let group = |id| LedgerGroup { id, endpoints: Vec::new() };
        Routing {
            here: one,
            system: one,
            groups: vec![group(one), group(two)],
            shards: vec![
                ShardRange { first: 0, last: 511, group: one },
                ShardRange { first: 512, last: 1023, group: two },
            ],
        }
    }

    #[test]
    fn virtual_shards_are_the_first_ten_bits() {
        // SHA-256 of nothing starts with e3 b0: 1110001110 in binary.
        assert_eq!(VirtualShard::of(b"").number(), 0b11_1000_1110);
        for name in 0..10_000u32 {
            assert!(VirtualShard::of(&name.to_be_bytes()).number() < VirtualShard::COUNT);
        }
    }

    #[test]
    fn every_shard_has_one_keeper() {
        assert!(Routing::single().is_whole() && halves().is_whole());
        let halves = halves();
        assert_eq!(halves.group_of(VirtualShard(511)), LedgerGroupId(1));
        assert_eq!(halves.group_of(VirtualShard(512)), LedgerGroupId(2));
        let both = vec![LedgerGroupId(1), LedgerGroupId(2)];
        assert_eq!(halves.groups_of(Scope::Everywhere), both);
        assert_eq!(halves.groups_of(Scope::System), [LedgerGroupId(1)]);
    }

    #[test]
    fn a_table_with_a_gap_an_overlap_or_an_unknown_group_is_not_whole() {
        let changed = |change: fn(&mut Routing)| {
            let mut table = halves();
            change(&mut table);
            table.is_whole()
        };
        assert!(!changed(|table| table.shards[1].first = 513));
        assert!(!changed(|table| table.shards[1].first = 511));
        assert!(!changed(|table| table.shards[1].last = 1022));
        assert!(!changed(|table| table.shards[1].last = u16::MAX));
        assert!(!changed(|table| table.shards.clear()));
        assert!(!changed(|table| table.groups.swap(0, 1)));
        assert!(!changed(|table| table.shards[0].group = LedgerGroupId(3)));
        assert!(!changed(|table| table.system = LedgerGroupId(3)));
    }

    #[test]
    fn a_group_refuses_what_another_one_keeps() {
        let table = halves();
        assert!(table.check_here(Scope::Shard(VirtualShard(3))).is_ok());
        assert!(table.check_here(Scope::Everywhere).is_ok());
        let refusal = table.check_here(Scope::Shard(VirtualShard(900))).expect_err("not here");
        assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::I6, MISROUTED_FIELD));
        let there = Routing { here: LedgerGroupId(2), ..table };
        assert!(there.check_here(Scope::System).is_err());
    }
}
