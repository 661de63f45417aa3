//! The ledger and the group that keeps it over real sockets with TLS, and the first vaults of a
//! cluster.

mod bootstrap;
mod group;
mod members;
mod remote_ledger;
mod routing;
mod world;
mod wrong_callers;
