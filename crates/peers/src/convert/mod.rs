//! Shards, targets and statuses as `custos.internal.v1` carries them. Used by both ends.

mod head;
mod shard;
mod status;
mod target;

pub use head::WriteHead;
pub use shard::{
    entries_from_wire, entries_to_wire, key_from_wire, key_to_wire, order_from_wire, order_to_wire,
    quarantined_from_wire, quarantined_to_wire,
};
pub use status::{disk_status_to_wire, store_status_from_wire};
pub use target::{ShardAnswerer, ShardTarget};

use custos_wire::WireError;

/// Parses an id of 16 bytes.
///
/// # Errors
/// `Invalid`, naming `field`.
pub fn id_from_wire(field: &str, bytes: &[u8]) -> Result<[u8; 16], WireError> {
    bytes
        .try_into()
        .map_err(|_| WireError::invalid(field, format_args!("{} bytes, 16 expected", bytes.len())))
}

fn missing(field: &str) -> WireError {
    WireError::invalid(field, "is missing")
}
