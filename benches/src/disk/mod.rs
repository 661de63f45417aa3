//! One disk of the shard store alone, beside the raw disk: how fast it takes shards, and how soon
//! it serves again after a stop.

mod open;
mod raw;
mod store;
mod write;

pub(crate) use open::open;
pub(crate) use write::write;
