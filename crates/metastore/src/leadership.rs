use custos_core::MetaId;
use custos_ports::MetaPeer;
use openraft::{BasicNode, RaftMetrics, ServerState};

use crate::{raft_types::Raft, tasks};

/// Who leads, as far as this member knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leader {
    Me,
    Other(MetaPeer),
    Nobody,
}

impl Leader {
    pub(crate) fn now(raft: &Raft) -> Self {
        Self::of(&raft.metrics().borrow())
    }

    pub(crate) fn of(metrics: &RaftMetrics<u64, BasicNode>) -> Self {
        if metrics.state == ServerState::Leader {
            return Self::Me;
        }
        let Some(id) = metrics.current_leader.filter(|id| *id != metrics.id) else {
            return Self::Nobody;
        };
        match metrics.membership_config.membership().get_node(&id) {
            Some(node) => Self::Other(MetaPeer { id: MetaId(id), endpoint: node.addr.clone() }),
            None => Self::Nobody,
        }
    }

    /// Resolves when it is another, or this member stops.
    pub(crate) async fn has_changed(&self, raft: &Raft) {
        let has_changed = |metrics: &RaftMetrics<_, _>| {
            metrics.running_state.is_err() || Self::of(metrics) != *self
        };
        // An error means that raft is gone, which is a change.
        let _ = tasks::wait_for(raft.metrics(), has_changed).await;
    }

    /// Why this member cannot decide by itself; for people.
    pub(crate) fn elsewhere(&self) -> String {
        match self {
            Self::Me => "leadership has just begun".to_owned(),
            Self::Other(peer) => format!("this node does not lead, {peer:?} does"),
            Self::Nobody => "no leader is known".to_owned(),
        }
    }
}
