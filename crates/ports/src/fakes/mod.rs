//! Stand-ins for tests and simulation. The ledger is the real law on a map in memory; the shard
//! store keeps real bytes and fails in the ways that [`Fault`] names. [`conformance`] holds every shard
//! store, fake or real, to the same promises.

mod cluster;
pub mod conformance;
mod ledger;
mod machine;
mod shard_store;

pub use cluster::MemoryCluster;
pub use ledger::MemoryLedger;
pub use machine::{CountingEntropy, FixedClock, PlainKeyRing, SetClock};
pub use shard_store::{Fault, MemoryShardStore};
