use custos_core::MetaId;
use custos_ports::MetaPeer;
use openraft::{BasicNode, RaftMetrics, ServerState};
use tokio::sync::watch;

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

    /// Why this member cannot decide by itself; for people.
    pub(crate) fn elsewhere(&self) -> String {
        match self {
            Self::Me => "leadership has just begun".to_owned(),
            Self::Other(peer) => format!("this node does not lead, {peer:?} does"),
            Self::Nobody => "no leader is known".to_owned(),
        }
    }
}

/// Tells those who wait for the leader's answer when another leads. Raft's metrics change many times
/// for every entry: one task looks at each, and not everybody who waits.
#[derive(Clone)]
pub(crate) struct LeaderWatch {
    leader: watch::Receiver<Leader>,
}

impl LeaderWatch {
    /// Starts to watch. It ends when this member stops.
    pub(crate) fn start(raft: &Raft) -> Self {
        let (sender, leader) = watch::channel(Leader::now(raft));
        tasks::spawn(follow(raft.metrics(), sender));
        Self { leader }
    }

    /// Resolves when another leads than `known`, which has just been found to, or when this member
    /// stops.
    pub(crate) async fn has_changed(&self, known: &Leader) {
        // It may not have seen yet that `known` leads.
        let seen = self.leader.borrow().clone();
        let is_another = |leader: &Leader| leader != known && *leader != seen;
        // An error means that raft is gone, which is a change.
        let _ = tasks::wait_for(self.leader.clone(), is_another).await;
    }
}

async fn follow(
    metrics: watch::Receiver<RaftMetrics<u64, BasicNode>>,
    sender: watch::Sender<Leader>,
) {
    loop {
        let known = sender.borrow().clone();
        let is_news = |metrics: &RaftMetrics<u64, BasicNode>| {
            metrics.running_state.is_err() || Leader::of(metrics) != known
        };
        match tasks::wait_for(metrics.clone(), is_news).await {
            Ok(metrics) if metrics.running_state.is_ok() => {
                sender.send_replace(Leader::of(&metrics));
            }
            _ => return,
        }
    }
}
