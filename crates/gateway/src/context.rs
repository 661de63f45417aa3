use std::{sync::Arc, time::Duration};

use custos_core::{Actor, ChunkSize, ErasureProfile, EvidenceId, VaultId};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_ports::{Clock, Entropy, KeyRing, Ledger, ShardStore};
use tracing::{Instrument, info_span};

use crate::{
    GatewayError, GatewayMetrics,
    buffers::BufferPool,
    playback::LatencyWindow,
    upload::{ActiveUploads, SlotTurns},
};

/// What an administrator may set; [`Default`] is meant for most.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Erasure profile of uploads that name none.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// Budget of all uploads' transfer buffers in bytes.
    pub ingest_buffer_bytes_max: usize,
    /// Budget of all streams' transfer buffers in bytes.
    pub playback_buffer_bytes_max: usize,
    /// Longest wait for a buffer before a request is shed.
    pub buffer_wait_max: Duration,
    /// Chunks of one upload that may be on their way to the disks at once.
    pub chunks_in_flight_max: usize,
    /// All shards of a chunk are waited for this long; then the quorum of invariant I1 is enough.
    pub write_in_time: Duration,
    /// A shard write that takes longer than this has failed.
    pub write_deadline: Duration,
    /// A shard read that takes longer than this has failed.
    pub read_deadline: Duration,
    /// A parity shard is asked for no sooner than this, however fast reads usually are.
    pub hedge_after_min: Duration,
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
            idle_max: Duration::from_secs(120),
        }
    }
}

/// What a gateway is wired to.
pub struct GatewayDeps {
    /// The law.
    pub ledger: Arc<dyn Ledger>,
    /// Slots of the vault, in order: each a disk of its own.
    pub stores: Vec<Arc<dyn ShardStore>>,
    /// Opens and wraps data keys.
    pub key_ring: Arc<dyn KeyRing>,
    /// Salts, ids and keys.
    pub entropy: Arc<dyn Entropy>,
    /// For ids only: the law has its own time.
    pub clock: Arc<dyn Clock>,
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
    pub(crate) slot_turns: Vec<Arc<SlotTurns>>,
    pub(crate) read_latency: LatencyWindow,
    pub(crate) active_uploads: ActiveUploads,
}

/// The only vault until the cluster map knows more.
pub(crate) const VAULT: VaultId = VaultId(0);

impl Gateway {
    /// Wires a gateway.
    #[must_use]
    pub fn new(options: GatewayOptions, deps: GatewayDeps) -> Self {
        let pool = |limit_bytes| BufferPool::new(limit_bytes, options.buffer_wait_max);
        let inner = Inner {
            ingest_buffers: pool(options.ingest_buffer_bytes_max),
            playback_buffers: pool(options.playback_buffer_bytes_max),
            slot_turns: deps.stores.iter().map(|_| Arc::default()).collect(),
            read_latency: LatencyWindow::new(options.hedge_after_min),
            active_uploads: ActiveUploads::default(),
            options,
            deps,
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn metrics(&self) -> &GatewayMetrics {
        &self.inner.deps.metrics
    }

    pub(crate) fn store(&self, slot: usize) -> &Arc<dyn ShardStore> {
        &self.inner.deps.stores[slot]
    }

    pub(crate) async fn submit(
        &self,
        actor: &Actor,
        command: Command,
    ) -> Result<Outcome, GatewayError> {
        let entropy = &*self.inner.deps.entropy;
        let envelope = Envelope {
            request_id: entropy.array(),
            actor: actor.clone(),
            entry_salt: entropy.array(),
            command,
        };
        let span = info_span!("ledger_submit");
        Ok(self.inner.deps.ledger.submit(envelope).instrument(span).await?)
    }

    pub(crate) async fn query(&self, query: Query) -> Result<Answer, GatewayError> {
        Ok(self.inner.deps.ledger.query(query).await?)
    }

    pub(crate) fn new_evidence_id(&self) -> EvidenceId {
        EvidenceId::from_parts(self.inner.deps.clock.now(), self.inner.deps.entropy.array())
    }
}
