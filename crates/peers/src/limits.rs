//! Every limit of talking to other nodes (invariant I10), and the deadline of every call.

use std::time::Duration;

/// Connections to one endpoint that carry shards.
pub const BULK_CONNECTIONS: usize = 2;
/// Most calls to one endpoint that are under way at once, those that carry shards and all others
/// each for themselves; more are shed. Those that the peer does not take yet wait here, with what
/// they carry.
pub const CALLS_PER_ENDPOINT_MAX: usize = 2048;
/// Bytes that one stream may send before the receiver has taken them: 4 MiB.
pub const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// Bytes that all streams of one connection together may: 16 MiB.
pub const CONNECTION_WINDOW_BYTES: u32 = 16 << 20;
/// Largest HTTP/2 frame: 1 MiB.
pub const FRAME_BYTES_MAX: u32 = 1 << 20;
/// Largest piece of a shard in one message: 1 MiB.
pub const PIECE_BYTES_MAX: usize = 1 << 20;
/// Most shards in one listing, one removal or one list of quarantined items.
pub const SHARD_ITEMS_MAX: usize = 1000;
/// Largest message between members of the ledger's group: 4 MiB, which is more than the most log
/// entries that are sent at once.
pub const GROUP_MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Most messages to one member of the group that are under way on one lane; more are shed.
pub const GROUP_CALLS_MAX: usize = 2048;
/// Longest text about a failure that travels: 1 KiB.
pub const REASON_BYTES_MAX: usize = 1 << 10;

/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A silent connection is asked for a sign of life this often,
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// and given up when it gives none for this long.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);
/// After a failed connection the next one is tried no sooner than this,
pub const RECONNECT_PAUSE_MIN: Duration = Duration::from_millis(100);
/// and, after many failures, no sooner than this.
pub const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Longest write of a shard.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(60);
/// Longest read of a shard.
pub const READ_DEADLINE: Duration = Duration::from_secs(20);
/// Longest listing.
pub const LIST_DEADLINE: Duration = Duration::from_secs(10);
/// Longest check of a shard on its disk.
pub const VERIFY_DEADLINE: Duration = Duration::from_secs(60);
/// Longest removal.
pub const REMOVE_DEADLINE: Duration = Duration::from_secs(30);
/// Longest wait for what a node says of itself.
pub const STATUS_DEADLINE: Duration = Duration::from_secs(3);
/// Longest act of an administrator on a node, such as adding a disk.
pub const ADMIN_DEADLINE: Duration = Duration::from_secs(60);

/// Longest command or strong read of the ledger, with all its attempts.
pub const LEDGER_DEADLINE: Duration = Duration::from_secs(10);
/// Longest single attempt of these.
pub const LEDGER_ATTEMPT_DEADLINE: Duration = Duration::from_secs(5);
/// Longest change of the group that keeps the ledger, with all its attempts.
pub const GROUP_CHANGE_DEADLINE: Duration = Duration::from_secs(30);
/// Longest single attempt of these: leadership may have to move first.
pub const GROUP_CHANGE_ATTEMPT_DEADLINE: Duration = Duration::from_secs(14);
/// Longest wait for a backup of the ledger to begin, with all its attempts.
pub const BACKUP_DEADLINE: Duration = Duration::from_secs(60);
/// Longest single attempt of these: the ledger is flushed first.
pub const BACKUP_ATTEMPT_DEADLINE: Duration = Duration::from_secs(30);
/// Pause after the first round of attempts that failed,
pub const LEDGER_PAUSE_MIN: Duration = Duration::from_millis(50);
/// and after many rounds.
pub const LEDGER_PAUSE_MAX: Duration = Duration::from_secs(1);

/// The cluster map is read anew this often, give or take a quarter.
pub const MAP_POLL_INTERVAL: Duration = Duration::from_secs(2);
