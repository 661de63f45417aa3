//! A cluster as people see it: how its nodes and disks are named, what is wrong with it and with the
//! group that keeps its ledger, and the tables that show it. Pure: the commands fetch what is shown.

mod directory;
#[cfg(test)]
mod fixture;
mod group;
mod tables;
mod trouble;

pub(crate) use directory::{Directory, NameError};
pub(crate) use group::{find_member, meta_rows, meta_table};
pub(crate) use tables::{disk_rows, disk_table, node_rows, node_table, scrub_rows, scrub_table};
pub(crate) use trouble::{Severity, Trouble};
