use custos_core::{Epoch, ErrorKind, ShardKey};
use custos_ports::ShardError;
use custos_wire::{WireError, internal_v1};
use prost::Message;
use tonic::{Status, metadata::BinaryMetadataValue};

use super::{name, number, reason, set_name, set_number, set_reason, status_of};
use crate::convert::{key_from_wire, key_to_wire};

const SHARD_KEY: &str = "custos-shard-bin";
const START_KEY: &str = "custos-start";
const END_KEY: &str = "custos-end";
const LEN_KEY: &str = "custos-len";
const FREE_BYTES_KEY: &str = "custos-free-bytes";
const GIVEN_EPOCH_KEY: &str = "custos-given-epoch";
const CURRENT_EPOCH_KEY: &str = "custos-current-epoch";
const WRONG_TARGET: &str = "wrong-target";

/// The status of a store's failure.
#[must_use]
pub fn shard_error_to_status(error: &ShardError) -> Status {
    let mut status = status_of(error.kind(), &error.to_string());
    let out = &mut status;
    match error {
        ShardError::NotFound { key, .. } => {
            set_name(out, "not-found");
            set_shard(out, key);
        }
        ShardError::Corrupt { key, what, .. } => {
            set_name(out, "corrupt");
            set_shard(out, key);
            set_reason(out, what);
        }
        ShardError::Conflict { key, .. } => {
            set_name(out, "conflict");
            set_shard(out, key);
        }
        ShardError::Range { start, end, len, .. } => {
            set_name(out, "range");
            set_number(out, START_KEY, *start);
            set_number(out, END_KEY, *end);
            set_number(out, LEN_KEY, *len);
        }
        ShardError::Full { free_bytes, .. } => {
            set_name(out, "full");
            set_number(out, FREE_BYTES_KEY, *free_bytes);
        }
        ShardError::Stale { given, current, .. } => {
            set_name(out, "stale");
            set_number(out, GIVEN_EPOCH_KEY, given.0);
            set_number(out, CURRENT_EPOCH_KEY, current.0);
        }
        ShardError::NotOrdered { reason, .. } => {
            set_name(out, "not-ordered");
            set_reason(out, reason);
        }
        ShardError::Overloaded { reason, .. } => {
            set_name(out, "overloaded");
            set_reason(out, reason);
        }
        ShardError::Offline { reason, .. } => {
            set_name(out, "offline");
            set_reason(out, reason);
        }
        ShardError::Io { reason, .. } => {
            set_name(out, "io");
            set_reason(out, reason);
        }
    }
    status
}

/// The failure that a status stands for. `store` is what the caller calls the store, and
/// `operation` is what it tried: both are the caller's own words and do not travel. A status of
/// another sort becomes `Overloaded`, `Offline` or `Io`, by its kind.
#[must_use]
pub fn shard_error_from_status(
    status: &Status,
    store: &str,
    operation: &'static str,
) -> ShardError {
    let store = store.to_owned();
    let reason = reason(status);
    let io = |store| ShardError::Io { store, operation, reason: reason.clone() };
    match (name(status), shard(status).map(Box::new)) {
        (Some("not-found"), Some(key)) => ShardError::NotFound { store, key },
        (Some("corrupt"), Some(key)) => ShardError::Corrupt { store, key, what: reason },
        (Some("conflict"), Some(key)) => ShardError::Conflict { store, key },
        (Some("range"), _) => ShardError::Range {
            store,
            start: number(status, START_KEY),
            end: number(status, END_KEY),
            len: number(status, LEN_KEY),
        },
        (Some("full"), _) => ShardError::Full { store, free_bytes: number(status, FREE_BYTES_KEY) },
        (Some("stale"), _) => ShardError::Stale {
            store,
            given: Epoch(number(status, GIVEN_EPOCH_KEY)),
            current: Epoch(number(status, CURRENT_EPOCH_KEY)),
        },
        (Some("not-ordered"), _) => ShardError::NotOrdered { store, reason },
        (Some("overloaded"), _) => ShardError::Overloaded { store, reason },
        (Some("offline" | WRONG_TARGET), _) => ShardError::Offline { store, reason },
        (Some("io"), _) => io(store),
        _ => match WireError::from(status.clone()).kind {
            ErrorKind::Exhausted => ShardError::Overloaded { store, reason },
            ErrorKind::Refused | ErrorKind::NotFound => ShardError::Offline { store, reason },
            _ => io(store),
        },
    }
}

