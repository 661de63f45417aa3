//! The read path: a byte range in, proven frames out.

mod fetch;
mod grant_watch;
mod hedge_budget;
mod latency;
mod on_record;
mod rebuild;
mod repair;
mod shard_reads;
mod source;
mod view;

pub use grant_watch::GrantWatch;
pub(crate) use hedge_budget::HedgeBudget;
pub(crate) use latency::LatencyWindow;
pub(crate) use repair::Repairs;
pub(crate) use source::{ChunkSource, Upkeep};
pub use view::{View, ViewRequest};
