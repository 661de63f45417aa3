//! The gateway: turns a stream of footage into sealed, erasure-coded chunks on the shard stores,
//! and back into frames that the player can prove.
//!
//! Owns the data path between the public API and the ports. Keeps nothing that a crash loses: an
//! upload's progress is what the shard stores can show. Must not know disks, RocksDB or openraft.
//!
//! Enter at [`upload`] for the write path (a chunk is sealed in `upload/mod.rs`), at [`playback`]
//! for the read path, at [`services`] for the gRPC faces, and at [`Gateway`] to build one.

mod buffers;
mod context;
mod error;
mod identity;
mod metrics;
pub mod playback;
pub mod services;
pub mod upload;

pub use context::{Gateway, GatewayDeps, GatewayOptions};
pub use error::GatewayError;
pub use metrics::GatewayMetrics;
