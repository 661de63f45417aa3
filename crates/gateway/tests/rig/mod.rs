//! A gateway over the real law in memory and stores that fail on demand.

use std::{sync::Arc, time::Duration};

use custos_codec::RangeVerifier;
use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, Receipt,
    Role, Timestamp, UploadKey,
};
use custos_gateway::{
    Gateway, GatewayDeps, GatewayError, GatewayMetrics, GatewayOptions,
    playback::ViewRequest,
    upload::{OpenUpload, Opened, Upload},
};
use custos_ports::ShardStore;
use custos_ports::fakes::{
    CountingEntropy, Fault, FixedClock, MemoryLedger, MemoryShardStore, PlainKeyRing,
};

/// Small chunks keep the tests quick.
pub(crate) const CHUNK: usize = 1 << 20;

pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) stores: Vec<Arc<MemoryShardStore>>,
}

impl Rig {
    pub(crate) fn new(profile: ErasureProfile) -> Self {
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().expect("a time");
        let stores: Vec<_> = (0..profile.total())
            .map(|slot| Arc::new(MemoryShardStore::new(&format!("disk {slot}"))))
            .collect();
        let deps = GatewayDeps {
            ledger: Arc::new(MemoryLedger::new(now)),
            stores: stores.iter().map(|store| store.clone() as Arc<dyn ShardStore>).collect(),
            key_ring: Arc::new(PlainKeyRing),
            entropy: Arc::new(CountingEntropy::default()),
            clock: Arc::new(FixedClock(now)),
            metrics: GatewayMetrics::default(),
        };
        let options = GatewayOptions {
            profile,
            chunk_size: ChunkSize::MIN,
            ingest_buffer_bytes_max: 32 << 20,
            playback_buffer_bytes_max: 32 << 20,
            write_in_time: Duration::from_millis(100),
            write_deadline: Duration::from_millis(200),
            read_deadline: Duration::from_millis(100),
            hedge_after_min: Duration::from_millis(10),
            ..GatewayOptions::default()
        };
        Self { gateway: Gateway::new(options, deps), stores }
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
        let request = ViewRequest { evidence_id: id, start, end, purpose: None };
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
