use serde::Serialize;

/// What a baseline measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Measure {
    Memcpy,
    Blake3,
    Sha256,
    Aes256Gcm,
    Parity,
    Seal,
    Open,
    OpenDegraded,
    DiskWrite,
    GrpcUpTls,
    GrpcUpPlain,
    GrpcDownTls,
    GrpcDownPlain,
}

impl Measure {
    /// As tables name it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Memcpy => "memcpy, 8 MiB",
            Self::Blake3 => "BLAKE3, 64 KiB subtrees of 8 MiB",
            Self::Sha256 => "SHA-256, resumable",
            Self::Aes256Gcm => "AES-256-GCM, 64 KiB frames",
            Self::Parity => "Reed-Solomon 4+2 parity, 2 MiB shards",
            Self::Seal => "codec: seal a chunk of 8 MiB, 4+2",
            Self::Open => "codec: open it",
            Self::OpenDegraded => "codec: open it, two data shards lost",
            Self::DiskWrite => "disk: 6 files, 2 MiB write + fdatasync",
            Self::GrpcUpTls => "raw gRPC stream up, TLS",
            Self::GrpcUpPlain => "raw gRPC stream up, plain",
            Self::GrpcDownTls => "raw gRPC stream down, TLS",
            Self::GrpcDownPlain => "raw gRPC stream down, plain",
        }
    }
}
