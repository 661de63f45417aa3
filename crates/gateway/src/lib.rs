//! The gateway: turns a stream of footage into sealed, erasure-coded chunks on the shard stores,
//! and back into frames that the player can prove.
//!
//! Owns the data path between the public API and the ports. Keeps nothing that a crash loses: an
//! upload's progress is what the shard stores can show. Must not know disks, RocksDB or openraft.
//!
//! Enter at [`upload`] for the write path (a chunk is sealed in `upload/mod.rs`), at [`playback`]
//! for the read path, at [`services`] for the gRPC faces, and at [`Gateway`] to build one. How stores
//! are used and judged is in `stores/`, where shards belong in `homes.rs`, and how ordered ends are
//! carried out in `steward.rs`.

mod buffers;
mod context;
mod error;
mod homes;
mod law;
mod meta_admin;
mod metrics;
mod node_admin;
pub mod operation;
pub mod playback;
pub mod services;
mod steward;
mod stores;
mod strays;
pub mod upload;
mod vault_choice;

pub use context::{Gateway, GatewayDeps, GatewayOptions};
pub use error::GatewayError;
pub use law::{CertificateAuthority, CheckedRecording, SignedCertificate};
pub use meta_admin::MetaAdmin;
pub use metrics::GatewayMetrics;
pub use node_admin::NodeAdmin;
