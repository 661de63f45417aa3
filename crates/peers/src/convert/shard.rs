use custos_core::{
    ChunkIndex, EvidenceId, LogIndex, Quarantined, RemovalOrder, RemovalReason, Salt, ShardEntry,
    ShardKey, ShardSlot, Timestamp, VaultId, limits::SHARD_HEADER_BYTES_MAX,
};
use custos_wire::{
    WireError, evidence_id_from_wire,
    internal_v1::{self, Removal},
};

use super::{id_from_wire, missing};
use crate::limits::SHARD_ITEMS_MAX;

/// The wire form of a shard's name.
#[must_use]
pub fn key_to_wire(key: &ShardKey) -> internal_v1::Key {
    internal_v1::Key {
        vault: key.vault.0,
        evidence_id: key.evidence_id.as_bytes().to_vec(),
        chunk: key.chunk.0,
        slot: u32::from(key.slot.0),
        salt: key.salt.0.to_vec(),
    }
}

/// Parses a shard's name.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn key_from_wire(wire: Option<&internal_v1::Key>) -> Result<ShardKey, WireError> {
    let wire = wire.ok_or_else(|| missing("key"))?;
    let evidence_id: EvidenceId = evidence_id_from_wire(&wire.evidence_id)?;
    let slot = u8::try_from(wire.slot)
        .map_err(|_| WireError::invalid("slot", format_args!("{} is no slot", wire.slot)))?;
    Ok(ShardKey {
        vault: VaultId(wire.vault),
        evidence_id,
        chunk: ChunkIndex(wire.chunk),
        slot: ShardSlot(slot),
        salt: Salt(id_from_wire("salt", &wire.salt)?),
    })
}

/// The wire form of a page of shards.
#[must_use]
pub fn entries_to_wire(entries: Vec<ShardEntry>) -> Vec<internal_v1::Entry> {
    entries
        .into_iter()
        .map(|entry| internal_v1::Entry {
            key: Some(key_to_wire(&entry.key)),
            retain_until_ms: entry.retain_until.as_millis(),
            header: entry.header,
            payload_len: entry.payload_len,
        })
        .collect()
}

/// Parses a page of shards, at most [`SHARD_ITEMS_MAX`] of them.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn entries_from_wire(wire: Vec<internal_v1::Entry>) -> Result<Vec<ShardEntry>, WireError> {
    if wire.len() > SHARD_ITEMS_MAX {
        let what = format_args!("{} of them, at most {SHARD_ITEMS_MAX} are allowed", wire.len());
        return Err(WireError::invalid("items", what));
    }
    wire.into_iter()
        .map(|entry| {
            check_header(&entry.header)?;
            Ok(ShardEntry {
                key: key_from_wire(entry.key.as_ref())?,
                retain_until: Timestamp::from_millis(entry.retain_until_ms),
                header: entry.header,
                payload_len: entry.payload_len,
            })
        })
        .collect()
}

pub(super) fn check_header(header: &[u8]) -> Result<(), WireError> {
    if header.len() <= SHARD_HEADER_BYTES_MAX {
        return Ok(());
    }
    let len = header.len();
    let what = format_args!("{len} bytes, at most {SHARD_HEADER_BYTES_MAX} are allowed");
    Err(WireError::invalid("header", what))
}

/// The wire form of leave to remove shards: reason and ledger index.
#[must_use]
pub fn order_to_wire(order: RemovalOrder) -> (Removal, u64) {
    let reason = match order.reason {
        RemovalReason::AbortedUpload => Removal::AbortedUpload,
        RemovalReason::SupersededAttempt => Removal::SupersededAttempt,
        RemovalReason::Moved => Removal::Moved,
        RemovalReason::Disposition => Removal::Disposition,
    };
    (reason, order.ledger_index.0)
}

/// Parses leave to remove shards.
///
/// # Errors
/// `Invalid`, naming `reason`.
pub fn order_from_wire(reason: i32, ledger_index: u64) -> Result<RemovalOrder, WireError> {
    let known = Removal::try_from(reason).unwrap_or(Removal::Unspecified);
    let reason = match known {
        Removal::AbortedUpload => RemovalReason::AbortedUpload,
        Removal::SupersededAttempt => RemovalReason::SupersededAttempt,
        Removal::Moved => RemovalReason::Moved,
        Removal::Disposition => RemovalReason::Disposition,
        Removal::Unspecified => {
            return Err(WireError::invalid("reason", format_args!("{reason} is none")));
        }
    };
    Ok(RemovalOrder { reason, ledger_index: LogIndex(ledger_index) })
}

/// The wire form of what lies on a disk unknown.
#[must_use]
pub fn quarantined_to_wire(items: Vec<Quarantined>) -> Vec<internal_v1::QuarantinedItem> {
    items
        .into_iter()
        .map(|Quarantined { place, len, reason }| internal_v1::QuarantinedItem {
            place,
            len,
            reason,
        })
        .collect()
}

/// Parses what lies on a disk unknown.
#[must_use]
pub fn quarantined_from_wire(wire: Vec<internal_v1::QuarantinedItem>) -> Vec<Quarantined> {
    wire.into_iter()
        .map(|internal_v1::QuarantinedItem { place, len, reason }| Quarantined {
            place,
            len,
            reason,
        })
        .collect()
}
