use custos_core::{
    ChunkIndex, DiskGeneration, DiskId, DiskRecord, DiskState, Epoch, ErasureProfile, EvidenceId,
    FailureDomain, Labels, LogIndex, NodeId, NodeRecord, RunId, Salt, ShardDamage, ShardKey,
    ShardSlot, Timestamp, VaultId, VaultRecord,
};

use super::{fixed, need};
use crate::{DamageRecord, DecodeError, proto};

/// k and m as they are stored.
pub(super) fn shard_counts(profile: ErasureProfile) -> (u32, u32) {
    let count = |shards: usize| u32::try_from(shards).expect("a profile has at most 14 shards");
    (count(profile.data()), count(profile.parity()))
}

/// The known profile with these stored counts.
pub(super) fn profile_of(
    message: &'static str,
    data_shards: u32,
    parity_shards: u32,
) -> Result<ErasureProfile, DecodeError> {
    let profile = u8::try_from(data_shards)
        .ok()
        .zip(u8::try_from(parity_shards).ok())
        .and_then(|(data, parity)| ErasureProfile::new(data, parity));
    need(message, "data_shards+parity_shards", profile)
}

impl From<FailureDomain> for proto::FailureDomain {
    fn from(level: FailureDomain) -> Self {
        match level {
            FailureDomain::Zone => Self::Zone,
            FailureDomain::Rack => Self::Rack,
            FailureDomain::Host => Self::Host,
            FailureDomain::Disk => Self::Disk,
        }
    }
}

pub(super) fn level_of(
    message: &'static str,
    stored: proto::FailureDomain,
) -> Result<FailureDomain, DecodeError> {
    let level = FailureDomain::ALL.into_iter().find(|it| proto::FailureDomain::from(*it) == stored);
    need(message, "level", level)
}

/// Disks of slots as they are stored.
pub(super) fn stored_slots(slots: &[DiskId]) -> Vec<Vec<u8>> {
    slots.iter().map(|disk| disk.as_bytes().to_vec()).collect()
}

pub(super) fn slots_of(
    message: &'static str,
    stored: &[Vec<u8>],
) -> Result<Vec<DiskId>, DecodeError> {
    stored.iter().map(|disk| fixed(message, "slots", disk).map(DiskId)).collect()
}

impl From<&Labels> for proto::Labels {
    fn from(labels: &Labels) -> Self {
        Self { zone: labels.zone.clone(), rack: labels.rack.clone(), host: labels.host.clone() }
    }
}

impl From<proto::Labels> for Labels {
    fn from(stored: proto::Labels) -> Self {
        Self { zone: stored.zone, rack: stored.rack, host: stored.host }
    }
}

impl From<&NodeRecord> for proto::NodeRecord {
    fn from(node: &NodeRecord) -> Self {
        Self {
            node_id: node.node_id.as_bytes().to_vec(),
            name: node.name.clone(),
            endpoint: node.endpoint.clone(),
            labels: Some((&node.labels).into()),
            run: node.run.as_bytes().to_vec(),
            registered_at_ms: node.registered_at.as_millis(),
        }
    }
}

impl TryFrom<proto::NodeRecord> for NodeRecord {
    type Error = DecodeError;

    fn try_from(stored: proto::NodeRecord) -> Result<Self, DecodeError> {
        const M: &str = "NodeRecord";
        Ok(Self {
            node_id: NodeId(fixed(M, "node_id", &stored.node_id)?),
            name: stored.name,
            endpoint: stored.endpoint,
            labels: need(M, "labels", stored.labels)?.into(),
            run: RunId(fixed(M, "run", &stored.run)?),
            registered_at: Timestamp::from_millis(stored.registered_at_ms),
        })
    }
}

impl From<&DiskRecord> for proto::DiskRecord {
    fn from(disk: &DiskRecord) -> Self {
        let state = match disk.state {
            DiskState::InService => proto::DiskState::InService,
            DiskState::Removed => proto::DiskState::Removed,
            DiskState::Released => proto::DiskState::Released,
        };
        Self {
            disk_id: disk.disk_id.as_bytes().to_vec(),
            node_id: disk.node_id.as_bytes().to_vec(),
            name: disk.name.clone(),
            weight: disk.weight,
            generation: disk.generation.0,
            opening: disk.opening.as_bytes().to_vec(),
            state: state.into(),
        }
    }
}

