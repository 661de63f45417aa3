//! The read path: a byte range in, proven frames out.

mod fetch;
mod latency;
mod rebuild;
mod view;

pub(crate) use fetch::ChunkSource;
pub(crate) use latency::LatencyWindow;
pub use view::{View, ViewRequest};
