use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use custos_codec::ChunkLayout;
use custos_core::{Actor, ChunkSize, DiskId, ErasureProfile, EvidenceId, UploadKey};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query, VirtualShard};
use custos_ports::{Clock, Cluster, Entropy, KeyRing, Ledger};
use tracing::{Instrument, info_span};

use crate::{
    CertificateAuthority, GatewayError, GatewayMetrics, MetaAdmin, NodeAdmin,
    buffers::BufferPool,
    playback::{HedgeBudget, LatencyWindow, Repairs},
    stores::{HealthLimits, StoreAccess, StoreDeadlines, Stores},
    upload::ActiveUploads,
};

/// What an administrator may set; [`Default`] is meant for most.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Erasure profile of uploads that name none.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// Budget of all uploads' transfer buffers in bytes; raised to what three chunks of the largest
    /// allowed size need.
    pub ingest_buffer_bytes_max: usize,
    /// Budget of all streams' transfer buffers in bytes; raised to what one read of a chunk of the
    /// largest allowed size needs when shards are lost.
    pub playback_buffer_bytes_max: usize,
    /// Longest wait for a buffer before a request is shed.
    pub buffer_wait_max: Duration,
    /// Chunks of one upload that may be on their way to the disks at once.
    pub chunks_in_flight_max: usize,
    /// A shard of a chunk is waited for this long; then it goes to a spare, or, where there is none,
    /// the quorum of invariant I1 is enough.
    pub write_in_time: Duration,
    /// A shard write that takes longer than this has failed.
    pub write_deadline: Duration,
    /// A shard read that takes longer than this has failed.
    pub read_deadline: Duration,
    /// A parity shard is asked for no sooner than this, however fast reads usually are.
    pub hedge_after_min: Duration,
    /// A store is never called slow while its calls take less than this.
    pub slow_store_min: Duration,
    /// A suspect store is tried again after this pause; it doubles while the store stays suspect.
    pub probe_after_min: Duration,
    /// A client that sends nothing, or takes nothing, for this long is let go; it can go on later.
    pub idle_max: Duration,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            profile: ErasureProfile::P4_2,
            chunk_size: ChunkSize::DEFAULT,
            ingest_buffer_bytes_max: 192 << 20,
            playback_buffer_bytes_max: 96 << 20,
            buffer_wait_max: Duration::from_secs(30),
            chunks_in_flight_max: 3,
            write_in_time: Duration::from_secs(10),
            write_deadline: Duration::from_secs(60),
            read_deadline: Duration::from_secs(20),
            hedge_after_min: Duration::from_millis(50),
            slow_store_min: Duration::from_secs(1),
            probe_after_min: Duration::from_secs(1),
            idle_max: Duration::from_secs(120),
        }
    }
}

/// Chunks of one upload that the budget always has room for.
const INGEST_CHUNKS_MIN: usize = 3;

/// Chunks of the largest allowed size, one for each profile. What is on record may be of any size,
/// whatever is configured now: its upload goes on, and it stays readable.
fn largest_chunks() -> impl Iterator<Item = ChunkLayout> {
    let layout = |profile| ChunkLayout::new(profile, ChunkSize::MAX.bytes());
    ErasureProfile::ALL.into_iter().map(layout)
}

/// Bytes without which an upload could wait for buffers that never come free.
fn ingest_bytes_min() -> usize {
    let needs =
        largest_chunks().map(|layout| BufferPool::limit_for(INGEST_CHUNKS_MIN, layout.total_len()));
    needs.max().expect("there are profiles")
}

/// Bytes without which a read or a repair could wait for buffers that never come free: k shards as
/// read, the chunk rebuilt from them, and up to n shards coded again.
fn playback_bytes_min() -> usize {
    let needs = largest_chunks().map(|layout| {
        let data_bytes = layout.shard_len() * layout.profile().data();
        BufferPool::limit_for(1, 2 * data_bytes + layout.total_len())
    });
    needs.max().expect("there are profiles")
}

/// What a gateway is wired to.
pub struct GatewayDeps {
    /// The law.
    pub ledger: Arc<dyn Ledger>,
    /// The map, and a store for each disk in it.
    pub cluster: Arc<dyn Cluster>,
    /// Reaches storage nodes for their administrators.
    pub node_admin: Arc<dyn NodeAdmin>,
    /// Reaches the ledger's group for its administrators.
    pub meta_admin: Arc<dyn MetaAdmin>,
    /// Opens and wraps data keys.
    pub key_ring: Arc<dyn KeyRing>,
    /// Salts, ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// For ids, and to end streams whose grant is over: the law has its own time.
    pub clock: Arc<dyn Clock>,
    /// The cluster's own certificate authority, if it has one.
    pub authority: Option<Arc<dyn CertificateAuthority>>,
    /// Where it counts.
    pub metrics: GatewayMetrics,
}

