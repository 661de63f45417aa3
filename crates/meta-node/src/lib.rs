//! The meta role: serves the ledger to the other roles of the cluster, and plans its first vaults.
//!
//! Owns the service `custos.internal.v1.Meta` and [`Bootstrap`]. Must not know which ledger it
//! serves, nor what commands mean. Enter at [`MetaService`].

mod bootstrap;
mod group_service;
mod service;

pub use bootstrap::Bootstrap;
pub use group_service::GroupService;
pub use service::MetaService;