/// The status of a request that names a node, disk or generation that is not (any more) the one
/// that answers. The caller reads its map anew and asks once more; then it counts the disk as out
/// of service for this reason.
#[must_use]
pub fn wrong_target(reason: &str) -> Status {
    let mut status = status_of(ErrorKind::Unavailable, reason);
    set_name(&mut status, WRONG_TARGET);
    set_reason(&mut status, reason);
    status
}

/// Whether a status is one of [`wrong_target`].
#[must_use]
pub fn is_wrong_target(status: &Status) -> bool {
    name(status) == Some(WRONG_TARGET)
}

/// Whether a status is one of [`ShardError::Stale`].
#[must_use]
pub fn is_stale(status: &Status) -> bool {
    name(status) == Some("stale")
}

fn shard(status: &Status) -> Option<ShardKey> {
    let bytes = status.metadata().get_bin(SHARD_KEY)?.to_bytes().ok()?;
    key_from_wire(Some(&internal_v1::Key::decode(bytes).ok()?)).ok()
}

fn set_shard(status: &mut Status, key: &ShardKey) {
    let value = BinaryMetadataValue::from_bytes(&key_to_wire(key).encode_to_vec());
    status.metadata_mut().insert_bin(SHARD_KEY, value);
}

#[cfg(test)]
mod tests {
    use custos_core::{ChunkIndex, EvidenceId, Salt, ShardSlot, VaultId};

    use super::*;

    fn every_variant() -> Vec<ShardError> {
        let store = || "disk 3 of node a".to_owned();
        let key = Box::new(ShardKey {
            vault: VaultId(7),
            evidence_id: EvidenceId::from_bytes([9; 16]),
            chunk: ChunkIndex::CROWN,
            slot: ShardSlot(5),
            salt: Salt([1; 16]),
        });
        let reason = || "Platte 3 fällt aus\nzweite Zeile".to_owned();
        vec![
            ShardError::NotFound { store: store(), key: key.clone() },
            ShardError::Corrupt { store: store(), key: key.clone(), what: reason() },
            ShardError::Conflict { store: store(), key },
            ShardError::Range { store: store(), start: 1, end: u64::MAX, len: 3 },
            ShardError::Full { store: store(), free_bytes: 17 },
            ShardError::Stale { store: store(), given: Epoch(4), current: Epoch(5) },
            ShardError::NotOrdered { store: store(), reason: reason() },
            ShardError::Overloaded { store: store(), reason: reason() },
            ShardError::Offline { store: store(), reason: reason() },
            ShardError::Io { store: store(), operation: "write", reason: reason() },
        ]
    }

    #[test]
    fn every_failure_of_a_store_survives_the_wire() {
        for error in every_variant() {
            let status = shard_error_to_status(&error);
            assert_eq!(WireError::from(status.clone()).kind, error.kind());
            let again = shard_error_from_status(&status, "disk 3 of node a", "write");
            assert_eq!(format!("{again:?}"), format!("{error:?}"));
        }
    }

    #[test]
    fn a_status_of_another_sort_is_classed_by_its_kind() {
        let of = |status: Status| shard_error_from_status(&status, "disk", "read");
        let busy = of(Status::resource_exhausted("too many"));
        assert!(matches!(busy, ShardError::Overloaded { .. }), "{busy}");
        let refused = of(Status::permission_denied("not a node"));
        assert!(matches!(refused, ShardError::Offline { .. }), "{refused}");
        let odd = of(Status::unimplemented("no such call"));
        assert_eq!(odd.to_string(), "disk: read failed: no such call");
        let unnamed = of(Status::not_found("who?"));
        assert_ne!(unnamed.kind(), ErrorKind::NotFound, "it does not say that the shard is gone");
    }

    #[test]
    fn a_wrong_target_is_told_from_a_disk_that_is_out_of_service() {
        let status = wrong_target("this is node b");
        assert!(is_wrong_target(&status));
        let error = shard_error_from_status(&status, "disk", "read");
        assert_eq!(error.to_string(), "disk: out of service: this is node b");
        assert!(!is_wrong_target(&shard_error_to_status(&error)));
    }

    #[test]
    fn a_reason_without_end_is_cut_to_what_headers_may_hold() {
        let endless =
            ShardError::Offline { store: "disk".to_owned(), reason: "ü".repeat(100_000) };
        let again = shard_error_from_status(&shard_error_to_status(&endless), "disk", "read");
        assert!(again.to_string().len() < 1100);
    }
}
