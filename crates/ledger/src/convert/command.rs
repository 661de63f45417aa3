use custos_core::{
    DiskGeneration, DiskId, Epoch, EvidenceId, MetaId, Mirror, NodeId, RunId, ShardDamage,
    UploadKey, law::GrantScope,
};

use super::{
    cluster::{level_of, profile_of, shard_counts, slots_of, stored_slots},
    evidence::Layout,
    fixed, mirrored, need, version,
};
use crate::{
    Command, DecodeError, DiskClaim, Envelope, NewVault, proto, proto::envelope::Command as Stored,
};

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
            Command::RecordView { evidence_id, start, end, purpose, scope, grant } => {
                Self::RecordView(proto::RecordView {
                    evidence_id: evidence_id.as_bytes().to_vec(),
                    start: *start,
                    end: *end,
                    purpose: purpose.clone(),
                    // As views were before there were scopes.
                    scope: (*scope != GrantScope::View).then(|| scope.name().to_owned()),
                    grant: grant.clone(),
                })
            }
            Command::RegisterNode { node_id, name, endpoint, labels, run } => {
                Self::RegisterNode(proto::RegisterNode {
                    node_id: node_id.as_bytes().to_vec(),
                    name: name.clone(),
                    endpoint: endpoint.clone(),
                    labels: Some(labels.into()),
                    run: run.as_bytes().to_vec(),
                })
            }
            Command::RegisterDisks { node_id, disks } => {
                Self::RegisterDisks(proto::RegisterDisks {
                    node_id: node_id.as_bytes().to_vec(),
                    disks: disks.iter().map(Into::into).collect(),
                })
            }
            Command::RemoveDisk { disk_id, reason } => Self::RemoveDisk(proto::RemoveDisk {
                disk_id: disk_id.as_bytes().to_vec(),
                reason: reason.clone(),
            }),
            Command::ReleaseDisk { disk_id, reason } => Self::ReleaseDisk(proto::ReleaseDisk {
                disk_id: disk_id.as_bytes().to_vec(),
                reason: reason.clone(),
            }),
            Command::CreateVaults { vaults, planned_at } => {
                Self::CreateVaults(proto::CreateVaults {
                    vaults: vaults.iter().map(Into::into).collect(),
                    planned_at: planned_at.0,
                })
            }
            Command::ReportDamage { disk_id, damage } => Self::ReportDamage(proto::ReportDamage {
                disk_id: disk_id.as_bytes().to_vec(),
                key: Some((&damage.key).into()),
                what: damage.what.clone(),
            }),
            Command::AdoptKey { key_id } => {
                Self::AdoptKey(proto::AdoptKey { key_id: key_id.to_vec() })
            }
            Command::ReportRepair { disk_id, key } => Self::ReportRepair(proto::ReportRepair {
                disk_id: disk_id.as_bytes().to_vec(),
                key: Some(key.into()),
            }),
            Command::AdmitMeta { token, name, endpoint } => Self::AdmitMeta(proto::AdmitMeta {
                token: token.to_vec(),
                name: name.clone(),
                endpoint: endpoint.clone(),
            }),
            Command::RetireMeta { id, reason } => {
                Self::RetireMeta(proto::RetireMeta { meta_id: id.0, reason: reason.clone() })
            }
            Command::Law(command) => {
                Self::Law(proto::LawCommand { command: Some(command.to_message()) })
            }
            Command::KeepTime => Self::KeepTime(proto::KeepTime {}),
            Command::RecordBackup => Self::RecordBackup(proto::RecordBackup {}),
            Command::RestoreLedger { token, source } => Self::RestoreLedger(proto::RestoreLedger {
                token: token.to_vec(),
                source: source.clone(),
            }),
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
                scope: match &it.scope {
                    Some(name) => need("RecordView", "scope", GrantScope::from_name(name))?,
                    None => GrantScope::View,
                },
                grant: it.grant,
            },
            Stored::RegisterNode(it) => {
                const M: &str = "RegisterNode";
                Self::RegisterNode {
                    node_id: NodeId(fixed(M, "node_id", &it.node_id)?),
                    name: it.name,
                    endpoint: it.endpoint,
                    labels: need(M, "labels", it.labels)?.into(),
                    run: RunId(fixed(M, "run", &it.run)?),
                }
            }
            Stored::RegisterDisks(it) => Self::RegisterDisks {
                node_id: NodeId(fixed("RegisterDisks", "node_id", &it.node_id)?),
                disks: it.disks.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            },
            Stored::RemoveDisk(it) => Self::RemoveDisk {
                disk_id: DiskId(fixed("RemoveDisk", "disk_id", &it.disk_id)?),
                reason: it.reason,
            },
            Stored::ReleaseDisk(it) => Self::ReleaseDisk {
                disk_id: DiskId(fixed("ReleaseDisk", "disk_id", &it.disk_id)?),
                reason: it.reason,
            },
            Stored::CreateVaults(it) => Self::CreateVaults {
                vaults: it.vaults.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
                planned_at: Epoch(it.planned_at),
            },
            Stored::ReportDamage(it) => {
                const M: &str = "ReportDamage";
                let key = need(M, "key", it.key)?.try_into()?;
                Self::ReportDamage {
                    disk_id: DiskId(fixed(M, "disk_id", &it.disk_id)?),
                    damage: ShardDamage { key, what: it.what },
                }
            }
            Stored::AdoptKey(it) => {
                Self::AdoptKey { key_id: fixed("AdoptKey", "key_id", &it.key_id)? }
            }
            Stored::ReportRepair(it) => {
                const M: &str = "ReportRepair";
                Self::ReportRepair {
                    disk_id: DiskId(fixed(M, "disk_id", &it.disk_id)?),
                    key: need(M, "key", it.key)?.try_into()?,
                }
            }
            Stored::AdmitMeta(it) => Self::AdmitMeta {
                token: fixed("AdmitMeta", "token", &it.token)?,
                name: it.name,
                endpoint: it.endpoint,
            },
            Stored::RetireMeta(it) => {
                Self::RetireMeta { id: MetaId(it.meta_id), reason: it.reason }
            }
            Stored::Law(it) => {
                let command = need("LawCommand", "command", it.command)?;
                Self::Law(Box::new(mirrored("LawCommand", command)?))
            }
            Stored::KeepTime(proto::KeepTime {}) => Self::KeepTime,
            Stored::RecordBackup(proto::RecordBackup {}) => Self::RecordBackup,
            Stored::RestoreLedger(it) => Self::RestoreLedger {
                token: fixed("RestoreLedger", "token", &it.token)?,
                source: it.source,
            },
        })
    }
}

