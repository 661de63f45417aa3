//! The disks of a node as other processes see them, over real sockets.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use custos_core::{
    Act, ChunkIndex, ClusterMap, CustodyEntry, DiskId, Epoch, ErasureProfile, EvidenceId,
    FailureDomain, Labels, Quarantined, RemovalOrder, Role, ShardEntry, ShardKey, ShardPage,
    ShardRead, ShardWrite, StoreStatus, VaultId, VaultRecord,
};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_peers::fakes::{TestAuthority, TestServer};
use custos_peers::{Channels, ClusterOptions, ClusterPeers};
use custos_ports::fakes::conformance;
use custos_ports::{Cluster, Ledger, LedgerError, ShardError, ShardStore};
use custos_storage_node::{StorageDeps, StorageNode, StorageNodeHandle};
use parking_lot::Mutex;

use crate::rig::{Rig, TestLedger, now, shard};

/// A served node and a cluster in another process's place.
pub(crate) struct Remote {
    pub(crate) node: StorageNodeHandle,
    pub(crate) server: TestServer,
    pub(crate) authority: TestAuthority,
    pub(crate) peers: ClusterPeers,
}

impl Remote {
    /// Starts node `a` with three disks and serves it.
    pub(crate) async fn start(rig: &Rig, ledger: Arc<dyn Ledger>) -> Self {
        let options = rig.options("a", 3);
        let deps = StorageDeps {
            ledger: ledger.clone(),
            cluster: Arc::new(peers(rig, ledger.clone(), None)),
            ..rig.deps()
        };
        let node = StorageNode::start(options, deps).await.expect("started");
        let authority = TestAuthority::new();
        let service = node.service();
        let server =
            TestServer::start(authority.server(), |mut server| server.add_service(service));
        rig.submit(Command::RegisterNode {
            node_id: node.node_id(),
            name: "a".to_owned(),
            endpoint: server.endpoint(),
            labels: Labels { host: "a".to_owned(), ..Labels::default() },
            run: node.run(),
        })
        .await;
        let channels = Channels::new(authority.client("gateway", Role::System));
        let peers = peers(rig, ledger, Some(channels));
        peers.refresh().await.expect("read");
        Self { node, server, authority, peers }
    }

    pub(crate) fn disk(&self, number: usize) -> DiskId {
        self.node.stores()[number].0
    }
}

fn peers(rig: &Rig, ledger: Arc<dyn Ledger>, channels: Option<Channels>) -> ClusterPeers {
    let options = ClusterOptions { poll_interval: Duration::from_millis(10), ..Default::default() };
    ClusterPeers::spawn(options, ledger, channels, rig.entropy.clone())
}

/// Knows the vaults that the conformance suite names, and bears out the order that it gives.
struct ObligingLedger {
    inner: Arc<TestLedger>,
    /// What the entry that the order cites is about.
    evidence_id: Mutex<EvidenceId>,
}

impl ObligingLedger {
    fn vaults(epoch: Epoch) -> Vec<VaultRecord> {
        let record = |vault| VaultRecord {
            vault_id: VaultId(vault),
            profile: ErasureProfile::P2_1,
            level: FailureDomain::Disk,
            slots: Vec::new(),
            epoch,
        };
        [0, 1, 3, 0x0a, 99, 0x0100_0000, u32::MAX].into_iter().map(record).collect()
    }
}

#[async_trait]
impl Ledger for ObligingLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        self.inner.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let cited = conformance::ORDER.ledger_index;
        let entries = matches!(&query, Query::Entries { from, .. } if *from == cited);
        match self.inner.query(query).await? {
            Answer::ClusterMap(Some(map)) => {
                let map = ClusterMap { vaults: Self::vaults(Epoch(1)), ..*map };
                Ok(Answer::ClusterMap(Some(Box::new(map))))
            }
            Answer::Entries { .. } if entries => Ok(Answer::Entries {
                items: vec![CustodyEntry {
                    index: cited,
                    time: now(),
                    act: Act::UploadAborted,
                    evidence_id: Some(*self.evidence_id.lock()),
                    actor: None,
                    detail: None,
                    record: None,
                    leaf: Vec::new(),
                }],
                next: None,
            }),
            other => Ok(other),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_keeps_the_promises_of_a_shard_store_in_the_process_and_over_the_network() {
    let rig = Rig::new();
    let ledger = Arc::new(ObligingLedger {
        inner: rig.ledger.clone(),
        evidence_id: Mutex::new(EvidenceId::from_bytes([0; 16])),
    });
    let remote = Remote::start(&rig, ledger.clone()).await;
    let in_process = remote.node.stores()[0].1.clone();
    let over_network = remote.peers.store(remote.disk(1));
    for store in [in_process, over_network] {
        conformance::check(Arc::new(Obliged { store, ledger: ledger.clone() })).await;
    }
    remote.node.shutdown().await;
}

/// Gives one order for each evidence item, as the law wants it, and sees to it that the ledger
/// bears it out. A remote store's status has the node's own name for it; here it has the caller's.
struct Obliged {
    store: Arc<dyn ShardStore>,
    ledger: Arc<ObligingLedger>,
}

#[async_trait]
impl ShardStore for Obliged {
    fn name(&self) -> &str {
        self.store.name()
    }

    async fn write(&self, shard: ShardWrite) -> Result<(), ShardError> {
        self.store.write(shard).await
    }

    async fn read(
        &self,
        key: &ShardKey,
        range: Option<Range<u64>>,
    ) -> Result<ShardRead, ShardError> {
        self.store.read(key, range).await
    }

    async fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.store.list(vault, evidence_id, after, limit).await
    }

    async fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, ShardError> {
        self.store.list_chunk(vault, evidence_id, chunk).await
    }

    async fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, ShardError> {
        self.store.list_all(vault, after, limit).await
    }

    async fn verify(&self, key: &ShardKey) -> Result<(), ShardError> {
        self.store.verify(key).await
    }

    async fn quarantine(&self, limit: usize) -> Result<Vec<Quarantined>, ShardError> {
        self.store.quarantine(limit).await
    }

    async fn remove(&self, keys: &[ShardKey], order: RemovalOrder) -> Result<(), ShardError> {
        let mut by_evidence: BTreeMap<EvidenceId, Vec<ShardKey>> = BTreeMap::new();
        for key in keys {
            by_evidence.entry(key.evidence_id).or_default().push(*key);
        }
        for (evidence_id, keys) in by_evidence {
            *self.ledger.evidence_id.lock() = evidence_id;
            self.store.remove(&keys, order).await?;
        }
        Ok(())
    }

    async fn status(&self) -> StoreStatus {
        StoreStatus { name: self.store.name().to_owned(), ..self.store.status().await }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_an_old_map_learns_and_its_write_succeeds() {
    let rig = Rig::new();
    let remote = Remote::start(&rig, rig.ledger.clone()).await;
    let slots = (0..3).map(|number| remote.disk(number)).collect();
    rig.create_vault(slots).await;
    // The vault is newer than the map of the gateway and of the node.
    let store = remote.peers.store(remote.disk(0));
    let write = shard(1, 3 << 20);
    store.write(write.clone()).await.expect("written");
    conformance::assert_whole(&*store, &write).await;
    remote.node.shutdown().await;
}
