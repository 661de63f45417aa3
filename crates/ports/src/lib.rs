//! The ports: traits through which the upper layers reach time, entropy, keys, shards and the
//! ledger, so that each can be served by the real thing or by a simulation.
//!
//! Owns no implementation. Must not know RocksDB, openraft, tonic or a file system. Enter at
//! [`ShardStore`] for bytes and at [`Ledger`] for the law.

mod clock;
mod entropy;
#[cfg(feature = "fakes")]
pub mod fakes;
mod key_ring;
mod ledger;
mod shard_store;

pub use clock::Clock;
pub use entropy::Entropy;
pub use key_ring::{KeyRing, KeyRingError};
pub use ledger::{Ledger, LedgerError};
pub use shard_store::{
    RemovalOrder, RemovalReason, ShardEntry, ShardError, ShardKey, ShardPage, ShardRead,
    ShardStore, ShardWrite, StoreStatus,
};
