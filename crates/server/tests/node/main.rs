//! `custosd` as its users start it: what it prints, what it leaves behind, how it ends.

mod cluster;
mod config;
mod earlier_version;
mod first_start;
mod lifecycle;
mod node;
mod observability;
mod tls;
