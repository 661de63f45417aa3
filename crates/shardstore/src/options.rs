use std::path::PathBuf;

use crate::DiskId;
use crate::fullness::FullnessMarks;

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
    /// From where on the disk says that it is near full, in permille of what it could hold: what
    /// it holds already and what is free for it, less what is kept back; of bytes or of inodes,
    /// whichever is worse. 850 by default.
    pub near_full_permille: u16,
    /// From where on repair and moves onto the disk are refused; counted alike. 900 by default.
    pub backfill_full_permille: u16,
    /// From where on new shards are refused; counted alike. 950 by default.
    pub full_permille: u16,
    /// Bytes a second that the disk moves to give back space; 0 for never. 32 MiB by default.
    pub compaction_bytes_per_second: u64,
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

/// How space is given out on a disk, in bytes; the fields are those of [`Options`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExtentLimits {
    pub(crate) extent_bytes_max: u64,
    pub(crate) preallocate_bytes: u64,
    pub(crate) marks: FullnessMarks,
}

impl Options {
    pub(crate) fn extent_limits(&self) -> ExtentLimits {
        ExtentLimits {
            extent_bytes_max: self.extent_bytes_max,
            preallocate_bytes: self.preallocate_bytes,
            marks: FullnessMarks {
                near_full_permille: self.near_full_permille,
                backfill_full_permille: self.backfill_full_permille,
                full_permille: self.full_permille,
                space_kept_back_bytes: self.space_kept_back_bytes,
            },
        }
    }

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
            near_full_permille: 850,
            backfill_full_permille: 900,
            full_permille: 950,
            compaction_bytes_per_second: 32 << 20,
            index_cache_bytes: 8 << 20,
        }
    }
}
