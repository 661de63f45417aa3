//! The ports: traits through which the upper layers reach time, entropy, keys, shards and the
//! ledger, so that each can be served by the real thing or by a simulation.
//!
//! Owns no implementation. Must not know RocksDB, openraft, tonic or a file system. Enter at
//! [`ShardStore`] for bytes and at [`Ledger`] for the law.

mod clock;
mod cluster;
mod disk;
mod entropy;
#[cfg(feature = "fakes")]
pub mod fakes;
mod key_ring;
mod ledger;
mod offline;
mod peer_transport;
mod shard_store;

pub use clock::Clock;
pub use cluster::Cluster;
pub use disk::{Disk, DiskFile, DiskSpace, FileAccess};
pub use entropy::Entropy;
pub use key_ring::{KeyRing, KeyRingError};
pub use ledger::{Ledger, LedgerError};
pub use offline::OfflineStore;
pub use peer_transport::{MetaPeer, PeerFault, PeerInbox, PeerLane, PeerTransport};
pub use shard_store::{ShardError, ShardStore};

pub use custos_core::{
    Quarantined, RemovalOrder, RemovalReason, ShardEntry, ShardKey, ShardPage, ShardRead,
    ShardWrite, StoreStatus, WritePurpose,
};
