//! Development mode: everything in one folder, its own certificate authority included.
//!
//! Only resolves to a [`ServerConfig`] and makes the certificates and `client.toml`; the node
//! itself is the same as any other.

mod authority;
mod certificate_authority;
mod certificates;
mod client_config;

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use custos_core::{ChunkSize, ErasureProfile, Labels};
use custos_gateway::CertificateAuthority;
use custos_ledger::{IncompleteDescriptor, Policy, RETENTION_DAYS_MIN};
use custos_ports::Clock;

pub use certificates::CertificateError;

use certificate_authority::DevAuthority;

use crate::{
    Sockets, StartError,
    config::{
        DiskConfig, GatewayConfig, MetaConfig, ScrubConfig, ServerConfig, StorageConfig, TlsFiles,
    },
    data_dir::DataDir,
};

/// Names the custody logs of development clusters.
const CLUSTER_NAME: &str = "custos.dev";
/// Folder of the certificates and their keys.
const TLS_FOLDER: &str = "tls";
/// The one storage node of a development cluster.
const NODE_NAME: &str = "dev";

/// What development mode lets its user choose.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// Folder that holds everything.
    pub data: PathBuf,
    /// Address of the gRPC services.
    pub listen: SocketAddr,
    /// Address of the metrics page.
    pub metrics_listen: Option<SocketAddr>,
    /// Days that the cluster's clock runs ahead of this machine's.
    pub days_ahead: u32,
    /// Erasure profile; there are as many disk folders as it has shards.
    pub profile: ErasureProfile,
}

/// The configuration of a development node in `data_dir`.
#[must_use]
pub fn configuration(data_dir: &DataDir, options: &DevOptions) -> ServerConfig {
    let dir = data_dir.path();
    let DevOptions { listen, metrics_listen, profile, .. } = *options;
    let disk =
        |number| DiskConfig::Folder { path: dir.join(format!("disks/{number}")), cold: None };
    ServerConfig {
        data_dir: dir.to_owned(),
        listen,
        metrics_listen,
        tls: TlsFiles {
            ca: dir.join("tls/ca.pem"),
            certificate: dir.join("tls/server.pem"),
            key: dir.join("tls/server.key.pem"),
        },
        meta_endpoints: Vec::new(),
        meta: Some(MetaConfig {
            cluster_name: CLUSTER_NAME.to_owned(),
            policy: Policy {
                incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
                retention_days_av: RETENTION_DAYS_MIN,
                retention_days_other: RETENTION_DAYS_MIN,
            },
            profile,
            expect_nodes: 1,
            group: None,
        }),
        storage: Some(StorageConfig {
            name: NODE_NAME.to_owned(),
            endpoint: Some(String::new()),
            labels: Labels { host: NODE_NAME.to_owned(), ..Labels::default() },
            disks: (0..profile.total()).map(disk).collect(),
            scrub: ScrubConfig::default(),
        }),
        gateway: Some(GatewayConfig {
            profile,
            chunk_size: ChunkSize::DEFAULT,
            key_file: dir.join("keys/kek"),
        }),
    }
}

/// Makes the certificates that are missing, about to expire or for another address, and writes
/// `client.toml`, which tells clients how to reach a server on these sockets.
///
/// # Errors
/// When the file system fails, or a key that is there is damaged.
pub fn prepare(data_dir: &DataDir, sockets: &Sockets, clock: &dyn Clock) -> Result<(), StartError> {
    let address = sockets.api_address().map_err(StartError::Address)?;
    let dir = data_dir.path();
    certificates::prepare(&dir.join(TLS_FOLDER), address.ip(), clock.now())?;
    client_config::write(&dir.join("client.toml"), address).map_err(CertificateError::from)?;
    Ok(())
}

/// The certificate authority of a folder that was [prepared](prepare), for its gateway.
///
/// # Errors
/// When the file system fails, or the key that is there is damaged.
pub fn certificate_authority(
    data_dir: &DataDir,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn CertificateAuthority>, StartError> {
    let authority = DevAuthority::open(&data_dir.path().join(TLS_FOLDER), clock)?;
    Ok(Arc::new(authority))
}
