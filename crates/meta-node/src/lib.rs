//! The meta role: serves the ledger to the other roles of the cluster, and plans its first vaults.
//!
//! Owns the services `custos.internal.v1.Meta` and `Group`, the order in which a member leaves the
//! ledger's group ([`GroupAdmin`]), and [`Bootstrap`]. Must not know openraft, nor what the commands
//! that it passes on mean. Enter at [`MetaService`].

mod backup;
mod bootstrap;
mod group_admin;
mod group_service;
mod service;

pub use bootstrap::Bootstrap;
pub use group_admin::GroupAdmin;
pub use group_service::GroupService;
pub use service::MetaService;
