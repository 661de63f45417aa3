//! Every named limit of the store (invariant I10). Sizes in bytes, counts in items.

/// Largest evidence: 1 TiB.
pub const EVIDENCE_BYTES_MAX: u64 = 1 << 40;
/// Largest `data` of one push message: 1 MiB.
pub const PUSH_DATA_BYTES_MAX: usize = 1 << 20;
/// Largest gRPC message either side accepts: 4 MiB.
pub const GRPC_MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Largest page of a listing: 16 MiB, enough for 1000 items of the longest descriptors.
pub const LISTING_MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Longest text field of a descriptor that names something (case, place, recorder …): 256 bytes.
pub const DESCRIPTOR_NAME_BYTES_MAX: usize = 256;
/// Longest free-text note: 4 KiB.
pub const DESCRIPTOR_NOTE_BYTES_MAX: usize = 4096;
/// Most officers on one evidence item.
pub const DESCRIPTOR_OFFICERS_MAX: usize = 32;
/// Longest stated purpose of a view: 512 bytes.
pub const VIEW_PURPOSE_BYTES_MAX: usize = 512;
/// Items on one page of a listing unless the caller asks for fewer.
pub const PAGE_ITEMS_DEFAULT: usize = 100;
/// Most items on one page of a listing.
pub const PAGE_ITEMS_MAX: usize = 1000;
/// Largest encoded ledger command: 64 KiB.
pub const COMMAND_BYTES_MAX: usize = 64 << 10;
/// Most commands in one Raft entry.
pub const COMMAND_BATCH_ITEMS_MAX: usize = 512;
/// Most commands that wait for the ledger at once; more are shed as `Exhausted`.
pub const COMMAND_QUEUE_ITEMS_MAX: usize = 4096;
/// Most shard writes that wait for one disk at once.
pub const DISK_QUEUE_ITEMS_MAX: usize = 64;
/// Largest payload of a shard: 64 MiB.
pub const SHARD_PAYLOAD_BYTES_MAX: usize = 64 << 20;
/// Largest codec header of a shard: 512 bytes.
pub const SHARD_HEADER_BYTES_MAX: usize = 512;
/// Most open upload sessions of one actor.
pub const OPEN_UPLOADS_PER_ACTOR_MAX: usize = 4096;
