use std::path::PathBuf;

use crate::DiskId;

/// How a disk is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The disk's directory.
    pub dir: PathBuf,
    /// Human name for logs and errors, such as `disk 3`; the directory is added to it.
    pub name: String,
    /// Whether the disk is there or is to be made.
    pub mode: OpenMode,
    /// In mode [`OpenMode::Existing`]: the identity that the directory must have, when known.
    pub expected_id: Option<DiskId>,
    /// An extent is closed before it grows past this many bytes; a single larger record still
    /// gets an extent of its own. 1 GiB by default.
    pub extent_bytes_max: u64,
    /// Bytes that an extent is enlarged by ahead of its writes. 16 MiB by default.
    pub preallocate_bytes: u64,
    /// Bytes of the file system that shards never use, so that removals and the index can always
    /// be written. 64 MiB by default.
    pub space_kept_back_bytes: u64,
    /// Memory for blocks of the index. 8 MiB by default.
    pub index_cache_bytes: usize,
}

/// Whether a disk is there or is to be made. There is no "open or make": an unmounted disk would
/// silently become an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The directory must hold a disk.
    Existing,
    /// The directory is made if need be and must not hold a disk yet.
    Create {
        /// Identity of the new disk: 16 random bytes.
        id: DiskId,
    },
}

impl Options {
    /// Options with the defaults named at each field.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, name: impl Into<String>, mode: OpenMode) -> Self {
        Self {
            dir: dir.into(),
            name: name.into(),
            mode,
            expected_id: None,
            extent_bytes_max: 1 << 30,
            preallocate_bytes: 16 << 20,
            space_kept_back_bytes: 64 << 20,
            index_cache_bytes: 8 << 20,
        }
    }
}
