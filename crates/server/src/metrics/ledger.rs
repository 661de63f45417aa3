use custos_metastore::{MetaStoreStatus, NodeRole};
use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

/// How the member of the ledger's group in this process is doing.
#[derive(Default)]
pub(super) struct LedgerMetrics {
    leader: Gauge,
    leader_known: Gauge,
    role: Family<Vec<(&'static str, &'static str)>, Gauge>,
    term: Gauge,
    last_log_index: Gauge,
    applied_index: Gauge,
    snapshot_index: Gauge,
    voters: Gauge,
}

impl LedgerMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("custos_ledger");
        registry.register("leader", "1 while this node leads the ledger", self.leader.clone());
        let help = "1 while this node knows who leads: only then it takes commands and reads";
        registry.register("leader_known", help, self.leader_known.clone());
        let help = "1 for what this node is: leader, follower, candidate, learner or stopped";
        registry.register("role", help, self.role.clone());
        registry.register("term", "Raft term", self.term.clone());
        let help = "Last entry of the Raft log";
        registry.register("last_log_index", help, self.last_log_index.clone());
        let help = "Last entry of the Raft log that is applied";
        registry.register("applied_index", help, self.applied_index.clone());
        let help = "Last entry of the Raft log that is in a snapshot";
        registry.register("snapshot_index", help, self.snapshot_index.clone());
        registry.register("voters", "Nodes that vote", self.voters.clone());
    }

    /// `None` for a ledger that is stopped.
    pub(super) fn set(&self, status: Option<&MetaStoreStatus>) {
        let now = status.map_or(NodeRole::Stopped, |status| status.role);
        for role in NodeRole::ALL {
            let labels = vec![("role", role.name())];
            self.role.get_or_create(&labels).set(i64::from(role == now));
        }
        self.leader.set(i64::from(now == NodeRole::Leader));
        let knows = status.is_some_and(|status| status.leader.is_some());
        self.leader_known.set(i64::from(knows));
        let Some(status) = status else { return };
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.term.set(number(status.term));
        self.last_log_index.set(number(status.last_log_index.unwrap_or(0)));
        self.applied_index.set(number(status.applied_index.unwrap_or(0)));
        self.snapshot_index.set(number(status.snapshot_index.unwrap_or(0)));
        self.voters.set(number(status.voters.len() as u64));
    }
}
