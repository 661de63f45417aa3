//! A cluster as people see it: how its nodes and disks are named, what is wrong with it, and the
//! tables that show it. Pure: the commands fetch what is shown.

mod directory;
#[cfg(test)]
mod fixture;
mod tables;
mod trouble;

pub(crate) use directory::{Directory, NameError};
pub(crate) use tables::{disk_rows, disk_table, node_rows, node_table, scrub_rows, scrub_table};
pub(crate) use trouble::{Severity, Trouble};
