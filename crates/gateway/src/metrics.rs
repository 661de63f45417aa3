use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// What a gateway counts; register it once with [`GatewayMetrics::register`].
#[derive(Debug, Clone, Default)]
pub struct GatewayMetrics {
    /// Plaintext bytes acknowledged as durable.
    pub ingest_bytes: Counter,
    /// Chunks acknowledged as durable.
    pub ingest_chunks: Counter,
    /// Evidence sealed.
    pub sealed: Counter,
    /// Uploads that are running now.
    pub uploads_running: Gauge,
    /// Shards that were missing when their chunk was acknowledged.
    pub missing_shards: Counter,
    /// Plaintext bytes streamed to players.
    pub playback_bytes: Counter,
    /// Streams that are running now.
    pub streams_running: Gauge,
    /// Chunks that were rebuilt because a data shard was missing, slow or corrupt.
    pub degraded_reads: Counter,
    /// Shards found corrupt or contradicting the others while reading.
    pub corrupt_shards: Counter,
    /// Shards written to another disk than their home.
    pub spare_shards: Counter,
    /// Stores that are spared now because they are slow, full or out of reach.
    pub suspect_stores: Gauge,
    /// Second reads started because a first one was slow.
    pub hedged_reads: Counter,
    /// Shards that were put back after a read found them missing or corrupt.
    pub repaired_shards: Counter,
    /// Repairs after a read that did not work out.
    pub repairs_failed: Counter,
    /// Repairs after a read that were not queued because too many waited.
    pub repairs_dropped: Counter,
}

impl GatewayMetrics {
    /// Adds every metric to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("custos_gateway");
        registry.register(
            "ingest_bytes",
            "Plaintext bytes acknowledged as durable",
            self.ingest_bytes.clone(),
        );
        registry.register(
            "ingest_chunks",
            "Chunks acknowledged as durable",
            self.ingest_chunks.clone(),
        );
        registry.register("sealed", "Evidence sealed", self.sealed.clone());
        registry.register(
            "uploads_running",
            "Uploads that are running now",
            self.uploads_running.clone(),
        );
        registry.register(
            "missing_shards",
            "Shards missing when their chunk was acknowledged",
            self.missing_shards.clone(),
        );
        registry.register(
            "playback_bytes",
            "Plaintext bytes streamed to players",
            self.playback_bytes.clone(),
        );
        registry.register(
            "streams_running",
            "Streams that are running now",
            self.streams_running.clone(),
        );
        registry.register(
            "degraded_reads",
            "Chunks rebuilt because a data shard was missing, slow or corrupt",
            self.degraded_reads.clone(),
        );
        registry.register(
            "corrupt_shards",
            "Shards found corrupt while reading",
            self.corrupt_shards.clone(),
        );
        registry.register(
            "spare_shards",
            "Shards written to another disk than their home",
            self.spare_shards.clone(),
        );
        registry.register(
            "suspect_stores",
            "Stores that are spared now because they are slow, full or out of reach",
            self.suspect_stores.clone(),
        );
        registry.register(
            "hedged_reads",
            "Second reads started because a first one was slow",
            self.hedged_reads.clone(),
        );
        registry.register(
            "repaired_shards",
            "Shards put back after a read found them missing or corrupt",
            self.repaired_shards.clone(),
        );
        registry.register(
            "repairs_failed",
            "Repairs after a read that did not work out",
            self.repairs_failed.clone(),
        );
        registry.register(
            "repairs_dropped",
            "Repairs after a read that were not queued because too many waited",
            self.repairs_dropped.clone(),
        );
    }
}

/// Counts one up while it lives.
pub(crate) struct RunningGuard(Gauge);

impl RunningGuard {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
