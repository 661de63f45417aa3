//! The Raft log on disk: entries, vote and marks, in one RocksDB whose writes go through one
//! worker thread in the order they were asked for. The newest entries are kept in memory too.

mod first_vote;
mod keys;
mod store;
mod tail;
mod worker;

pub(crate) use first_vote::write_first_vote;
pub(crate) use store::LogStore;
