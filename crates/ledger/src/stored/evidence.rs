//! `0x10 ‖ virtual shard ‖ evidence id` → `EvidenceLife`: one record per evidence item, from the
//! opening of its upload on.

use custos_core::{Actor, EvidenceId, EvidenceRecord, LogIndex, Timestamp, UploadSession};
use prost::Message;

use super::{own, prefix, sharded_key};
use crate::{
    DecodeError, Kv, KvRead,
    convert::{need, parse},
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
        };
        proto::EvidenceLife { life: Some(life) }.encode_to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let stored: proto::EvidenceLife = parse("EvidenceLife", bytes)?;
        Ok(match need("EvidenceLife", "life", stored.life)? {
            Stored::Open(session) => Self::Open(Box::new(session.try_into()?)),
            Stored::Sealed(record) => Self::Sealed(Box::new(record.try_into()?)),
            Stored::Aborted(aborted) => Self::Aborted(AbortedUpload {
                actor: need("AbortedUpload", "actor", aborted.actor)?.try_into()?,
                aborted_at: Timestamp::from_millis(aborted.aborted_at_ms),
                abort_index: LogIndex(aborted.abort_index),
            }),
        })
    }
}

pub(crate) fn load(kv: &impl KvRead, id: EvidenceId) -> Option<Life> {
    kv.get(&key(id)).map(|bytes| own(Life::decode(&bytes)))
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
