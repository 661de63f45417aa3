//! The replicated ledger on machines that fail, tried with one seed after the other.
//!
//! A [`world`] is a group of nodes in one thread with virtual time: the production command queue
//! and read barrier on openraft, over a simulated [`disk`] that loses what was not synced, and a
//! [`fabric`] that loses, delays, repeats and cuts. [`clients`] use it, a [`nemesis`] makes trouble
//! until all of it is healed, and the [`invariants`] judge the [`history`]. The same seed gives the
//! same [`trace`], to the byte. [`plant`] has bugs that must be found.

mod clients;
mod clock;
mod disk;
mod fabric;
mod group;
mod history;
mod invariants;
mod log_store;
mod machine;
mod messages;
mod nemesis;
mod node;
mod plant;
mod plant_tests;
mod random;
mod runtime;
mod seed_tests;
mod snapshot_files;
mod trace;
mod transport;
mod world;

pub(crate) use runtime::{LedgerRuntime, spawn, spawn_blocking, wait_for};

/// Origin line of every simulated cluster.
const ORIGIN: &str = "custos.simulated/0123abcd";
