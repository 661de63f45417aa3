//! A process's data folder: that one process has it ([`DataDir`]) and whose it is ([`Identity`]).
//!
//! First start of a process that begins a cluster, in this order, so that it can be ended at any
//! point and gone on with: the draft of the manifest (`custosd.json.draft`: every id is chosen
//! there), the key, the ledger, and then the manifest itself (`custosd.json`). Only while that is
//! missing is a key or a ledger made; afterwards what is missing is lost, and said to be. Any other
//! process writes its manifest once it has met its cluster.

mod identity;
mod lock;
mod manifest;

pub(crate) use identity::make_key;
pub use identity::{Identity, IdentityError, Stage};
pub use lock::{DataDir, DataDirError, Occupants};
pub use manifest::{Manifest, ManifestError};

/// Folder of the ledger in a data folder.
pub(crate) const LEDGER_FOLDER: &str = "meta";
/// Folder of the storage node in a data folder.
pub(crate) const NODE_FOLDER: &str = "node";
