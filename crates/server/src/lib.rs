//! The server: wires the roles of Custos to real clocks, real randomness, real disks and sockets.
//!
//! Owns what only a whole process has: its configuration, its data folder and identity, its
//! key-encryption key, how it finds its cluster, certificates of development mode, log and metrics,
//! start and stop. Must not know what a request means, nor how evidence is sealed, placed or judged.
//!
//! Enter at [`build`], which turns a [`config::ServerConfig`] and its [`ServerDeps`] into a
//! [`Server`]; `main.rs` shows the order in which a process gets there. The files that it keeps
//! are described in `docs/formats/server.md`.
// The futures of a start hold those of all roles: deeper than the compiler's default.
#![recursion_limit = "256"]

pub mod cli;
pub mod config;
pub mod data_dir;
pub mod dev;
pub mod keys;
pub mod telemetry;

mod clock;
mod connections;
mod durable_file;
mod entropy;
mod first_vault;
mod gateway_key;
mod group_start;
mod grpc;
mod joining;
mod ledger_start;
mod local_disks;
mod local_group;
mod metrics;
mod node_admin;
mod node_peers;
mod restore;
mod roles;
mod server;
mod shutdown;
mod sockets;
mod start_error;
mod storage_start;
mod tls;
mod waiting;
mod wiring;

pub use clock::{ClockAhead, SystemClock};
pub use durable_file::FileError;
pub use entropy::SystemEntropy;
pub use first_vault::FirstVaultError;
pub use gateway_key::GatewayKeyError;
pub use group_start::GroupStartError;
pub use joining::JoinError;
pub use ledger_start::LedgerStartError;
pub use restore::{RestoreError, RestoreOptions, Restored, restore};
pub use server::{RunError, Server};
pub use shutdown::StopSignals;
pub use sockets::{BindError, Sockets};
pub use start_error::StartError;
pub use storage_start::CredentialsError;
pub use tls::{TlsError, install_crypto_provider};
pub use wiring::{ServerDeps, build};
