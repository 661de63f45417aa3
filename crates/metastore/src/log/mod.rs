//! The Raft log on disk: entries, vote and marks, in one RocksDB whose writes go through one
//! worker thread in the order they were asked for. The newest entries are kept in memory too.

mod keys;
mod store;
mod tail;
mod worker;

pub(crate) use store::LogStore;
