use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use custos_core::{Actor, ClusterMap, Epoch, Timestamp};
use custos_ledger::{
    Answer, Command, DISKS_PER_COMMAND_MAX, DiskClaim, Envelope, IncompleteDescriptor, MemoryKv,
    NewVault, Outcome, Policy, Query, VAULTS_PER_COMMAND_MAX,
};
use parking_lot::Mutex;

use crate::{Ledger, LedgerError};

/// The real law on a map in memory, without replication.
pub struct MemoryLedger {
    state: Mutex<MemoryKv>,
    now: Mutex<Timestamp>,
    /// Commands that it gave itself, each under a request id of its own.
    own_commands: AtomicU64,
}

impl MemoryLedger {
    /// A cluster that has begun, with the clock standing at `now`; it has no nodes, disks or
    /// vaults.
    ///
    /// # Panics
    /// When the law refuses to begin.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let state = Mutex::new(MemoryKv::new());
        let ledger = Self { state, now: Mutex::new(now), own_commands: AtomicU64::new(0) };
        ledger.apply(Command::InitCluster {
            origin: "custos.test/00000000".to_owned(),
            policy: Policy {
                incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
                retention_days_av: 365,
                retention_days_other: 365,
            },
        });
        ledger
    }

    /// A cluster that has begun, with the nodes, disks in service and vaults of `map`. Its epochs
    /// are the ledger's own.
    ///
    /// # Panics
    /// When the law refuses them: a vault whose slots are not apart, or vaults that are not
    /// numbered from 0 on.
    #[must_use]
    pub fn with_map(now: Timestamp, map: &ClusterMap) -> Self {
        let ledger = Self::new(now);
        for node in &map.nodes {
            ledger.apply(Command::RegisterNode {
                node_id: node.node_id,
                name: node.name.clone(),
                endpoint: node.endpoint.clone(),
                labels: node.labels.clone(),
                run: node.run,
            });
            let claims: Vec<DiskClaim> = map
                .disks_in_service()
                .filter(|disk| disk.node_id == node.node_id)
                .map(|disk| DiskClaim {
                    disk_id: disk.disk_id,
                    name: disk.name.clone(),
                    weight: disk.weight,
                    generation: disk.generation,
                    opening: disk.opening,
                })
                .collect();
            for disks in claims.chunks(DISKS_PER_COMMAND_MAX) {
                let (node_id, disks) = (node.node_id, disks.to_vec());
                ledger.apply(Command::RegisterDisks { node_id, disks });
            }
        }
        for (number, vault) in (0..).zip(&map.vaults) {
            assert_eq!(vault.vault_id.0, number, "vaults are numbered from 0 on");
        }
        for vaults in map.vaults.chunks(VAULTS_PER_COMMAND_MAX) {
            let vaults = vaults
                .iter()
                .map(|vault| NewVault {
                    profile: vault.profile,
                    level: vault.level,
                    slots: vault.slots.clone(),
                })
                .collect();
            let planned_at = ledger.map().epoch;
            ledger.apply(Command::CreateVaults { vaults, planned_at });
        }
        ledger
    }

    /// The cluster map as the ledger has it.
    #[must_use]
    pub fn map(&self) -> ClusterMap {
        let query = Query::ClusterMap { newer_than: Epoch(0) };
        match custos_ledger::query(&*self.state.lock(), &query) {
            Ok(Answer::ClusterMap(map)) => map.map(|map| *map).unwrap_or_default(),
            other => unreachable!("the law answers what it was asked, not {other:?}"),
        }
    }

    /// Sets the clock that stamps commands.
    pub fn set_time(&self, now: Timestamp) {
        *self.now.lock() = now;
    }

    fn apply(&self, command: Command) {
        let mut request_id = *b"fakes-0123456789";
        let number = self.own_commands.fetch_add(1, Ordering::Relaxed);
        request_id[8..].copy_from_slice(&number.to_be_bytes());
        let envelope =
            Envelope { request_id, actor: Actor::system(), entry_salt: [0; 16], command };
        custos_ledger::apply(&mut *self.state.lock(), &envelope, *self.now.lock())
            .unwrap_or_else(|refusal| panic!("{refusal}"));
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        Ok(custos_ledger::apply(&mut *self.state.lock(), &envelope, *self.now.lock())?)
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        Ok(custos_ledger::query(&*self.state.lock(), &query)?)
    }
}

#[cfg(test)]
mod tests {
    use custos_core::ErasureProfile;

    use super::*;
    use crate::{Cluster, fakes::MemoryCluster};

    #[test]
    fn a_ledger_with_a_map_has_its_nodes_disks_and_vaults() {
        let hosts = ["a", "b", "c", "d", "e", "f", "a", "b"];
        let wanted = MemoryCluster::new(ErasureProfile::P4_2, &hosts).map();
        let found = MemoryLedger::with_map(Timestamp::from_millis(0), &wanted).map();
        assert_eq!((&found.nodes, &found.disks), (&wanted.nodes, &wanted.disks));
        assert_eq!(found.vaults.len(), 1);
        assert_eq!(found.vaults[0].slots, wanted.vaults[0].slots);
    }
}
