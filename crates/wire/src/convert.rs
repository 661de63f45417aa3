use custos_core::{
    Act, Blake3Hash, Checkpoint, ChunkSize, CustodyEntry, Descriptor, EvidenceId, EvidenceSummary,
    LogIndex, Mirror, Receipt, Sha256Hash, Timestamp,
};

use crate::{WireError, v1};

mod backup;
mod cluster;
mod law;
mod meta;

pub use backup::backup_to_wire;
pub use cluster::{
    damage_to_wire, damage_token_from_wire, damage_token_to_wire, disk_id_from_wire,
    disk_report_to_wire, nodes_to_wire, quarantined_to_wire, vault_groups_to_wire,
};
pub use law::{
    law_answer_from_wire, law_answer_to_wire, law_command_from_wire, law_command_to_wire,
    law_query_from_wire, law_query_to_wire, recording_report_from_wire, recording_report_to_wire,
    versioned_from_wire, versioned_to_wire,
};
pub use meta::meta_member_to_wire;

/// Parses an evidence id of 16 bytes.
///
/// # Errors
/// `Invalid`, naming `evidence_id`.
pub fn evidence_id_from_wire(bytes: &[u8]) -> Result<EvidenceId, WireError> {
    EvidenceId::from_slice(bytes).ok_or_else(|| {
        WireError::invalid("evidence_id", format!("{} bytes, 16 expected", bytes.len()))
    })
}

/// Parses a BLAKE3 and a SHA-256 of 32 bytes each.
///
/// # Errors
/// `Invalid`, naming the one that is malformed.
pub fn hashes_from_wire(
    blake3: &[u8],
    sha256: &[u8],
) -> Result<(Blake3Hash, Sha256Hash), WireError> {
    let wrong = |field, len| WireError::invalid(field, format!("{len} bytes, 32 expected"));
    Ok((
        Blake3Hash::from_slice(blake3).ok_or_else(|| wrong("blake3", blake3.len()))?,
        Sha256Hash::from_slice(sha256).ok_or_else(|| wrong("sha256", sha256.len()))?,
    ))
}

custos_core::mirror!(
    Descriptor => v1::Descriptor {
        kind, recorder, officers, case, stage, place, note, file_name, media_type, recording,
        sequence, notice_at_ms, device_ahead_ms, classification, source,
    } ~ {
        captured_at as captured_at_ms,
        captured_until as captured_until_ms,
        station_at as station_at_ms,
    }
);

/// Parses a descriptor: names of kind, stage and classification must be known. Lengths are the
/// law's to judge.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn descriptor_from_wire(wire: v1::Descriptor) -> Result<Descriptor, WireError> {
    Ok(Descriptor::from_message(wire)?)
}

fn unknown(field: &str, given: &str, known: impl Iterator<Item = &'static str>) -> WireError {
    let known: Vec<_> = known.collect();
    let given: String = given.chars().take(80).collect();
    WireError::invalid(field, format!("{given:?} is not one of {}", known.join(", ")))
}

/// The wire form of a descriptor.
#[must_use]
pub fn descriptor_to_wire(descriptor: &Descriptor) -> v1::Descriptor {
    descriptor.to_message()
}

/// The wire form of a receipt.
#[must_use]
pub fn receipt_to_wire(receipt: Receipt) -> v1::Receipt {
    v1::Receipt {
        evidence_id: receipt.evidence_id.as_bytes().to_vec(),
        size: receipt.size,
        blake3: receipt.blake3.0.to_vec(),
        sha256: receipt.sha256.0.to_vec(),
        sealed_at_ms: receipt.sealed_at.as_millis(),
        log_index: receipt.log_index.0,
        missing_fields: receipt.missing_fields,
        already_sealed: receipt.already_sealed,
    }
}

/// Parses a receipt.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn receipt_from_wire(wire: v1::Receipt) -> Result<Receipt, WireError> {
    let (blake3, sha256) = hashes_from_wire(&wire.blake3, &wire.sha256)?;
    Ok(Receipt {
        evidence_id: evidence_id_from_wire(&wire.evidence_id)?,
        size: wire.size,
        blake3,
        sha256,
        sealed_at: Timestamp::from_millis(wire.sealed_at_ms),
        log_index: LogIndex(wire.log_index),
        missing_fields: wire.missing_fields,
        already_sealed: wire.already_sealed,
    })
}

