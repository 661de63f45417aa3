//! The promises of a local disk, tried on real directories.

mod compaction;
mod conformance;
mod damage;
mod folder_removed;
mod full;
mod golden;
mod identity;
mod kill;
mod model;
mod reopen;
mod support;
