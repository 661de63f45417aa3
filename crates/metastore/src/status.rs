use custos_core::MetaId;
use openraft::ServerState;

use crate::raft_types::Raft;

/// What a node is in its group at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeRole {
    /// Takes commands.
    Leader,
    /// Follows a leader, and votes.
    Follower,
    /// Asks for votes.
    Candidate,
    /// Follows a leader without a vote.
    Learner,
    /// Is stopped or stopping.
    Stopped,
}

impl From<ServerState> for NodeRole {
    fn from(state: ServerState) -> Self {
        match state {
            ServerState::Leader => Self::Leader,
            ServerState::Follower => Self::Follower,
            ServerState::Candidate => Self::Candidate,
            ServerState::Learner => Self::Learner,
            ServerState::Shutdown => Self::Stopped,
        }
    }
}

impl NodeRole {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Leader, Self::Follower, Self::Candidate, Self::Learner, Self::Stopped];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::Learner => "learner",
            Self::Stopped => "stopped",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// How a metastore is doing. Indexes are positions in the Raft log, not in the custody log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaStoreStatus {
    /// This node.
    pub node_id: MetaId,
    /// What it is.
    pub role: NodeRole,
    /// The leader that it knows.
    pub leader: Option<MetaId>,
    /// Raft term.
    pub term: u64,
    /// Last entry in the log.
    pub last_log_index: Option<u64>,
    /// Last entry applied to the state.
    pub applied_index: Option<u64>,
    /// Last entry in the current snapshot.
    pub snapshot_index: Option<u64>,
    /// Last entry purged from the log.
    pub purged_index: Option<u64>,
    /// Nodes that vote.
    pub voters: Vec<MetaId>,
}

impl MetaStoreStatus {
    pub(crate) fn of(raft: &Raft) -> Self {
        let metrics = raft.metrics().borrow().clone();
        Self {
            node_id: MetaId(metrics.id),
            role: metrics.state.into(),
            leader: metrics.current_leader.map(MetaId),
            term: metrics.current_term,
            last_log_index: metrics.last_log_index,
            applied_index: metrics.last_applied.map(|id| id.index),
            snapshot_index: metrics.snapshot.map(|id| id.index),
            purged_index: metrics.purged.map(|id| id.index),
            voters: metrics.membership_config.voter_ids().map(MetaId).collect(),
        }
    }
}
