//! Wires the roles of one process together: the only place where ports meet real things.

use std::{sync::Arc, time::Duration};

use custos_gateway::{Gateway, GatewayDeps, GatewayMetrics, GatewayOptions, services};
use custos_metastore::MetaStoreHandle;
use custos_ports::{Clock, Entropy};
use tonic::transport::{Server as GrpcServer, server::Router};
use tonic_health::server::HealthReporter;
use tracing::info_span;

use crate::{
    Server, StartError,
    config::ServerConfig,
    data_dir::{DataDir, Identity, LEDGER_FOLDER, Stage},
    disks::Disks,
    keys::LocalKeyRing,
    ledger_start,
    metrics::MetricsPage,
    sockets::Sockets,
    tls::{self, TlsError},
};

/// Bytes that one stream may send before the gateway has taken them: enough for a fast link.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// Bytes that all streams of one connection together may.
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// Largest HTTP/2 frame.
const FRAME_BYTES_MAX: u32 = 1 << 20;
/// Most streams of one connection; more wait at the client.
const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// A silent connection is asked for a sign of life this often,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// and closed when it gives none for this long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server is given beside its configuration.
pub struct ServerDeps {
    /// Real time, or a simulation's.
    pub clock: Arc<dyn Clock>,
    /// Real randomness, or a simulation's.
    pub entropy: Arc<dyn Entropy>,
    /// The data folder, locked for this process.
    pub data_dir: DataDir,
    /// Who the node in that folder is.
    pub identity: Identity,
    /// The sockets to serve on.
    pub sockets: Sockets,
}

/// Opens disks and ledger and wires all roles to them. What it returns is ready to serve.
///
/// # Errors
/// See [`StartError`]; everything that was opened is closed again.
///
/// # Panics
/// When the manifest was changed while it ran.
pub async fn build(config: ServerConfig, deps: ServerDeps) -> Result<Server, StartError> {
    let tls = tls::server_config(&config.tls)?;
    // Made before anything is opened: a bad certificate stops the start early.
    let mut grpc = grpc_server().tls_config(tls).map_err(|error| TlsError::Unusable {
        files: config.tls.clone(),
        reason: reason_of(&error),
    })?;
    // Most clients in the field still ask for the older version of the protocol.
    let reflection = reflection_builder().build_v1().map_err(StartError::Reflection)?;
    let older_reflection = reflection_builder().build_v1alpha().map_err(StartError::Reflection)?;
    let address = deps.sockets.api_address().map_err(StartError::Address)?;

    let ServerDeps { clock, entropy, data_dir, identity, sockets } = deps;
    let disks = Disks::open(&config.disks, &identity.manifest.disks, identity.stage).await?;
    let ledger = match settle(&config, &data_dir, &identity, &clock, &*entropy).await {
        Ok(ledger) => ledger,
        Err(error) => {
            disks.close().await;
            return Err(error);
        }
    };

    let metrics = GatewayMetrics::default();
    let page = MetricsPage::new(&metrics, disks.stores(), ledger.clone(), clock.now());
    let Identity { kek, manifest, .. } = identity;
    let gateway_deps = GatewayDeps {
        ledger: Arc::new(ledger.clone()),
        stores: disks.stores(),
        key_ring: Arc::new(LocalKeyRing::new(kek, entropy.clone())),
        entropy,
        clock,
        metrics,
    };
    let options = GatewayOptions {
        profile: config.profile,
        chunk_size: config.chunk_size,
        ..GatewayOptions::default()
    };
    let gateway = Gateway::new(options, gateway_deps);
    let (health, health_service) = tonic_health::server::health_reporter();
    let router =
        grpc.add_service(health_service).add_service(reflection).add_service(older_reflection);
    let router = add_services(router, gateway, &health).await;
    tracing::info!(
        origin = %manifest.origin, profile = %manifest.profile, dir = %data_dir.path().display(),
        "node is up"
    );
    Ok(Server { router, health, address, sockets, page, disks, ledger, data_dir })
}

/// Opens the ledger and, at a first start, makes the node's identity final.
async fn settle(
    config: &ServerConfig,
    data_dir: &DataDir,
    identity: &Identity,
    clock: &Arc<dyn Clock>,
    entropy: &(dyn Entropy + 'static),
) -> Result<MetaStoreHandle, StartError> {
    let dir = data_dir.path().join(LEDGER_FOLDER);
    let ledger =
        ledger_start::start(&dir, identity, &config.policy, clock.clone(), entropy).await?;
    if identity.stage == Stage::Beginning
        && let Err(error) = identity.manifest.save(data_dir.path())
    {
        ledger.shutdown().await;
        return Err(error.into());
    }
    Ok(ledger)
}

async fn add_services(router: Router, gateway: Gateway, health: &HealthReporter) -> Router {
    let ingest = services::ingest(gateway.clone());
    let playback = services::playback(gateway.clone());
    let catalogue = services::catalogue(gateway.clone());
    let custody = services::custody(gateway);
    set_serving(health, &ingest).await;
    set_serving(health, &playback).await;
    set_serving(health, &catalogue).await;
    set_serving(health, &custody).await;
    router.add_service(ingest).add_service(playback).add_service(catalogue).add_service(custody)
}

/// The service's type cannot be named, so that a reference to it stands for it.
async fn set_serving<S: tonic::server::NamedService>(health: &HealthReporter, _service: &S) {
    health.set_serving::<S>().await;
}

fn grpc_server() -> GrpcServer {
    GrpcServer::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .concurrency_limit_per_connection(STREAMS_PER_CONNECTION_MAX as usize)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .trace_fn(|request| info_span!("rpc", path = %request.uri().path()))
}

fn reason_of(error: &dyn std::error::Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

fn reflection_builder() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(custos_wire::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
