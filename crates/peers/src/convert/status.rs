use custos_core::{DiskGeneration, DiskId, Fullness, StoreStatus};
use custos_wire::internal_v1::{DiskStatus, ScrubStatus};

/// The wire form of what a disk says of itself. `kind` is `local` or `s3`.
#[must_use]
pub fn disk_status_to_wire(
    disk_id: DiskId,
    generation: DiskGeneration,
    kind: &str,
    status: StoreStatus,
    scrub: Option<ScrubStatus>,
) -> DiskStatus {
    DiskStatus {
        disk_id: disk_id.0.to_vec(),
        generation: generation.0,
        name: status.name,
        offline: status.offline.unwrap_or_default(),
        suspect: status.suspect.unwrap_or_default(),
        shards: status.shards,
        payload_bytes: status.payload_bytes,
        stored_bytes: status.stored_bytes,
        total_bytes: status.total_bytes,
        free_bytes: status.free_bytes,
        fullness: status.fullness.name().to_owned(),
        io_errors: status.io_errors,
        quarantined: status.quarantined,
        scrub,
        kind: kind.to_owned(),
    }
}

/// Parses what a disk says of itself. A mark that this software does not know counts as full: the
/// disk is then left alone.
#[must_use]
pub fn store_status_from_wire(wire: DiskStatus) -> StoreStatus {
    let fullness = Fullness::ALL.into_iter().find(|mark| mark.name() == wire.fullness);
    StoreStatus {
        name: wire.name,
        offline: Some(wire.offline).filter(|reason| !reason.is_empty()),
        suspect: Some(wire.suspect).filter(|reason| !reason.is_empty()),
        shards: wire.shards,
        payload_bytes: wire.payload_bytes,
        stored_bytes: wire.stored_bytes,
        total_bytes: wire.total_bytes,
        free_bytes: wire.free_bytes,
        fullness: fullness.unwrap_or(Fullness::Full),
        io_errors: wire.io_errors,
        quarantined: wire.quarantined,
    }
}
