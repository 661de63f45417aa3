use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind,
    EvidenceRecord, LogIndex, Role, Salt, SealedParts, Sha256Hash, Stage, Timestamp, UploadKey,
    UploadSession, VaultId, law::Classification,
};

use super::{
    cluster::{profile_of, shard_counts},
    fixed, need,
};
use crate::{DecodeError, proto};

impl From<&Actor> for proto::Actor {
    fn from(actor: &Actor) -> Self {
        Self {
            name: actor.name.clone(),
            role: actor.role.name().to_owned(),
            fingerprint: actor.fingerprint.to_vec(),
        }
    }
}

impl TryFrom<proto::Actor> for Actor {
    type Error = DecodeError;

    fn try_from(stored: proto::Actor) -> Result<Self, DecodeError> {
        Ok(Self {
            role: need("Actor", "role", Role::from_name(&stored.role))?,
            fingerprint: fixed("Actor", "fingerprint", &stored.fingerprint)?,
            name: stored.name,
        })
    }
}

impl From<&Descriptor> for proto::Descriptor {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            kind: descriptor.kind.name().to_owned(),
            captured_at_ms: descriptor.captured_at.map(Timestamp::as_millis),
            recorder: descriptor.recorder.clone(),
            officers: descriptor.officers.clone(),
            case_id: descriptor.case.clone(),
            stage: descriptor.stage.map(|stage| stage.name().to_owned()),
            place: descriptor.place.clone(),
            note: descriptor.note.clone(),
            file_name: descriptor.file_name.clone(),
            media_type: descriptor.media_type.clone(),
            captured_until_ms: descriptor.captured_until.map(Timestamp::as_millis),
            recording: descriptor.recording.clone(),
            sequence: descriptor.sequence,
            notice_at_ms: descriptor.notice_at_ms,
            device_ahead_ms: descriptor.device_ahead_ms,
            station_at_ms: descriptor.station_at.map(Timestamp::as_millis),
            classification: descriptor.classification.map(|it| it.name().to_owned()),
            source: descriptor.source.clone(),
        }
    }
}

impl TryFrom<proto::Descriptor> for Descriptor {
    type Error = DecodeError;

    fn try_from(stored: proto::Descriptor) -> Result<Self, DecodeError> {
        let stage = match &stored.stage {
            Some(name) => Some(need("Descriptor", "stage", Stage::from_name(name))?),
            None => None,
        };
        let classification = match &stored.classification {
            Some(name) => {
                Some(need("Descriptor", "classification", Classification::from_name(name))?)
            }
            None => None,
        };
        Ok(Self {
            kind: need("Descriptor", "kind", EvidenceKind::from_name(&stored.kind))?,
            captured_at: stored.captured_at_ms.map(Timestamp::from_millis),
            recorder: stored.recorder,
            officers: stored.officers,
            case: stored.case_id,
            stage,
            place: stored.place,
            note: stored.note,
            file_name: stored.file_name,
            media_type: stored.media_type,
            captured_until: stored.captured_until_ms.map(Timestamp::from_millis),
            recording: stored.recording,
            sequence: stored.sequence,
            notice_at_ms: stored.notice_at_ms,
            device_ahead_ms: stored.device_ahead_ms,
            station_at: stored.station_at_ms.map(Timestamp::from_millis),
            classification,
            source: stored.source,
        })
    }
}

/// How the bytes of one evidence item are cut, coded and placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) profile: ErasureProfile,
    pub(super) chunk_size: ChunkSize,
    pub(super) vault: VaultId,
}

impl From<Layout> for proto::Layout {
    fn from(layout: Layout) -> Self {
        let (data_shards, parity_shards) = shard_counts(layout.profile);
        Self {
            data_shards,
            parity_shards,
            chunk_log2: u32::from(layout.chunk_size.log2()),
            vault: layout.vault.0,
        }
    }
}

impl TryFrom<proto::Layout> for Layout {
    type Error = DecodeError;

    fn try_from(stored: proto::Layout) -> Result<Self, DecodeError> {
        let chunk_size = u8::try_from(stored.chunk_log2).ok().and_then(ChunkSize::from_log2);
        Ok(Self {
            profile: profile_of("Layout", stored.data_shards, stored.parity_shards)?,
            chunk_size: need("Layout", "chunk_log2", chunk_size)?,
            vault: VaultId(stored.vault),
        })
    }
}

