use custos_metastore::{MetaStoreStatus, NodeRole};
use prometheus_client::{metrics::gauge::Gauge, registry::Registry};

/// How the ledger is doing.
#[derive(Default)]
pub(super) struct LedgerMetrics {
    leader: Gauge,
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
        registry.register("term", "Raft term", self.term.clone());
        let help = "Last entry of the Raft log";
        registry.register("last_log_index", help, self.last_log_index.clone());
        let help = "Last entry of the Raft log that is applied";
        registry.register("applied_index", help, self.applied_index.clone());
        let help = "Last entry of the Raft log that is in a snapshot";
        registry.register("snapshot_index", help, self.snapshot_index.clone());
        registry.register("voters", "Nodes that vote", self.voters.clone());
    }

    pub(super) fn set(&self, status: Option<&MetaStoreStatus>) {
        let leads = status.is_some_and(|status| status.role == NodeRole::Leader);
        self.leader.set(i64::from(leads));
        let Some(status) = status else { return };
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.term.set(number(status.term));
        self.last_log_index.set(number(status.last_log_index.unwrap_or(0)));
        self.applied_index.set(number(status.applied_index.unwrap_or(0)));
        self.snapshot_index.set(number(status.snapshot_index.unwrap_or(0)));
        self.voters.set(number(status.voters.len() as u64));
    }
}
