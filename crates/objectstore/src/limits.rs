//! Named limits of one bucket (invariant I10). Sizes in bytes, counts in items.

/// Bodies beyond this are sent in parts: 16 MiB.
pub const SINGLE_PUT_BYTES_MAX: usize = 16 << 20;
/// Bytes of a part, but for the last: 8 MiB (S3 wants 5 MiB at least).
pub const PART_BYTES: usize = 8 << 20;
/// Most parts of one body on their way at once.
pub const PARTS_IN_FLIGHT_MAX: usize = 4;
/// Most heads read, or objects removed, at once for one call.
pub const HEADS_IN_FLIGHT_MAX: usize = 16;
/// A read that begins no further into the payload than this is one request from the object's
/// start; beyond it, the head is a request of its own: 256 KiB.
pub const READ_THROUGH_BYTES_MAX: u64 = 256 << 10;
/// Most pages without a name that are followed in a row: 1000.
pub const EMPTY_PAGES_MAX: usize = 1000;
/// Most names of unknown objects that are remembered.
pub const UNKNOWN_NAMES_MAX: usize = 1000;
/// Longest prefix: 256 bytes.
pub const PREFIX_BYTES_MAX: usize = 256;
/// Largest identity object that is read: 64 KiB.
pub const IDENTITY_BYTES_MAX: usize = 64 << 10;
/// Failures in a row after which the bucket is suspect.
pub const FAILURES_IN_A_ROW_MAX: u32 = 3;
/// Most operations at once that can be configured.
pub const OPERATIONS_IN_FLIGHT_MAX: usize = 4096;
