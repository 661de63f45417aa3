//! The law: what may be done to evidence, and the record that it was done.
//!
//! Owns [`apply`], [`query`], the custody log's tree and the persisted bytes of all of them. Must
//! not know any I/O, clock, randomness or async: the state is an ordered [`Kv`], time and salts
//! come in, outcomes and refusals go out. Enter at `apply`.

mod command;
mod kv;

pub use command::{
    Answer, ClusterInfo, Command, ConsistencyProof, Envelope, IncompleteDescriptor, Outcome,
    Policy, Query,
};
pub use kv::{Kv, KvRead, MemoryKv};
