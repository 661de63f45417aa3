use std::{net::SocketAddr, path::PathBuf};

use custos_core::{ChunkSize, ErasureProfile};
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

/// What a server serves and where it keeps it. All roles run in this one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Folder of the ledger and of the node's own identity.
    pub data_dir: PathBuf,
    /// Address of the gRPC services; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the metrics page, in plain HTTP and open to whoever reaches it.
    pub metrics_listen: Option<SocketAddr>,
    /// Certificates of the gRPC services.
    pub tls: TlsFiles,
    /// One folder per disk, in the order of the vault's slots; as many as the profile has shards.
    pub disks: Vec<PathBuf>,
    /// Erasure profile of uploads that name none.
    pub profile: ErasureProfile,
    /// Plaintext bytes of a chunk.
    pub chunk_size: ChunkSize,
    /// Parameters of the rules at the beginning of the cluster; later the ledger's own count.
    pub policy: Policy,
    /// File of the key-encryption key; made at the first start when it is not there.
    pub key_file: PathBuf,
    /// First part of the custody log's origin line; fixed at the first start.
    pub cluster_name: String,
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
