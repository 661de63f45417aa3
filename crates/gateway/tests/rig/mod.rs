//! A gateway over the real law in memory and stores that fail on demand.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

mod following;
mod group;
mod nodes;

use std::{sync::Arc, time::Duration};

use custos_codec::RangeVerifier;
use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, Receipt,
    Role, Timestamp, UploadKey, law::GrantScope,
};
use custos_gateway::{
    Gateway, GatewayDeps, GatewayError, GatewayMetrics, GatewayOptions,
    playback::ViewRequest,
    upload::{OpenUpload, Opened, Upload},
};
use custos_ports::{
    Cluster,
    fakes::{
        CountingEntropy, Fault, FixedClock, MemoryCluster, MemoryLedger, MemoryShardStore,
        PlainKeyRing,
    },
};

pub(crate) use self::nodes::Nodes;
use self::{following::FollowingCluster, group::Group};

/// Small chunks keep the tests quick.
pub(crate) const CHUNK: usize = 1 << 20;

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) stores: Vec<Arc<MemoryShardStore>>,
    pub(crate) cluster: Arc<FollowingCluster>,
    pub(crate) nodes: Arc<Nodes>,
    pub(crate) group: Arc<Group>,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) metrics: GatewayMetrics,
}

impl Rig {
    /// As many hosts of one disk each as the profile has shards: there are no spares.
    pub(crate) fn new(profile: ErasureProfile) -> Self {
        let hosts: Vec<_> = (0..profile.total()).map(|number| format!("host {number}")).collect();
        Self::with_hosts(profile, &hosts)
    }

    /// One disk for each name; the first n are the homes of vault 0.
    pub(crate) fn with_hosts(profile: ErasureProfile, hosts: &[String]) -> Self {
        Self::with_options(profile, hosts, options(profile))
    }

    pub(crate) fn with_options(
        profile: ErasureProfile,
        hosts: &[String],
        options: GatewayOptions,
    ) -> Self {
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().expect("a time");
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let disks = MemoryCluster::new(profile, &hosts);
        let ledger = Arc::new(MemoryLedger::with_map(now, &disks.map()));
        let stores = (0..hosts.len()).map(|number| disks.disk(number)).collect();
        let cluster = Arc::new(FollowingCluster::new(disks, ledger.clone()));
        let nodes = Arc::new(Nodes::new(cluster.clone()));
        let group = Arc::new(Group::new(ledger.clone()));
        let metrics = GatewayMetrics::default();
        let deps = GatewayDeps {
            ledger: ledger.clone(),
            cluster: cluster.clone(),
            node_admin: nodes.clone(),
            meta_admin: group.clone(),
            key_ring: Arc::new(PlainKeyRing),
            entropy: Arc::new(CountingEntropy::default()),
            clock: Arc::new(FixedClock(now)),
            authority: None,
            metrics: metrics.clone(),
        };
        let gateway = Gateway::new(options, deps);
        Self { gateway, stores, cluster, nodes, group, ledger, metrics }
    }

    pub(crate) fn fail(&self, slots: &[usize], fault: Fault) {
        for slot in slots {
            self.stores[*slot].set_fault(fault);
        }
    }

    pub(crate) async fn open(&self, key: u8) -> Result<Opened, GatewayError> {
        let open = OpenUpload {
            upload_key: UploadKey([key; 32]),
            descriptor: Descriptor::of_kind(EvidenceKind::Video),
            profile: None,
        };
        self.gateway.open_upload(&officer(), open).await
    }

    pub(crate) async fn open_new(&self, key: u8) -> Upload {
        match self.open(key).await.expect("opens") {
            Opened::Upload(upload) => *upload,
            Opened::Sealed(_) => panic!("is sealed already"),
        }
    }

    pub(crate) async fn put(&self, key: u8, bytes: &[u8]) -> Result<Receipt, GatewayError> {
        let mut upload = self.open_new(key).await;
        push_from(&mut upload, bytes, 0).await?;
        upload.finish(bytes.len() as u64, hash(bytes)).await
    }

    /// Reads a range as a client does: every frame is proven against `root`.
    pub(crate) async fn get(
        &self,
        id: EvidenceId,
        root: Blake3Hash,
        start: u64,
        end: Option<u64>,
    ) -> Result<Vec<u8>, GatewayError> {
        let (scope, grant) = (GrantScope::View, None);
        let request = ViewRequest { evidence_id: id, start, end, purpose: None, scope, grant };
        let mut view = self.gateway.open_view(&officer(), request).await?;
        let mut verifier = RangeVerifier::new(root, view.record().parts.size, view.range());
        let mut bytes = Vec::new();
        while let Some(frames) = view.next_frames().await? {
            for frame in frames {
                let proven = verifier.push(&frame.parents, frame.data).expect("frames prove");
                bytes.extend_from_slice(&proven);
            }
        }
        verifier.finish().expect("the range is whole");
        Ok(bytes)
    }
}

/// Short waits, and a suspect store is tried again at once.
pub(crate) fn options(profile: ErasureProfile) -> GatewayOptions {
    GatewayOptions {
        profile,
        chunk_size: ChunkSize::MIN,
        ingest_buffer_bytes_max: 32 << 20,
        playback_buffer_bytes_max: 32 << 20,
        write_in_time: Duration::from_millis(200),
        write_deadline: Duration::from_millis(400),
        read_deadline: Duration::from_millis(100),
        hedge_after_min: Duration::from_millis(10),
        probe_after_min: Duration::ZERO,
        ..GatewayOptions::default()
    }
}

pub(crate) async fn push_from(
    upload: &mut Upload,
    bytes: &[u8],
    from: usize,
) -> Result<(), GatewayError> {
    let mut at = from;
    for piece in bytes[from..].chunks(100_000) {
        while !upload.has_room() {
            upload.next_durable().await?;
        }
        upload.push(at as u64, piece).await?;
        at += piece.len();
    }
    Ok(())
}

pub(crate) fn officer() -> Actor {
    Actor { name: "officer".to_owned(), role: Role::Developer, fingerprint: [7; 32] }
}

pub(crate) fn hash(bytes: &[u8]) -> Blake3Hash {
    Blake3Hash(*blake3::hash(bytes).as_bytes())
}

/// Footage that is no two bytes alike for long.
pub(crate) fn footage(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&len.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
