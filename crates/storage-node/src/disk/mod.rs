//! One disk of the node and what guards it.

mod backend;
mod bucket;
mod byte_budget;
mod health;
mod local;
#[cfg(test)]
mod memory_disk;
mod node_store;
mod opener;
mod orders;
#[cfg(test)]
mod tests;

pub use backend::BackendKind;
pub(crate) use backend::{Backend, OpeningError};
pub(crate) use byte_budget::{ByteBudget, Reservation};
pub use health::HealthLimits;
#[cfg(test)]
pub(crate) use memory_disk::MemoryDisk;
pub(crate) use node_store::NodeStore;
pub(crate) use opener::{
    Expected, FailureWeight, Found, OpenDisk, OpenFailure, Opener, bucket_place,
};
pub(crate) use orders::Orders;