/// The wire form of sealed evidence.
#[must_use]
pub fn evidence_to_wire(evidence: EvidenceSummary) -> v1::Evidence {
    v1::Evidence {
        evidence_id: evidence.evidence_id.as_bytes().to_vec(),
        put_by: evidence.put_by,
        descriptor: Some(descriptor_to_wire(&evidence.descriptor)),
        opened_at_ms: evidence.opened_at.as_millis(),
        sealed_at_ms: evidence.sealed_at.as_millis(),
        log_index: evidence.log_index.0,
        size: evidence.size,
        blake3: evidence.blake3.0.to_vec(),
        sha256: evidence.sha256.0.to_vec(),
        profile: evidence.profile.to_string(),
        chunk_size: u32::try_from(evidence.chunk_size.bytes()).expect("at most 64 MiB"),
        retain_until_ms: evidence.retain_until.as_millis(),
        missing_fields: evidence.missing_fields,
        missing_shards: evidence.missing_shards,
    }
}

/// Parses sealed evidence.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn evidence_from_wire(wire: v1::Evidence) -> Result<EvidenceSummary, WireError> {
    let (blake3, sha256) = hashes_from_wire(&wire.blake3, &wire.sha256)?;
    let descriptor =
        wire.descriptor.ok_or_else(|| WireError::invalid("descriptor", "is missing"))?;
    Ok(EvidenceSummary {
        evidence_id: evidence_id_from_wire(&wire.evidence_id)?,
        put_by: wire.put_by,
        descriptor: descriptor_from_wire(descriptor)?,
        opened_at: Timestamp::from_millis(wire.opened_at_ms),
        sealed_at: Timestamp::from_millis(wire.sealed_at_ms),
        log_index: LogIndex(wire.log_index),
        size: wire.size,
        blake3,
        sha256,
        profile: wire.profile.parse().map_err(|error| WireError::invalid("profile", error))?,
        chunk_size: ChunkSize::new(u64::from(wire.chunk_size))
            .ok_or_else(|| WireError::invalid("chunk_size", "is not a chunk size"))?,
        retain_until: Timestamp::from_millis(wire.retain_until_ms),
        missing_fields: wire.missing_fields,
        missing_shards: wire.missing_shards,
    })
}

/// The wire form of a checkpoint.
#[must_use]
pub fn checkpoint_to_wire(checkpoint: Checkpoint) -> v1::Checkpoint {
    v1::Checkpoint {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: checkpoint.root.to_vec(),
    }
}

/// Parses a checkpoint.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn checkpoint_from_wire(wire: Option<v1::Checkpoint>) -> Result<Checkpoint, WireError> {
    let wire = wire.ok_or_else(|| WireError::invalid("checkpoint", "is missing"))?;
    let root = wire
        .root
        .as_slice()
        .try_into()
        .map_err(|_| WireError::invalid("root", format!("{} bytes", wire.root.len())))?;
    Ok(Checkpoint { origin: wire.origin, size: wire.size, root })
}

/// The wire form of a custody entry.
#[must_use]
pub fn custody_entry_to_wire(entry: CustodyEntry) -> v1::CustodyEntry {
    v1::CustodyEntry {
        index: entry.index.0,
        time_ms: entry.time.as_millis(),
        act: entry.act.name().to_owned(),
        evidence_id: entry.evidence_id.map(|id| id.as_bytes().to_vec()),
        actor: entry.actor,
        detail: entry.detail,
        leaf: entry.leaf,
        record: entry.record,
    }
}

/// Parses a custody entry.
///
/// # Errors
/// `Invalid`, naming the field.
pub fn custody_entry_from_wire(wire: v1::CustodyEntry) -> Result<CustodyEntry, WireError> {
    Ok(CustodyEntry {
        index: LogIndex(wire.index),
        time: Timestamp::from_millis(wire.time_ms),
        act: Act::from_name(&wire.act)
            .ok_or_else(|| unknown("act", &wire.act, Act::ALL.iter().map(|act| act.name())))?,
        evidence_id: wire.evidence_id.as_deref().map(evidence_id_from_wire).transpose()?,
        actor: wire.actor,
        detail: wire.detail,
        leaf: wire.leaf,
        record: wire.record,
    })
}
