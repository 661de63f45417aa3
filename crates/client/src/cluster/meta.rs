use custos_core::{MetaId, MetaMemberState, Timestamp};

/// The group that keeps the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetaGroup {
    /// Its members in order of id, and whoever is on record as one and is not in it.
    pub members: Vec<MetaMember>,
    /// Why it does not say how it is; `None` when it does.
    pub unreachable: Option<String>,
}

impl MetaGroup {
    /// Members with a vote.
    pub fn voters(&self) -> impl Iterator<Item = &MetaMember> {
        self.members.iter().filter(|member| member.vote == MetaVote::Voter)
    }

    /// Entries that a member has yet to apply, beside the one that has applied most; `None` for one
    /// that does not answer.
    #[must_use]
    pub fn entries_behind(&self, member: &MetaMember) -> Option<u64> {
        let applied = |member: &MetaMember| Some(member.report.as_ref()?.applied.unwrap_or(0));
        let most = self.members.iter().filter_map(applied).max().unwrap_or(0);
        applied(member).map(|applied| most - applied)
    }
}

/// A member of the group that keeps the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaMember {
    /// Identity, never used twice.
    pub id: MetaId,
    /// Name that people use; `None` when it is not on record, or nobody leads who knows the record.
    pub name: Option<String>,
    /// Where the other members reach it; empty for one that is alone.
    pub endpoint: String,
    /// What it is in the group.
    pub vote: MetaVote,
    /// Whether it belongs to the group, on record; `None` as the name is.
    pub state: Option<MetaMemberState>,
    /// Why it does not answer; `None` when it does or is not in the group.
    pub unreachable: Option<String>,
    /// What it says of itself; `None` when it does not answer.
    pub report: Option<MetaReport>,
}

/// What somebody is in the group that keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaVote {
    /// Has a vote.
    Voter,
    /// Receives the log and has no vote.
    Learner,
    /// Is on record and not in the group: joins, or its removal was not finished.
    Absent,
}

impl MetaVote {
    pub(crate) const ALL: [Self; 3] = [Self::Voter, Self::Learner, Self::Absent];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Voter => "voter",
            Self::Learner => "learner",
            Self::Absent => "none",
        }
    }
}

/// What a member says of itself. Positions are those of the Raft log, `None` before its first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaReport {
    /// `leader`, `follower`, `candidate`, `learner` or `stopped`.
    pub role: String,
    /// Raft term.
    pub term: u64,
    /// The leader that it knows.
    pub leader: Option<MetaId>,
    /// Last entry in its log.
    pub last_log: Option<u64>,
    /// Last entry that it has applied.
    pub applied: Option<u64>,
    /// Last entry in its snapshot.
    pub snapshot: Option<u64>,
    /// Its wall clock when it answered.
    pub clock: Timestamp,
}
