//! A small cluster: one ledger, nodes with folders as disks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use custos_core::{
    Actor, DiskId, ErasureProfile, EvidenceId, FailureDomain, Labels, NodeId, RunId, ShardKey,
    ShardWrite, Timestamp, VaultId,
};
use custos_ledger::{Answer, Command, Envelope, NewVault, Outcome, Query};
use custos_peers::{ClusterOptions, ClusterPeers};
use custos_ports::fakes::conformance;
use custos_ports::fakes::{CountingEntropy, MemoryLedger, SetClock};
use custos_ports::{Entropy, Ledger, LedgerError, ShardStore};
use custos_storage_node::{
    DiskPlace, DiskSpec, NodePeers, StorageDeps, StorageNode, StorageNodeHandle, StorageOptions,
    WhenAbsent,
};
use parking_lot::Mutex;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}

/// The real law, which does not answer when the test says so, and counts what it was asked.
pub(crate) struct TestLedger {
    pub(crate) law: MemoryLedger,
    /// So many commands go unanswered.
    pub(crate) away: Mutex<usize>,
}

#[async_trait]
impl Ledger for TestLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        {
            let mut away = self.away.lock();
            if *away > 0 {
                *away -= 1;
                return Err(LedgerError::Unavailable { reason: "no leader".to_owned() });
            }
        }
        self.law.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        self.law.query(query).await
    }
}

/// What answers at the place that the map has for a node.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Elsewhere {
    Nothing,
    /// A process of this run.
    Process(RunId),
    /// Something that takes the call and never answers it.
    Silence,
}

/// Other nodes, as the test says, and how often one was asked.
pub(crate) struct TestPeers {
    pub(crate) elsewhere: Mutex<Elsewhere>,
    pub(crate) asked: Mutex<usize>,
}

#[async_trait]
impl NodePeers for TestPeers {
    async fn run_of(&self, _: NodeId) -> Result<RunId, String> {
        *self.asked.lock() += 1;
        let elsewhere = *self.elsewhere.lock();
        match elsewhere {
            Elsewhere::Nothing => Err("connection refused".to_owned()),
            Elsewhere::Process(run) => Ok(run),
            Elsewhere::Silence => std::future::pending().await,
        }
    }
}

pub(crate) struct Rig {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) ledger: Arc<TestLedger>,
    pub(crate) entropy: Arc<CountingEntropy>,
    pub(crate) peers: Arc<TestPeers>,
    /// The machine's clock of every node.
    pub(crate) clock: Arc<SetClock>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("tempdir"),
            ledger: Arc::new(TestLedger { law: MemoryLedger::new(now()), away: Mutex::new(0) }),
            entropy: Arc::new(CountingEntropy::default()),
            peers: Arc::new(TestPeers {
                elsewhere: Mutex::new(Elsewhere::Nothing),
                asked: Mutex::new(0),
            }),
            clock: Arc::new(SetClock::new(now())),
        }
    }

    pub(crate) fn disk_dir(&self, node: &str, number: usize) -> PathBuf {
        self.dir.path().join(node).join(format!("disk{number}"))
    }

    pub(crate) fn node_dir(&self, node: &str) -> PathBuf {
        self.dir.path().join(node).join("node")
    }

    pub(crate) fn disk(&self, node: &str, number: usize) -> DiskSpec {
        DiskSpec {
            name: format!("disk {number}"),
            place: DiskPlace::Folder(self.disk_dir(node, number)),
            weight: None,
            absent: WhenAbsent::Create,
        }
    }

    pub(crate) fn options(&self, node: &str, disks: usize) -> StorageOptions {
        let labels = Labels { host: node.to_owned(), ..Labels::default() };
        let mut options = StorageOptions::new(self.node_dir(node), node, labels);
        options.disks = (0..disks).map(|number| self.disk(node, number)).collect();
        options.supervision_period = Duration::from_millis(10);
        options.reopen_period = Duration::from_millis(20);
        options.local.extent_bytes_max = 4 << 20;
        options.local.preallocate_bytes = 64 << 10;
        options
    }

    pub(crate) fn cluster(&self) -> ClusterPeers {
        let options =
            ClusterOptions { poll_interval: Duration::from_millis(10), ..Default::default() };
        ClusterPeers::spawn(options, self.ledger.clone(), None, self.entropy.clone())
    }

    pub(crate) fn deps(&self) -> StorageDeps {
        StorageDeps {
            ledger: self.ledger.clone(),
            cluster: Arc::new(self.cluster()),
            peers: self.peers.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    pub(crate) async fn start(&self, node: &str, disks: usize) -> StorageNodeHandle {
        self.start_with(self.options(node, disks)).await
    }

    pub(crate) async fn start_with(&self, options: StorageOptions) -> StorageNodeHandle {
        StorageNode::start(options, self.deps()).await.expect("started")
    }

    /// Submits a command as the store itself.
    pub(crate) async fn submit(&self, command: Command) -> Outcome {
        let entropy: &dyn Entropy = &*self.entropy;
        let envelope = Envelope {
            request_id: entropy.array(),
            actor: Actor::system(),
            entry_salt: entropy.array(),
            command,
        };
        self.ledger.law.submit(envelope).await.expect("the law takes it")
    }

    /// Adds a vault `2+1` over three disks.
    pub(crate) async fn create_vault(&self, slots: Vec<DiskId>) -> VaultId {
        let map = self.ledger.law.map();
        let vault = NewVault { profile: ErasureProfile::P2_1, level: FailureDomain::Disk, slots };
        let command = Command::CreateVaults { vaults: vec![vault], planned_at: map.epoch };
        self.submit(command).await;
        VaultId(u32::try_from(map.vaults.len()).expect("few vaults"))
    }
}

/// Shard `number` of vault 0 with `len` bytes.
pub(crate) fn shard(number: u64, len: usize) -> ShardWrite {
    let write = conformance::shard(number, len);
    ShardWrite { key: ShardKey { vault: VaultId(0), ..write.key }, ..write }
}

pub(crate) fn shard_of(evidence_id: EvidenceId, number: u64, len: usize) -> ShardWrite {
    let write = shard(number, len);
    ShardWrite { key: ShardKey { evidence_id, ..write.key }, ..write }
}

/// The store of a node's disk in order of its configuration.
pub(crate) fn store(node: &StorageNodeHandle, number: usize) -> (DiskId, Arc<dyn ShardStore>) {
    node.stores()[number].clone()
}

/// Why a disk is out of service.
pub(crate) async fn offline(node: &StorageNodeHandle, number: usize) -> Option<String> {
    node.status().await.disks[number].store.offline.clone()
}

/// Waits until the map of `cluster` is what is wanted.
pub(crate) async fn until_map(
    cluster: &ClusterPeers,
    wanted: impl FnMut(&Arc<custos_core::ClusterMap>) -> bool,
) {
    cluster.changes().wait_for(wanted).await.expect("the cluster runs");
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
