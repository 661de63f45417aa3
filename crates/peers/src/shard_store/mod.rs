//! Shards on the disks of other nodes.

mod deadlines;
mod listing;
mod remote;
mod session;
mod transfer;

pub use deadlines::Deadlines;
pub use remote::RemoteShardStore;
