//! Named limits of one storage node (invariant I10). Sizes in bytes, counts in items.

use std::time::Duration;

/// Most payload bytes that a node holds for writes and for answers at once unless it is configured
/// otherwise: 512 MiB. What comes on top is shed as overloaded.
pub const IN_FLIGHT_BYTES_DEFAULT: usize = 512 << 20;
/// Most reads that a node has under way at once; more are shed as overloaded.
pub const READS_IN_FLIGHT_MAX: usize = 1024;
/// Weight of a disk that does not know its size, as buckets do not, unless it is given: that of
/// 1 TiB.
pub const WEIGHT_WITHOUT_SIZE: u32 = 1024;
/// Most disks of one node.
pub const DISKS_MAX: usize = 128;
/// Longest wait for the next message of a write.
pub const WRITE_MESSAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait until a caller takes the next message of a read.
pub const READ_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the map when a caller knows a newer one, and the shortest time between two
/// such questions.
pub const REFRESH_TIMEOUT: Duration = Duration::from_secs(2);
/// Most reads of one disk that its callers over the network have under way at once, so that one
/// that hangs does not take the turns of the others.
pub const DISK_READS_IN_FLIGHT_MAX: usize = 256;
/// Longest wait until a disk's scrub and mover have ended before it is closed under them.
pub const TASKS_STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait until a disk is closed; one that hangs is left to a task of its own then.
pub const DISK_STOP_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for the ledger when a disk is added while the node runs.
pub const ADD_DISK_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest wait at start for the process that had this node's identity before.
pub const DOUBLE_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait between two tries to reach the ledger at start.
pub const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Shortest wait between two tries to reach the ledger at start.
pub const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);