impl From<&SealedParts> for proto::SealedParts {
    fn from(parts: &SealedParts) -> Self {
        Self {
            size: parts.size,
            blake3: parts.blake3.0.to_vec(),
            sha256: parts.sha256.0.to_vec(),
            head_salt: parts.head_salt.map(|salt| salt.0.to_vec()),
            missing_shards: parts.missing_shards,
        }
    }
}

impl TryFrom<proto::SealedParts> for SealedParts {
    type Error = DecodeError;

    fn try_from(stored: proto::SealedParts) -> Result<Self, DecodeError> {
        let head_salt = match &stored.head_salt {
            Some(salt) => Some(Salt(fixed("SealedParts", "head_salt", salt)?)),
            None => None,
        };
        Ok(Self {
            size: stored.size,
            blake3: Blake3Hash(fixed("SealedParts", "blake3", &stored.blake3)?),
            sha256: Sha256Hash(fixed("SealedParts", "sha256", &stored.sha256)?),
            head_salt,
            missing_shards: stored.missing_shards,
        })
    }
}

impl From<&UploadSession> for proto::UploadSession {
    fn from(session: &UploadSession) -> Self {
        let layout = Layout {
            profile: session.profile,
            chunk_size: session.chunk_size,
            vault: session.vault,
        };
        Self {
            evidence_id: session.evidence_id.as_bytes().to_vec(),
            upload_key: session.upload_key.0.to_vec(),
            actor: Some((&session.actor).into()),
            descriptor: Some((&session.descriptor).into()),
            opened_at_ms: session.opened_at.as_millis(),
            layout: Some(layout.into()),
            wrapped_key: session.wrapped_key.clone(),
            retain_until_ms: session.retain_until.as_millis(),
        }
    }
}

impl TryFrom<proto::UploadSession> for UploadSession {
    type Error = DecodeError;

    fn try_from(stored: proto::UploadSession) -> Result<Self, DecodeError> {
        const M: &str = "UploadSession";
        let layout = Layout::try_from(need(M, "layout", stored.layout)?)?;
        Ok(Self {
            evidence_id: EvidenceId::from_bytes(fixed(M, "evidence_id", &stored.evidence_id)?),
            upload_key: UploadKey(fixed(M, "upload_key", &stored.upload_key)?),
            actor: need(M, "actor", stored.actor)?.try_into()?,
            descriptor: need(M, "descriptor", stored.descriptor)?.try_into()?,
            opened_at: Timestamp::from_millis(stored.opened_at_ms),
            profile: layout.profile,
            chunk_size: layout.chunk_size,
            vault: layout.vault,
            wrapped_key: stored.wrapped_key,
            retain_until: Timestamp::from_millis(stored.retain_until_ms),
        })
    }
}

impl From<&EvidenceRecord> for proto::EvidenceRecord {
    fn from(record: &EvidenceRecord) -> Self {
        let layout =
            Layout { profile: record.profile, chunk_size: record.chunk_size, vault: record.vault };
        Self {
            evidence_id: record.evidence_id.as_bytes().to_vec(),
            actor: Some((&record.actor).into()),
            descriptor: Some((&record.descriptor).into()),
            opened_at_ms: record.opened_at.as_millis(),
            sealed_at_ms: record.sealed_at.as_millis(),
            seal_index: record.seal_index.0,
            parts: Some((&record.parts).into()),
            layout: Some(layout.into()),
            wrapped_key: record.wrapped_key.clone(),
            retain_until_ms: record.retain_until.as_millis(),
        }
    }
}

impl TryFrom<proto::EvidenceRecord> for EvidenceRecord {
    type Error = DecodeError;

    fn try_from(stored: proto::EvidenceRecord) -> Result<Self, DecodeError> {
        const M: &str = "EvidenceRecord";
        let layout = Layout::try_from(need(M, "layout", stored.layout)?)?;
        Ok(Self {
            evidence_id: EvidenceId::from_bytes(fixed(M, "evidence_id", &stored.evidence_id)?),
            actor: need(M, "actor", stored.actor)?.try_into()?,
            descriptor: need(M, "descriptor", stored.descriptor)?.try_into()?,
            opened_at: Timestamp::from_millis(stored.opened_at_ms),
            sealed_at: Timestamp::from_millis(stored.sealed_at_ms),
            seal_index: LogIndex(stored.seal_index),
            parts: need(M, "parts", stored.parts)?.try_into()?,
            profile: layout.profile,
            chunk_size: layout.chunk_size,
            vault: layout.vault,
            wrapped_key: stored.wrapped_key,
            retain_until: Timestamp::from_millis(stored.retain_until_ms),
        })
    }
}
