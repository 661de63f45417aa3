//! The Raft log on disk: entries, vote and marks, in one RocksDB whose writes go through one
//! worker thread in the order they were asked for.

mod keys;
mod store;
mod worker;

pub(crate) use store::LogStore;