/// A gateway: cheap to clone, shared by its services.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: GatewayOptions,
    pub(crate) deps: GatewayDeps,
    pub(crate) ingest_buffers: BufferPool,
    pub(crate) playback_buffers: BufferPool,
    pub(crate) stores: Stores,
    /// Counts new uploads, so that vaults take turns.
    pub(crate) vault_turn: AtomicU64,
    pub(crate) read_latency: LatencyWindow,
    pub(crate) hedges: HedgeBudget,
    pub(crate) repairs: Repairs,
    pub(crate) active_uploads: ActiveUploads,
}

impl Gateway {
    /// Wires a gateway.
    #[must_use]
    pub fn new(options: GatewayOptions, deps: GatewayDeps) -> Self {
        let pool = |limit_bytes| BufferPool::new(limit_bytes, options.buffer_wait_max);
        let deadlines = StoreDeadlines {
            in_time: options.write_in_time,
            write: options.write_deadline,
            read: options.read_deadline,
        };
        let limits = HealthLimits {
            slow_min: options.slow_store_min,
            probe_after_min: options.probe_after_min,
        };
        let inner = Inner {
            ingest_buffers: pool(options.ingest_buffer_bytes_max.max(ingest_bytes_min())),
            playback_buffers: pool(options.playback_buffer_bytes_max.max(playback_bytes_min())),
            stores: Stores::new(deadlines, limits, deps.metrics.suspect_stores.clone()),
            vault_turn: AtomicU64::new(0),
            read_latency: LatencyWindow::new(options.hedge_after_min),
            hedges: HedgeBudget::default(),
            repairs: Repairs::default(),
            active_uploads: ActiveUploads::default(),
            options,
            deps,
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn metrics(&self) -> &GatewayMetrics {
        &self.inner.deps.metrics
    }

    /// The store of a disk.
    pub(crate) fn store(&self, disk: DiskId) -> StoreAccess {
        self.inner.stores.access(&*self.inner.deps.cluster, disk)
    }

    pub(crate) async fn submit(
        &self,
        actor: &Actor,
        command: Command,
    ) -> Result<Outcome, GatewayError> {
        self.submit_envelope(self.envelope(actor, command)).await
    }

    pub(crate) async fn submit_envelope(
        &self,
        envelope: Envelope,
    ) -> Result<Outcome, GatewayError> {
        let span = info_span!("ledger_submit");
        Ok(self.inner.deps.ledger.submit(envelope).instrument(span).await?)
    }

    pub(crate) fn envelope(&self, actor: &Actor, command: Command) -> Envelope {
        let entropy = &*self.inner.deps.entropy;
        Envelope {
            request_id: entropy.array(),
            actor: actor.clone(),
            entry_salt: entropy.array(),
            command,
        }
    }

    pub(crate) async fn query(&self, query: Query) -> Result<Answer, GatewayError> {
        Ok(self.inner.deps.ledger.query(query).await?)
    }

    /// Asks as somebody who may not read everything.
    pub(crate) async fn query_by(
        &self,
        reader: &Actor,
        query: Query,
    ) -> Result<Answer, GatewayError> {
        self.query(Query::By { reader: reader.clone(), query: Box::new(query) }).await
    }

    /// An id in the virtual shard of the upload key: opening an upload concerns one group of the
    /// ledger, however the shards are spread.
    pub(crate) fn new_evidence_id(&self, upload_key: UploadKey) -> EvidenceId {
        let (now, mut random) = (self.inner.deps.clock.now(), self.inner.deps.entropy.array());
        let wanted = VirtualShard::of(upload_key.as_bytes());
        loop {
            // One draw in 1,024 lies there: about a tenth of a millisecond.
            let id = EvidenceId::from_parts(now, random);
            if VirtualShard::of(id.as_bytes()) == wanted {
                return id;
            }
            let [.., a, b, c, d] = &mut random;
            [*a, *b, *c, *d] = u32::from_be_bytes([*a, *b, *c, *d]).wrapping_add(1).to_be_bytes();
        }
    }
}
