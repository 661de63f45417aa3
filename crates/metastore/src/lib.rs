//! The replicated ledger: `custos_ledger`'s law on a Raft log, both on RocksDB.
//!
//! Owns the Raft log, the vote, the state database, snapshots, the queue in front of the leader
//! and linearizable reads (invariants I1 and I6 for metadata). Must not know what a command means,
//! nor sockets, nor wall clocks: time comes through the `Clock` port and is stamped on each batch.
//! No type of openraft or RocksDB is public, so that nothing above depends on either, or on how
//! many nodes there are. Bytes on disk: `docs/formats/metastore.md`.
//!
//! Enter at [`MetaStore::open`], which gives a [`MetaStoreHandle`]: an implementation of
//! `custos_ports::Ledger`, and of `custos_ports::PeerInbox` for what other members send. Inside, a
//! command's way is `router` (who leads?) → `commands` (batching) → `log` (durable) → `state`
//! (applied), and a query's is `router` → `reads` (is the state current?) → `state`. What goes
//! between members is in `network`, changes of the group in `members`, and who stands for election
//! in `elections`. A backup is taken through [`MetaStoreHandle::export`] and becomes a node again
//! through [`RestoreDraft`].

mod cluster_time;
mod commands;
#[cfg(test)]
mod conformance;
mod dir_lock;
mod durable;
mod elections;
mod error;
mod export;
mod fault;
mod handle;
mod identity;
mod leadership;
mod log;
mod members;
mod metastore;
mod network;
mod options;
mod proto;
mod raft_types;
mod reads;
mod records;
mod recovery;
mod restore;
mod rocks;
mod router;
mod services;
#[cfg(test)]
mod simulation;
mod state;
mod state_floor;
mod status;
mod tasks;

pub use error::OpenError;
pub use export::{ExportedFile, LedgerExport, LogPosition};
pub use handle::{GroupMember, MetaStoreHandle};
pub use metastore::MetaStore;
pub use network::MemberStatus;
pub use options::{Beginning, GroupOptions, Options};
pub use restore::{RestoreDraft, RestoredState};
pub use status::{MetaStoreStatus, NodeRole};
