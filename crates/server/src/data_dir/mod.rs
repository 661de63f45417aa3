//! A node's data folder: that one process has it ([`DataDir`]) and whose it is ([`Identity`]).
//!
//! First start, in this order, so that it can be ended at any point and gone on with: the draft of
//! the manifest (`custosd.json.draft`: every id is chosen there), the key, the disks, the ledger,
//! and last the manifest itself (`custosd.json`). Only while that is missing is anything made;
//! afterwards what is missing is lost, and said to be.

mod identity;
mod lock;
mod manifest;

pub use identity::{Identity, IdentityError, Stage};
pub use lock::{DataDir, DataDirError, Occupants};
pub use manifest::{Manifest, ManifestError};

/// Folder of the ledger in a data folder.
pub(crate) const LEDGER_FOLDER: &str = "meta";
