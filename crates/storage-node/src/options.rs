use std::{path::PathBuf, sync::Arc, time::Duration};

use custos_core::Labels;
use custos_objectstore::S3Options;
use custos_ports::{Clock, Cluster, Entropy, Ledger};
use custos_shardstore::OpenMode;

use crate::{
    HealthLimits, NodePeers, ScrubSettings, disk::bucket_place, limits::IN_FLIGHT_BYTES_DEFAULT,
};

/// How a storage node is set up.
#[derive(Debug, Clone)]
pub struct StorageOptions {
    /// The node's own folder: identity, which disk stands where, cursors of the scrub. Not on one
    /// of its disks.
    pub folder: PathBuf,
    /// Name that people use, unique in the cluster, 1 to 64 bytes.
    pub name: String,
    /// Where others reach its services, such as `https://10.0.0.7:7400`; empty when only its own
    /// process does.
    pub endpoint: String,
    /// Where it stands; the host is not empty.
    pub labels: Labels,
    /// Its disks.
    pub disks: Vec<DiskSpec>,
    /// What folders are opened with; their place, name and mode are filled in.
    pub local: custos_shardstore::Options,
    /// How disks are scrubbed.
    pub scrub: ScrubSettings,
    /// From when on a disk is suspect.
    pub health: HealthLimits,
    /// Payload bytes held for writes and answers at once. 512 MiB by default.
    pub in_flight_bytes_max: usize,
    /// The map is looked at this often. 1 s by default.
    pub supervision_period: Duration,
    /// A disk that could not be opened because it is not there is looked for this often. 30 s by
    /// default.
    pub reopen_period: Duration,
    /// How cold shards are moved.
    pub moving: MovingOptions,
}

impl StorageOptions {
    /// Options with the defaults named at each field, and no disks.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, name: impl Into<String>, labels: Labels) -> Self {
        Self {
            folder: folder.into(),
            name: name.into(),
            endpoint: String::new(),
            labels,
            disks: Vec::new(),
            local: custos_shardstore::Options::new("", "", OpenMode::Existing),
            scrub: ScrubSettings::default(),
            health: HealthLimits::default(),
            in_flight_bytes_max: IN_FLIGHT_BYTES_DEFAULT,
            supervision_period: Duration::from_secs(1),
            reopen_period: Duration::from_secs(30),
            moving: MovingOptions::default(),
        }
    }
}

/// How shards that have become cold are moved to their bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovingOptions {
    /// Pace in bytes of payload per second. 64 MiB by default.
    pub bytes_per_second: u64,
    /// Pause between two rounds, when nothing else begins one. One hour by default.
    pub pause: Duration,
}

impl Default for MovingOptions {
    fn default() -> Self {
        Self { bytes_per_second: 64 << 20, pause: Duration::from_secs(3600) }
    }
}

/// One disk of a node.
#[derive(Debug, Clone)]
pub struct DiskSpec {
    /// Name in the cluster map, 1 to 64 bytes, such as `disk 3`.
    pub name: String,
    /// Where it is.
    pub place: DiskPlace,
    /// Its share of new vaults. When `None`, its file system's GiB; a bucket counts as 1 TiB.
    pub weight: Option<u32>,
    /// What to do when there is no disk yet.
    pub absent: WhenAbsent,
}

/// Where a disk is.
#[derive(Debug, Clone)]
pub enum DiskPlace {
    /// A folder, best the root of a file system of its own.
    Folder(PathBuf),
    /// A prefix of a bucket; name, mode and expected identity are filled in.
    Bucket(S3Options),
    /// A folder for young shards and a prefix of a bucket for old ones.
    Tiered {
        /// The folder; its identity is the disk's.
        folder: PathBuf,
        /// The bucket; name, mode and expected identity are filled in.
        bucket: S3Options,
        /// Shards of evidence opened at least so many days ago move to the bucket; with 0 as soon
        /// as they are written.
        cold_after_days: u32,
    },
}

impl DiskPlace {
    /// How the node's records call it: the folder, or `s3://bucket/prefix`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Folder(folder) | Self::Tiered { folder, .. } => folder.display().to_string(),
            Self::Bucket(options) => bucket_place(options),
        }
    }

    /// How the node's records call the bucket of a folder.
    pub(crate) fn cold_text(&self) -> Option<String> {
        match self {
            Self::Tiered { bucket, .. } => Some(bucket_place(bucket)),
            Self::Folder(_) | Self::Bucket(_) => None,
        }
    }
}

/// What to do when a place holds no disk. Whatever is asked for, a place where a disk stood before
/// never gets a new one at start: it is more likely not mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenAbsent {
    /// Make one, if the folder is missing or empty.
    Create,
    /// Leave it out of service and say so.
    Refuse,
}

/// What a storage node works with.
#[derive(Clone)]
pub struct StorageDeps {
    /// Where it registers, checks orders and reports damage.
    pub ledger: Arc<dyn Ledger>,
    /// The cluster map.
    pub cluster: Arc<dyn Cluster>,
    /// The way to other nodes, to find a second process with this node's identity.
    pub peers: Arc<dyn NodePeers>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub entropy: Arc<dyn Entropy>,
}
