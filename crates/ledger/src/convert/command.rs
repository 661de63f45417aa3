use custos_core::{EvidenceId, UploadKey};

use super::{evidence::Layout, fixed, need, version};
use crate::{Command, DecodeError, Envelope, proto, proto::envelope::Command as Stored};

/// Version of the `Envelope` message that this software writes.
pub(crate) const ENVELOPE_VERSION: u32 = 1;

impl From<&Envelope> for proto::Envelope {
    fn from(envelope: &Envelope) -> Self {
        Self {
            version: ENVELOPE_VERSION,
            request_id: envelope.request_id.to_vec(),
            actor: Some((&envelope.actor).into()),
            entry_salt: envelope.entry_salt.to_vec(),
            command: Some((&envelope.command).into()),
        }
    }
}

impl TryFrom<proto::Envelope> for Envelope {
    type Error = DecodeError;

    fn try_from(stored: proto::Envelope) -> Result<Self, DecodeError> {
        const M: &str = "Envelope";
        version(M, stored.version, ENVELOPE_VERSION)?;
        Ok(Self {
            request_id: fixed(M, "request_id", &stored.request_id)?,
            actor: need(M, "actor", stored.actor)?.try_into()?,
            entry_salt: fixed(M, "entry_salt", &stored.entry_salt)?,
            command: need(M, "command", stored.command)?.try_into()?,
        })
    }
}

impl From<&Command> for Stored {
    fn from(command: &Command) -> Self {
        match command {
            Command::InitCluster { origin, policy } => Self::InitCluster(proto::InitCluster {
                origin: origin.clone(),
                policy: Some(policy.into()),
            }),
            Command::OpenUpload {
                upload_key,
                evidence_id,
                descriptor,
                profile,
                chunk_size,
                vault,
                wrapped_key,
            } => {
                let layout = Layout { profile: *profile, chunk_size: *chunk_size, vault: *vault };
                Self::OpenUpload(proto::OpenUpload {
                    upload_key: upload_key.0.to_vec(),
                    evidence_id: evidence_id.as_bytes().to_vec(),
                    descriptor: Some(descriptor.into()),
                    layout: Some(layout.into()),
                    wrapped_key: wrapped_key.clone(),
                })
            }
            Command::Seal { evidence_id, parts } => Self::Seal(proto::Seal {
                evidence_id: evidence_id.as_bytes().to_vec(),
                parts: Some(parts.into()),
            }),
            Command::AbortUpload { evidence_id, reason } => Self::AbortUpload(proto::AbortUpload {
                evidence_id: evidence_id.as_bytes().to_vec(),
                reason: reason.clone(),
            }),
            Command::RecordView { evidence_id, start, end, purpose } => {
                Self::RecordView(proto::RecordView {
                    evidence_id: evidence_id.as_bytes().to_vec(),
                    start: *start,
                    end: *end,
                    purpose: purpose.clone(),
                })
            }
        }
    }
}

impl TryFrom<Stored> for Command {
    type Error = DecodeError;

    fn try_from(stored: Stored) -> Result<Self, DecodeError> {
        let id = |message, bytes: &[u8]| {
            fixed(message, "evidence_id", bytes).map(EvidenceId::from_bytes)
        };
        Ok(match stored {
            Stored::InitCluster(it) => Self::InitCluster {
                origin: it.origin,
                policy: need("InitCluster", "policy", it.policy)?.try_into()?,
            },
            Stored::OpenUpload(it) => {
                const M: &str = "OpenUpload";
                let layout = Layout::try_from(need(M, "layout", it.layout)?)?;
                Self::OpenUpload {
                    upload_key: UploadKey(fixed(M, "upload_key", &it.upload_key)?),
                    evidence_id: id(M, &it.evidence_id)?,
                    descriptor: need(M, "descriptor", it.descriptor)?.try_into()?,
                    profile: layout.profile,
                    chunk_size: layout.chunk_size,
                    vault: layout.vault,
                    wrapped_key: it.wrapped_key,
                }
            }
            Stored::Seal(it) => Self::Seal {
                evidence_id: id("Seal", &it.evidence_id)?,
                parts: need("Seal", "parts", it.parts)?.try_into()?,
            },
            Stored::AbortUpload(it) => Self::AbortUpload {
                evidence_id: id("AbortUpload", &it.evidence_id)?,
                reason: it.reason,
            },
            Stored::RecordView(it) => Self::RecordView {
                evidence_id: id("RecordView", &it.evidence_id)?,
                start: it.start,
                end: it.end,
                purpose: it.purpose,
            },
        })
    }
}
