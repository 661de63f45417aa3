//! `0x10 ‖ virtual shard ‖ evidence id` → `EvidenceLife`: one record per evidence item, from the
//! opening of its upload on.

use custos_core::{
    Actor, EvidenceId, EvidenceRecord, LogIndex, Mirror, Timestamp, UploadSession,
    law::{Classification, Tombstone},
};
use prost::Message;

use super::{own, prefix, sharded_key};
use crate::{
    DecodeError, Kv, KvRead,
    convert::{mirrored, need, parse},
    proto,
    proto::evidence_life::Life as Stored,
};

/// Where evidence is in its life, with what is kept of it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    /// Being uploaded.
    Open(Box<UploadSession>),
    /// Sealed.
    Sealed(Box<EvidenceRecord>),
    /// Given up before it was sealed.
    Aborted(AbortedUpload),
    /// Lawfully ended.
    Ended(Box<EndedEvidence>),
}

/// What remains of evidence that has lawfully ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndedEvidence {
    /// Who put it.
    pub(crate) actor: Actor,
    /// The unit that it belonged to when it ended.
    pub(crate) unit: Option<String>,
    /// What counted for it then: what the custody log says of it is as secret as it was.
    pub(crate) classification: Classification,
    pub(crate) tombstone: Tombstone,
}

/// What remains of an upload that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AbortedUpload {
    pub(crate) actor: Actor,
    pub(crate) aborted_at: Timestamp,
    pub(crate) abort_index: LogIndex,
}

impl Life {
    /// Who opened the upload.
    pub(crate) fn actor(&self) -> &Actor {
        match self {
            Self::Open(session) => &session.actor,
            Self::Sealed(record) => &record.actor,
            Self::Aborted(aborted) => &aborted.actor,
            Self::Ended(ended) => &ended.actor,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let life = match self {
            Self::Open(session) => Stored::Open(session.as_ref().into()),
            Self::Sealed(record) => Stored::Sealed(record.as_ref().into()),
            Self::Aborted(aborted) => Stored::Aborted(proto::AbortedUpload {
                actor: Some((&aborted.actor).into()),
                aborted_at_ms: aborted.aborted_at.as_millis(),
                abort_index: aborted.abort_index.0,
            }),
            Self::Ended(ended) => Stored::Ended(ended.as_ref().into()),
        };
        proto::EvidenceLife { life: Some(life) }.encode_to_vec()
    }

    pub(crate) fn decode(id: EvidenceId, bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: proto::EvidenceLife = parse("EvidenceLife", bytes)?;
        Ok(match need("EvidenceLife", "life", stored.life)? {
            Stored::Open(session) => Self::Open(Box::new(session.try_into()?)),
            Stored::Sealed(record) => Self::Sealed(Box::new(record.try_into()?)),
            Stored::Aborted(aborted) => Self::Aborted(AbortedUpload {
                actor: need("AbortedUpload", "actor", aborted.actor)?.try_into()?,
                aborted_at: Timestamp::from_millis(aborted.aborted_at_ms),
                abort_index: LogIndex(aborted.abort_index),
            }),
            Stored::Ended(ended) => Self::Ended(Box::new(ended_of(id, ended)?)),
        })
    }
}

impl From<&EndedEvidence> for proto::EndedEvidence {
    fn from(ended: &EndedEvidence) -> Self {
        let tombstone = &ended.tombstone;
        Self {
            actor: Some((&ended.actor).into()),
            size: tombstone.size,
            blake3: tombstone.blake3.to_message(),
            sha256: tombstone.sha256.to_message(),
            sealed_at_ms: tombstone.sealed_at.as_millis(),
            seal_index: tombstone.seal_index.0,
            disposition: tombstone.disposition.clone(),
            order_index: tombstone.order_index.0,
            ended_at_ms: tombstone.ended_at.as_millis(),
            end_index: tombstone.end_index.0,
            unit: ended.unit.clone(),
            classification: Some(ended.classification.name().to_owned()),
        }
    }
}

fn ended_of(
    evidence: EvidenceId,
    stored: proto::EndedEvidence,
) -> Result<EndedEvidence, DecodeError> {
    const M: &str = "EndedEvidence";
    Ok(EndedEvidence {
        actor: need(M, "actor", stored.actor)?.try_into()?,
        unit: stored.unit,
        classification: match &stored.classification {
            Some(name) => need(M, "classification", Classification::from_name(name))?,
            // Of a store from before it was kept: as secret as anything may be.
            None => Classification::StateSecret,
        },
        tombstone: Tombstone {
            evidence,
            size: stored.size,
            blake3: mirrored(M, stored.blake3)?,
            sha256: mirrored(M, stored.sha256)?,
            sealed_at: Timestamp::from_millis(stored.sealed_at_ms),
            seal_index: LogIndex(stored.seal_index),
            disposition: stored.disposition,
            order_index: LogIndex(stored.order_index),
            ended_at: Timestamp::from_millis(stored.ended_at_ms),
            end_index: LogIndex(stored.end_index),
        },
    })
}

pub(crate) fn load(kv: &impl KvRead, id: EvidenceId) -> Option<Life> {
    kv.get(&key(id)).map(|bytes| own(Life::decode(id, &bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, id: EvidenceId, life: &Life) {
    kv.put(&key(id), life.encode());
}

/// Saves an upload that begins, and gives it back.
pub(crate) fn save_open(kv: &mut impl Kv, session: UploadSession) -> Box<UploadSession> {
    let stored = Stored::Open((&session).into());
    kv.put(&key(session.evidence_id), proto::EvidenceLife { life: Some(stored) }.encode_to_vec());
    Box::new(session)
}

/// Saves evidence that is sealed now, and gives it back.
pub(crate) fn save_sealed(kv: &mut impl Kv, record: EvidenceRecord) -> Box<EvidenceRecord> {
    let stored = Stored::Sealed((&record).into());
    kv.put(&key(record.evidence_id), proto::EvidenceLife { life: Some(stored) }.encode_to_vec());
    Box::new(record)
}

fn key(id: EvidenceId) -> Vec<u8> {
    sharded_key(prefix::EVIDENCE, id.as_bytes())
}
