use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use custos_core::Timestamp;
use custos_gateway::GatewayMetrics;
use custos_metastore::MetaStoreHandle;
use custos_storage_node::LocalNode;
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{net::TcpListener, time::timeout};

use super::{disks::DiskMetrics, ledger::LedgerMetrics, process::ProcessMetrics};

/// Longest wait for what the disks say of themselves.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the metrics page is made of: a part for each role of the process.
pub(crate) struct MetricsPage {
    registry: Registry,
    storage: Option<(LocalNode, DiskMetrics)>,
    ledger: Option<(MetaStoreHandle, LedgerMetrics)>,
    process_metrics: ProcessMetrics,
}

impl MetricsPage {
    pub(crate) fn new(
        gateway: Option<&GatewayMetrics>,
        storage: Option<LocalNode>,
        ledger: Option<MetaStoreHandle>,
        started: Timestamp,
    ) -> Self {
        let mut registry = Registry::default();
        if let Some(gateway) = gateway {
            gateway.register(&mut registry);
        }
        let storage = storage.map(|node| (node, DiskMetrics::default()));
        if let Some((_, metrics)) = &storage {
            metrics.register(&mut registry);
        }
        let ledger = ledger.map(|ledger| (ledger, LedgerMetrics::default()));
        if let Some((_, metrics)) = &ledger {
            metrics.register(&mut registry);
        }
        let process_metrics = ProcessMetrics::default();
        process_metrics.register(&mut registry, started);
        Self { registry, storage, ledger, process_metrics }
    }

    async fn text(&self) -> Result<String, std::fmt::Error> {
        if let Some((node, metrics)) = &self.storage {
            // Disks that do not answer now keep what they said last.
            if let Ok(status) = timeout(STATUS_TIMEOUT, node.status()).await {
                metrics.set(&status.disks);
            }
        }
        if let Some((ledger, metrics)) = &self.ledger {
            metrics.set(ledger.status().as_ref());
        }
        self.process_metrics.refresh();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Serves the page as `GET /metrics` until `stop` resolves.
pub(crate) async fn serve(
    listener: TcpListener,
    page: MetricsPage,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = Router::new().route("/metrics", get(show)).with_state(Arc::new(page));
    axum::serve(listener, app).with_graceful_shutdown(stop).await
}

async fn show(State(page): State<Arc<MetricsPage>>) -> Response {
    match page.text().await {
        Ok(text) => ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
