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
