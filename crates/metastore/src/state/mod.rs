//! The replicated state on disk: what `custos_ledger::apply` made of the log, with the marks that
//! say how far, and its snapshots.

mod database;
mod export;
mod generations;
mod keys;
mod machine;
mod manifest;
mod overlay;
mod read_cache;
mod restored;
mod snapshots;
mod view;

pub(crate) use export::Exported;
pub(crate) use generations::first as first_generation;
pub(crate) use machine::{StateMachine, StateReader};
#[cfg(test)]
pub(crate) use manifest::with_membership;
pub(crate) use manifest::{ManifestListing, parse_manifest, read_manifest, write_manifest};
pub(crate) use restored::RestoredDb;
pub(crate) use snapshots::SnapshotDir;
