//! Named limits of one disk (invariant I10). Sizes in bytes, counts in items. How many writes may
//! wait for a disk is [`DISK_QUEUE_ITEMS_MAX`](custos_core::limits::DISK_QUEUE_ITEMS_MAX).

/// Largest payload of a shard: 64 MiB.
pub const SHARD_PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// Largest codec header of a shard: 512 bytes.
pub const SHARD_HEADER_BYTES_MAX: usize = 512;
/// Most writes and removals made durable by one group commit.
pub const COMMIT_JOBS_MAX: usize = 64;
/// A group commit takes no further write once it has this many payload bytes: 16 MiB.
pub const COMMIT_BYTES_MAX: usize = 16 << 20;
/// Most extents open for writing between two group commits.
pub const WRITE_EXTENTS_OPEN_MAX: usize = 4;
/// Most files of extents that were given back kept to become extents again.
pub const SPARE_FILES_MAX: usize = 4;
/// Most extents kept open for reading.
pub const READ_EXTENTS_OPEN_MAX: usize = 64;
/// Most reads of one disk at once; more wait for their turn.
pub const READS_IN_FLIGHT_MAX: usize = 32;
/// Bytes of page-aligned memory that a disk keeps for its next reads: 8 MiB.
pub const READ_MEMORY_KEPT_BYTES_MAX: usize = 8 << 20;
