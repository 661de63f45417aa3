//! Backups of the ledger, in a folder or in an S3-compatible bucket.
//!
//! Owns how they lie there (`docs/formats/backup.md`): files under the name of their hash, which
//! several backups share, and one manifest for each backup, which is written last. Must not know
//! what is in the files, who takes a backup, or how one becomes a ledger again.
//!
//! Enter at [`Repository::open`]; whoever writes goes on with [`Repository::begin`].

mod bucket;
mod error;
mod folder;
mod intake;
mod manifest;
mod name;
mod place;
mod repository;
mod shelf;

pub use error::BackupError;
pub use intake::Intake;
pub use manifest::{BackupManifest, ManifestFile};
pub use name::BackupName;
pub use place::BackupPlace;
pub use repository::{Pruned, Repository, Verified};
