//! The gRPC server of a process: its limits, and which services it has.

use std::time::Duration;

use custos_gateway::{Gateway, services};
use custos_meta_node::{GroupService, MetaService};
use custos_storage_node::ShardService;
use custos_wire::internal_v1::{meta_server::MetaServer, shard_server::ShardServer};
use tonic::{
    server::NamedService,
    transport::{Server as GrpcServer, server::Router},
};
use tonic_health::server::HealthReporter;
use tracing::info_span;

use crate::{
    StartError,
    config::TlsFiles,
    tls::{self, TlsError},
};

/// Bytes that one stream may send before they are taken: enough for a fast link.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// Bytes that all streams of one connection together may.
const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// Largest HTTP/2 frame.
const FRAME_BYTES_MAX: u32 = 1 << 20;
/// Most streams of one connection; more wait at the client.
const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// A silent connection is asked for a sign of life this often,
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// and closed when it gives none for this long.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// The services of a process as they come together.
pub(crate) struct Services {
    router: Router,
    health: HealthReporter,
}

impl Services {
    /// Health, and reflection of the public services where there are any.
    pub(crate) fn new(files: &TlsFiles, has_gateway: bool) -> Result<Self, StartError> {
        let tls = tls::server_config(files)?;
        let mut grpc = grpc_server().tls_config(tls).map_err(|error| TlsError::Unusable {
            files: files.clone(),
            reason: reason_of(&error),
        })?;
        let (health, health_service) = tonic_health::server::health_reporter();
        // Most clients in the field still ask for the older version of the protocol.
        let newer = reflection(has_gateway).build_v1().map_err(StartError::Reflection)?;
        let older = reflection(has_gateway).build_v1alpha().map_err(StartError::Reflection)?;
        let router = grpc.add_service(health_service).add_service(newer).add_service(older);
        Ok(Self { router, health })
    }

    /// The ledger, for the other processes of the cluster.
    pub(crate) async fn add_meta(self, meta: MetaServer<MetaService>) -> Self {
        let Self { router, health } = self;
        set_serving(&health, &meta).await;
        Self { router: router.add_service(meta), health }
    }

    /// The disks, for the other processes of the cluster.
    pub(crate) async fn add_storage(self, shard: ShardServer<ShardService>) -> Self {
        let Self { router, health } = self;
        set_serving(&health, &shard).await;
        Self { router: router.add_service(shard), health }
    }

    /// What clients talk to.
    pub(crate) async fn add_gateway(self, gateway: Gateway) -> Self {
        let Self { router, health } = self;
        let ingest = services::ingest(gateway.clone());
        let playback = services::playback(gateway.clone());
        let catalogue = services::catalogue(gateway.clone());
        let custody = services::custody(gateway.clone());
        let law = services::law(gateway.clone());
        let cluster = services::cluster(gateway);
        set_serving(&health, &ingest).await;
        set_serving(&health, &playback).await;
        set_serving(&health, &catalogue).await;
        set_serving(&health, &custody).await;
        set_serving(&health, &law).await;
        set_serving(&health, &cluster).await;
        let router = router
            .add_service(ingest)
            .add_service(playback)
            .add_service(catalogue)
            .add_service(custody)
            .add_service(law)
            .add_service(cluster);
        Self { router, health }
    }

    pub(crate) fn into_parts(self) -> (Router, HealthReporter) {
        (self.router, self.health)
    }
}

/// What the members of the ledger's group serve to each other, on a port of its own.
pub(crate) fn group_router(files: &TlsFiles, service: GroupService) -> Result<Router, TlsError> {
    let tls = tls::server_config(files)?;
    let mut grpc = grpc_server()
        .tls_config(tls)
        .map_err(|error| TlsError::Unusable { files: files.clone(), reason: reason_of(&error) })?;
    Ok(grpc.add_service(service.into_server()))
}

/// The service's type cannot be named, so that a reference to it stands for it.
async fn set_serving<S: NamedService>(health: &HealthReporter, _service: &S) {
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

/// What processes of a cluster serve to each other is not shown.
fn reflection(has_gateway: bool) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    if has_gateway {
        builder.register_encoded_file_descriptor_set(custos_wire::FILE_DESCRIPTOR_SET)
    } else {
        builder
    }
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
