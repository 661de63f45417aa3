//! What an administrator may set: read from a file with every mistake in it named by line
//! ([`load`]), resolved to values that cannot be wrong any more ([`ServerConfig`]), and printed
//! again ([`effective()`]).

mod effective;
mod error;
mod read;
mod read_group;
mod read_storage;
mod resolved;
mod table_reader;

pub use effective::effective;
pub use error::{ConfigError, ConfigMistake, ConfigProblem};
pub use read::{load, parse};
pub use resolved::{
    BucketConfig, ColdConfig, DiskConfig, GatewayConfig, GroupConfig, LogFormat, LogOptions,
    MetaConfig, Process, ScrubConfig, ServerConfig, StorageConfig, TelemetryOptions, TlsFiles,
};
