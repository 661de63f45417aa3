//! Connections to the other nodes of a cluster, and how shards, commands and failures travel on
//! them.
//!
//! Owns the channels to `custos.internal.v1`, the conversions that both ends share, and the remote
//! sides of four ports: [`RemoteShardStore`], [`RemoteLedger`], [`ClusterPeers`] and
//! [`GroupTransport`]. Must not know
//! disks, the law, or who serves. Enter at [`ClusterPeers`] for shards and at [`RemoteLedger`] for
//! the law; a server starts at [`convert`], [`failure`] and [`system_actor_of`].

mod causes;
mod channels;
mod cluster;
pub mod convert;
mod error;
pub mod failure;
#[cfg(feature = "fakes")]
pub mod fakes;
mod group;
mod group_stream;
mod identity;
mod jitter;
mod ledger;
pub mod limits;
pub mod payload;
mod shard_store;

pub use channels::{Channels, PeerTls};
pub use cluster::{ClusterOptions, ClusterPeers, NodeClient};
pub use error::PeerError;
pub use group::{GroupTransport, Joined};
pub use identity::{Caller, actor_of, system_actor_of};
pub use ledger::{BackupParts, RemoteLedger, RemoteLedgerOptions};
pub use shard_store::{Deadlines, RemoteShardStore};