impl TryFrom<proto::DiskRecord> for DiskRecord {
    type Error = DecodeError;

    fn try_from(stored: proto::DiskRecord) -> Result<Self, DecodeError> {
        const M: &str = "DiskRecord";
        let state = match stored.state() {
            proto::DiskState::InService => Some(DiskState::InService),
            proto::DiskState::Removed => Some(DiskState::Removed),
            proto::DiskState::Released => Some(DiskState::Released),
            proto::DiskState::Unspecified => None,
        };
        Ok(Self {
            disk_id: DiskId(fixed(M, "disk_id", &stored.disk_id)?),
            node_id: NodeId(fixed(M, "node_id", &stored.node_id)?),
            name: stored.name,
            weight: stored.weight,
            generation: DiskGeneration(stored.generation),
            opening: RunId(fixed(M, "opening", &stored.opening)?),
            state: need(M, "state", state)?,
        })
    }
}

impl From<&VaultRecord> for proto::VaultRecord {
    fn from(vault: &VaultRecord) -> Self {
        let (data_shards, parity_shards) = shard_counts(vault.profile);
        Self {
            vault: vault.vault_id.0,
            data_shards,
            parity_shards,
            level: proto::FailureDomain::from(vault.level).into(),
            slots: stored_slots(&vault.slots),
            epoch: vault.epoch.0,
        }
    }
}

impl TryFrom<proto::VaultRecord> for VaultRecord {
    type Error = DecodeError;

    fn try_from(stored: proto::VaultRecord) -> Result<Self, DecodeError> {
        const M: &str = "VaultRecord";
        Ok(Self {
            vault_id: VaultId(stored.vault),
            profile: profile_of(M, stored.data_shards, stored.parity_shards)?,
            level: level_of(M, stored.level())?,
            slots: slots_of(M, &stored.slots)?,
            epoch: Epoch(stored.epoch),
        })
    }
}

impl From<&ShardKey> for proto::ShardKey {
    fn from(key: &ShardKey) -> Self {
        Self {
            vault: key.vault.0,
            evidence_id: key.evidence_id.as_bytes().to_vec(),
            chunk: key.chunk.0,
            slot: key.slot.0.into(),
            salt: key.salt.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<proto::ShardKey> for ShardKey {
    type Error = DecodeError;

    fn try_from(stored: proto::ShardKey) -> Result<Self, DecodeError> {
        const M: &str = "ShardKey";
        Ok(Self {
            vault: VaultId(stored.vault),
            evidence_id: EvidenceId::from_bytes(fixed(M, "evidence_id", &stored.evidence_id)?),
            chunk: ChunkIndex(stored.chunk),
            slot: ShardSlot(need(M, "slot", u8::try_from(stored.slot).ok())?),
            salt: Salt(fixed(M, "salt", &stored.salt)?),
        })
    }
}

impl From<&DamageRecord> for proto::DamageRecord {
    fn from(record: &DamageRecord) -> Self {
        Self {
            disk_id: record.disk_id.as_bytes().to_vec(),
            key: Some((&record.damage.key).into()),
            what: record.damage.what.clone(),
            reported_at_ms: record.reported_at.as_millis(),
            log_index: record.log_index.0,
        }
    }
}

impl TryFrom<proto::DamageRecord> for DamageRecord {
    type Error = DecodeError;

    fn try_from(stored: proto::DamageRecord) -> Result<Self, DecodeError> {
        const M: &str = "DamageRecord";
        let key = need(M, "key", stored.key)?.try_into()?;
        Ok(Self {
            disk_id: DiskId(fixed(M, "disk_id", &stored.disk_id)?),
            damage: ShardDamage { key, what: stored.what },
            reported_at: Timestamp::from_millis(stored.reported_at_ms),
            log_index: LogIndex(stored.log_index),
        })
    }
}
