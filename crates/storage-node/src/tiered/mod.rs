//! A disk in two parts: a folder for young shards (hot) and a bucket for old ones (cold). It looks
//! like one store.
//!
//! A shard only ever goes from hot to cold: copied, read back and checked there, and then removed
//! from the folder.

mod age;
mod merge;
mod mover;
#[cfg(test)]
mod tests;
mod tiered_store;

pub(crate) use mover::{Mover, MoverHandle};
pub(crate) use tiered_store::TieredStore;
