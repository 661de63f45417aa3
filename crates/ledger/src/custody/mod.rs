//! The custody log: what an entry says, how it is committed to, and how it is appended and read.

mod entry;
mod leaf;
mod log;

pub(crate) use entry::{NewEntry, actor_name};
pub use leaf::{CustodyLeaf, SealedSubject, Subject};
pub(crate) use leaf::{act_of, stored_act};
pub(crate) use log::{append, checkpoint, consistency, entry_at, inclusion};