impl From<&DiskClaim> for proto::DiskClaim {
    fn from(claim: &DiskClaim) -> Self {
        Self {
            disk_id: claim.disk_id.as_bytes().to_vec(),
            name: claim.name.clone(),
            weight: claim.weight,
            generation: claim.generation.0,
            opening: claim.opening.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<proto::DiskClaim> for DiskClaim {
    type Error = DecodeError;

    fn try_from(stored: proto::DiskClaim) -> Result<Self, DecodeError> {
        const M: &str = "DiskClaim";
        Ok(Self {
            disk_id: DiskId(fixed(M, "disk_id", &stored.disk_id)?),
            name: stored.name,
            weight: stored.weight,
            generation: DiskGeneration(stored.generation),
            opening: RunId(fixed(M, "opening", &stored.opening)?),
        })
    }
}

impl From<&NewVault> for proto::NewVault {
    fn from(vault: &NewVault) -> Self {
        let (data_shards, parity_shards) = shard_counts(vault.profile);
        Self {
            data_shards,
            parity_shards,
            level: proto::FailureDomain::from(vault.level).into(),
            slots: stored_slots(&vault.slots),
        }
    }
}

impl TryFrom<proto::NewVault> for NewVault {
    type Error = DecodeError;

    fn try_from(stored: proto::NewVault) -> Result<Self, DecodeError> {
        const M: &str = "NewVault";
        Ok(Self {
            profile: profile_of(M, stored.data_shards, stored.parity_shards)?,
            level: level_of(M, stored.level())?,
            slots: slots_of(M, &stored.slots)?,
        })
    }
}
