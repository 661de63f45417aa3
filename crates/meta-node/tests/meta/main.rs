//! The ledger over real sockets with TLS, and the first vaults of a cluster.

mod bootstrap;
mod remote_ledger;
mod world;
mod wrong_callers;
