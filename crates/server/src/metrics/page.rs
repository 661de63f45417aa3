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
use custos_ports::ShardStore;
use futures::future::join_all;
use prometheus_client::{encoding::text::encode, registry::Registry};
use tokio::{net::TcpListener, time::timeout};

use super::{disks::DiskMetrics, ledger::LedgerMetrics, process::ProcessMetrics};

/// A disk that does not answer within this time is shown as out of service.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the metrics page is made of.
pub(crate) struct MetricsPage {
    registry: Registry,
    stores: Vec<Arc<dyn ShardStore>>,
    ledger: MetaStoreHandle,
    disk_metrics: DiskMetrics,
    ledger_metrics: LedgerMetrics,
    process_metrics: ProcessMetrics,
}

impl MetricsPage {
    pub(crate) fn new(
        gateway: &GatewayMetrics,
        stores: Vec<Arc<dyn ShardStore>>,
        ledger: MetaStoreHandle,
        started: Timestamp,
    ) -> Self {
        let mut registry = Registry::default();
        gateway.register(&mut registry);
        let disk_metrics = DiskMetrics::default();
        disk_metrics.register(&mut registry);
        let ledger_metrics = LedgerMetrics::default();
        ledger_metrics.register(&mut registry);
        let process_metrics = ProcessMetrics::default();
        process_metrics.register(&mut registry, started);
        Self { registry, stores, ledger, disk_metrics, ledger_metrics, process_metrics }
    }

    async fn text(&self) -> Result<String, std::fmt::Error> {
        let asking = self.stores.iter().map(|store| timeout(STATUS_TIMEOUT, store.status()));
        for (number, status) in join_all(asking).await.into_iter().enumerate() {
            self.disk_metrics.set(number, status.ok().as_ref());
        }
        self.ledger_metrics.set(self.ledger.status().as_ref());
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
