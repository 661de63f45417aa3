//! The storage role: shards on this node's disks, served to the cluster.
//!
//! Owns the node's identity and folder, taking disks into service and out of it, the guard around
//! each disk (epochs, orders, bounds, suspicion), the scrub, and moving old shards to a bucket.
//! Must not know keys or plaintext, how shards lie on a disk, or who takes part in the ledger.
//! Enter at [`StorageNode::start`]; `disk` is what stands between a caller and a disk, `service` is
//! the gRPC face.

mod disk;
mod double;
mod error;
mod handle;
pub mod limits;
mod node;
mod node_folder;
mod options;
mod registrar;
mod scrub;
mod service;
mod small_file;
mod status;
mod supervision;
mod tiered;

pub use disk::{BackendKind, HealthLimits};
pub use double::NodePeers;
pub use error::{DiskChangeError, NodeFailure, SameIdentity, StartError};
pub use handle::{StorageNode, StorageNodeHandle};
pub use node::LocalStores;
pub use options::{DiskPlace, DiskSpec, MovingOptions, StorageDeps, StorageOptions, WhenAbsent};
pub use scrub::{ScrubChange, ScrubProgress, ScrubSettings};
pub use service::{LocalNode, ShardService};
pub use status::{DiskReport, NodeStatus, ScrubReport};
