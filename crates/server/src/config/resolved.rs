use std::{net::SocketAddr, path::PathBuf};

use custos_core::{ChunkSize, ErasureProfile, Labels};
use custos_ledger::Policy;

/// Everything that one `custosd` process is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What it serves and from where.
    pub server: ServerConfig,
    /// What it says.
    pub log: LogOptions,
    /// Whom it tells about its spans.
    pub telemetry: TelemetryOptions,
}

/// What a process serves and where it keeps it. At least one role is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Folder of the ledger and of the process's own identity.
    pub data_dir: PathBuf,
    /// Address of the gRPC services; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the metrics page, in plain HTTP and open to whoever reaches it.
    pub metrics_listen: Option<SocketAddr>,
    /// Certificates of the gRPC services; between the processes of a cluster, clients' too.
    pub tls: TlsFiles,
    /// Where the ledger is; empty when it is in this process.
    pub meta_endpoints: Vec<String>,
    /// The ledger.
    pub meta: Option<MetaConfig>,
    /// Shards on disks.
    pub storage: Option<StorageConfig>,
    /// Ingest, playback, catalogue, operation.
    pub gateway: Option<GatewayConfig>,
}

impl ServerConfig {
    /// Profile of the vault that this process makes of its own disks: it is a cluster alone.
    #[must_use]
    pub fn own_vault_profile(&self) -> Option<ErasureProfile> {
        let meta = self.meta.as_ref()?;
        (self.storage.is_some() && meta.expect_nodes == 1).then_some(meta.profile)
    }
}

/// The role `meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaConfig {
    /// First part of the custody log's origin line; fixed at the first start.
    pub cluster_name: String,
    /// Parameters of the rules at the beginning of the cluster; later the ledger's own count.
    pub policy: Policy,
    /// Erasure profile of the first vaults.
    pub profile: ErasureProfile,
    /// The first vaults are made once so many storage nodes have registered.
    pub expect_nodes: u32,
    /// The group that keeps the ledger; without it, this process keeps it alone.
    pub group: Option<GroupConfig>,
}

/// How a process is a member of the ledger's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupConfig {
    /// Name that people use, unique in the group.
    pub name: String,
    /// Address of the port that serves the other members and nobody else.
    pub listen: SocketAddr,
    /// Where they reach it. Fixed once there are others.
    pub endpoint: String,
    /// Members that take it in; empty for the first one.
    pub join: Vec<String>,
}

/// The role `storage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// Name that people use, unique in the cluster.
    pub name: String,
    /// Where others reach this process; where it listens when `None`. Empty: only itself does.
    pub endpoint: Option<String>,
    /// Where it stands.
    pub labels: Labels,
    /// Its disks.
    pub disks: Vec<DiskConfig>,
    /// Pace of the scrub.
    pub scrub: ScrubConfig,
}

/// One disk of a storage node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskConfig {
    /// A folder.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Where shards of some age go, if anywhere.
        cold: Option<ColdConfig>,
    },
    /// An S3-compatible bucket alone.
    Bucket(BucketConfig),
}

/// Where the old shards of a folder go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColdConfig {
    /// The bucket.
    pub bucket: BucketConfig,
    /// Age in days from which a shard goes there; 0 is as soon as it is written.
    pub after_days: u32,
}

/// An S3-compatible bucket, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketConfig {
    /// Address of the service; the provider's own when `None`.
    pub endpoint: Option<String>,
    /// Region.
    pub region: String,
    /// Name of the bucket.
    pub bucket: String,
    /// Everything of this disk lies under it, without a slash at the end.
    pub prefix: String,
    /// The bucket is named in the path and not in the host name.
    pub path_style: bool,
    /// Credentials come from wherever the SDK looks (files, instance metadata); otherwise from
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` alone.
    pub default_chain: bool,
    /// Share of new vaults of a disk that is this bucket alone, 1 for each GiB; what the storage
    /// node takes for buckets when `None`.
    pub weight: Option<u32>,
}

/// Pace of the scrub; it can be changed while the node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScrubConfig {
    /// Bytes that each disk reads in a second at most.
    pub bytes_per_second: u64,
    /// Every shard is checked once in so many days.
    pub period_days: u32,
}

impl Default for ScrubConfig {
    /// 20 MiB each second, every shard in 30 days.
    fn default() -> Self {
        Self { bytes_per_second: 20 << 20, period_days: 30 }
    }
}

/// The role `gateway`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Erasure profile of uploads that name none.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// File of the key-encryption key: the same for all gateways.
    pub key_file: PathBuf,
}

/// PEM files of one TLS endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Authority that client certificates must be signed by.
    pub ca: PathBuf,
    /// The server's certificate chain, its own first.
    pub certificate: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The name used in configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// The format with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Json].into_iter().find(|format| format.name() == name)
    }
}

/// What goes to stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// How lines look.
    pub format: LogFormat,
    /// A `tracing` filter such as `info` or `info,custos_gateway=debug`; `$CUSTOS_LOG` overrides.
    pub level: String,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// Where spans are exported to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TelemetryOptions {
    /// An OTLP gRPC collector, such as `http://127.0.0.1:4317`; none exports nothing.
    pub otlp_endpoint: Option<String>,
}
