use std::collections::{BTreeMap, HashMap};

use custos_core::{
    ChunkIndex, ClusterMap, DiskId, DiskRecord, EvidenceId, LogIndex, NodeRecord, Quarantined,
    Salt, ShardDamage, ShardKey, ShardSlot, Timestamp, VaultId,
};

use crate::{WireError, internal_v1, v1};

/// Bytes of a page token of damaged shards: disk, vault, evidence, chunk, slot, salt.
const DAMAGE_TOKEN_BYTES: usize = 16 + 4 + 16 + 4 + 1 + 16;

/// Parses a disk id of 32 hexadecimal digits.
///
/// # Errors
/// `Invalid`, naming `disk_id`.
pub fn disk_id_from_wire(text: &str) -> Result<DiskId, WireError> {
    text.parse().map_err(|error| WireError::invalid("disk_id", error))
}

/// The wire form of the nodes of a map, in its order, each with its disks. `said` has what a node
/// says of itself now, or why it does not answer.
#[must_use]
pub fn nodes_to_wire(
    map: &ClusterMap,
    mut said: HashMap<custos_core::NodeId, Result<internal_v1::StatusResponse, String>>,
) -> Vec<v1::NodeStatus> {
    let mut slots: HashMap<DiskId, u32> = HashMap::new();
    for disk in map.vaults.iter().flat_map(|vault| &vault.slots) {
        *slots.entry(*disk).or_default() += 1;
    }
    let slots_on = |disk: DiskId| slots.get(&disk).copied().unwrap_or_default();
    map.nodes
        .iter()
        .map(|node| {
            let disks = map.disks.iter().filter(|disk| disk.node_id == node.node_id);
            let said = said.remove(&node.node_id);
            let said = said.unwrap_or_else(|| Err("it was not asked".to_owned()));
            node_to_wire(node, disks, said, &slots_on)
        })
        .collect()
}

fn node_to_wire<'a>(
    node: &NodeRecord,
    disks: impl Iterator<Item = &'a DiskRecord>,
    said: Result<internal_v1::StatusResponse, String>,
    slots_on: &impl Fn(DiskId) -> u32,
) -> v1::NodeStatus {
    let (said, unreachable) = match said {
        Ok(said) => (said, String::new()),
        Err(why) => (internal_v1::StatusResponse::default(), why),
    };
    let disks: Vec<&DiskRecord> = disks.collect();
    let is_known = |disk: &internal_v1::DiskStatus| {
        disks.iter().any(|known| known.disk_id.as_bytes().as_slice() == disk.disk_id)
    };
    let (known, strange): (Vec<_>, Vec<_>) = said.disks.into_iter().partition(is_known);
    let mut reports: HashMap<Vec<u8>, v1::DiskReport> =
        known.into_iter().map(|disk| (disk.disk_id.clone(), disk_report_to_wire(disk))).collect();
    let strange_disks = strange
        .into_iter()
        .filter(|disk| !disk.offline.is_empty())
        .map(|disk| v1::StrangeDisk { name: disk.name, offline: disk.offline })
        .collect();
    let disks = disks
        .into_iter()
        .map(|disk| v1::DiskStatus {
            disk_id: disk.disk_id.to_string(),
            name: disk.name.clone(),
            state: disk.state.name().to_owned(),
            weight: disk.weight,
            generation: disk.generation.0,
            slots: slots_on(disk.disk_id),
            report: reports.remove(disk.disk_id.as_bytes().as_slice()),
        })
        .collect();
    v1::NodeStatus {
        node_id: node.node_id.to_string(),
        name: node.name.clone(),
        endpoint: node.endpoint.clone(),
        zone: node.labels.zone.clone(),
        rack: node.labels.rack.clone(),
        host: node.labels.host.clone(),
        unreachable,
        version: said.version,
        disks,
        strange_disks,
    }
}

/// What a disk says of itself, as the public API shows it.
#[must_use]
pub fn disk_report_to_wire(disk: internal_v1::DiskStatus) -> v1::DiskReport {
    v1::DiskReport {
        kind: disk.kind,
        offline: disk.offline,
        suspect: disk.suspect,
        shards: disk.shards,
        payload_bytes: disk.payload_bytes,
        stored_bytes: disk.stored_bytes,
        total_bytes: disk.total_bytes,
        free_bytes: disk.free_bytes,
        fullness: disk.fullness,
        io_errors: disk.io_errors,
        quarantined: disk.quarantined,
        scrub: disk.scrub.map(scrub_to_wire),
    }
}

fn scrub_to_wire(scrub: internal_v1::ScrubStatus) -> v1::ScrubReport {
    let time = |millis| match millis {
        0 => String::new(),
        some => Timestamp::from_millis(some).to_string(),
    };
    v1::ScrubReport {
        pass_started: time(scrub.pass_started_ms),
        pass_ended: time(scrub.pass_ended_ms),
        shards_checked: scrub.shards_checked,
        bytes_checked: scrub.bytes_checked,
        damaged: scrub.damaged,
        damaged_ever: scrub.damaged_ever,
        progress_permille: scrub.progress_permille,
        bytes_per_second: scrub.bytes_per_second,
        period_days: scrub.period_days,
        paused: scrub.paused,
    }
}

/// How many vaults there are of each profile and level.
#[must_use]
pub fn vault_groups_to_wire(map: &ClusterMap) -> Vec<v1::VaultGroup> {
    let mut groups: BTreeMap<_, u32> = BTreeMap::new();
    for vault in &map.vaults {
        *groups.entry((vault.profile, vault.level)).or_default() += 1;
    }
    groups
        .into_iter()
        .map(|((profile, level), vaults)| v1::VaultGroup {
            profile: profile.to_string(),
            level: level.to_string(),
            vaults,
        })
        .collect()
}

/// The wire form of a damaged shard on record.
#[must_use]
pub fn damage_to_wire(
    disk: DiskId,
    damage: &ShardDamage,
    reported_at: Timestamp,
    log_index: LogIndex,
) -> v1::DamagedShard {
    let ShardKey { vault, evidence_id, chunk, slot, salt } = damage.key;
    v1::DamagedShard {
        disk_id: disk.to_string(),
        vault: vault.0,
        evidence_id: evidence_id.to_string(),
        chunk: chunk.to_string(),
        slot: u32::from(slot.0),
        salt: salt.to_string(),
        what: damage.what.clone(),
        reported_at: reported_at.to_string(),
        log_index: log_index.0,
    }
}

/// The page token that continues after a damaged shard.
#[must_use]
pub fn damage_token_to_wire(disk: DiskId, key: &ShardKey) -> Vec<u8> {
    let ShardKey { vault, evidence_id, chunk, slot, salt } = key;
    let mut token = Vec::with_capacity(DAMAGE_TOKEN_BYTES);
    token.extend_from_slice(disk.as_bytes());
    token.extend_from_slice(&vault.0.to_be_bytes());
    token.extend_from_slice(evidence_id.as_bytes());
    token.extend_from_slice(&chunk.0.to_be_bytes());
    token.push(slot.0);
    token.extend_from_slice(salt.as_bytes());
    token
}

/// Parses a page token of damaged shards; an empty one begins at the first.
///
/// # Errors
/// `Invalid`, naming `page_token`.
pub fn damage_token_from_wire(token: &[u8]) -> Result<Option<(DiskId, ShardKey)>, WireError> {
    if token.is_empty() {
        return Ok(None);
    }
    let unknown = || WireError::invalid("page_token", "is not one that this service gave");
    let parse = || {
        let (disk, rest) = token.split_first_chunk()?;
        let (vault, rest) = rest.split_first_chunk()?;
        let (evidence_id, rest) = rest.split_first_chunk()?;
        let (chunk, rest) = rest.split_first_chunk()?;
        let ([slot], rest) = rest.split_first_chunk()?;
        let salt = rest.try_into().ok()?;
        let key = ShardKey {
            vault: VaultId(u32::from_be_bytes(*vault)),
            evidence_id: EvidenceId::from_bytes(*evidence_id),
            chunk: ChunkIndex(u32::from_be_bytes(*chunk)),
            slot: ShardSlot(*slot),
            salt: Salt(salt),
        };
        Some((DiskId(*disk), key))
    };
    parse().map(Some).ok_or_else(unknown)
}

/// The wire form of something that a disk does not know.
#[must_use]
pub fn quarantined_to_wire(item: Quarantined) -> v1::QuarantinedItem {
    v1::QuarantinedItem { place: item.place, len: item.len, reason: item.reason }
}

#[cfg(test)]
mod tests {
    use custos_core::{
        DiskGeneration, DiskState, Epoch, ErasureProfile, FailureDomain, Labels, NodeId, RunId,
        VaultRecord,
    };

    use super::*;

    fn key() -> ShardKey {
        ShardKey {
            vault: VaultId(7),
            evidence_id: EvidenceId::from_bytes([3; 16]),
            chunk: ChunkIndex::CROWN,
            slot: ShardSlot(5),
            salt: Salt([9; 16]),
        }
    }

    #[test]
    fn page_tokens_of_damage_round_trip_and_any_other_is_refused() {
        let token = damage_token_to_wire(DiskId([1; 16]), &key());
        assert_eq!(token.len(), DAMAGE_TOKEN_BYTES);
        assert_eq!(damage_token_from_wire(&token), Ok(Some((DiskId([1; 16]), key()))));
        assert_eq!(damage_token_from_wire(&[]), Ok(None));
        for len in 1..token.len() {
            let error = damage_token_from_wire(&token[..len]).expect_err("cut short");
            assert_eq!(error.field.as_deref(), Some("page_token"));
        }
        assert!(damage_token_from_wire(&[token.as_slice(), &[0]].concat()).is_err());
    }

    #[test]
    fn a_node_that_does_not_answer_is_shown_with_its_disks_and_why() {
        let node_id = NodeId([2; 16]);
        let disk_id = DiskId([4; 16]);
        let map = ClusterMap {
            epoch: Epoch(3),
            nodes: vec![NodeRecord {
                node_id,
                name: "north".to_owned(),
                endpoint: "https://north:7400".to_owned(),
                labels: Labels { host: "north".to_owned(), ..Labels::default() },
                run: RunId([0; 16]),
                registered_at: Timestamp::from_millis(0),
            }],
            disks: vec![DiskRecord {
                disk_id,
                node_id,
                name: "disk 0".to_owned(),
                weight: 10,
                generation: DiskGeneration(1),
                opening: RunId([0; 16]),
                state: DiskState::InService,
            }],
            vaults: vec![VaultRecord {
                vault_id: VaultId(0),
                profile: ErasureProfile::P2_1,
                level: FailureDomain::Disk,
                slots: vec![disk_id],
                epoch: Epoch(3),
            }],
        };
        let nodes = nodes_to_wire(&map, [(node_id, Err("no route".to_owned()))].into());
        assert_eq!(nodes[0].unreachable, "no route");
        assert_eq!((nodes[0].disks[0].slots, &nodes[0].disks[0].report), (1, &None));
        let report = internal_v1::DiskStatus {
            disk_id: disk_id.as_bytes().to_vec(),
            shards: 42,
            ..internal_v1::DiskStatus::default()
        };
        let strange = internal_v1::DiskStatus {
            name: "disk 1".to_owned(),
            offline: "there is no bucket footage".to_owned(),
            ..internal_v1::DiskStatus::default()
        };
        let said = internal_v1::StatusResponse {
            disks: vec![report, strange],
            ..internal_v1::StatusResponse::default()
        };
        let nodes = nodes_to_wire(&map, [(node_id, Ok(said))].into());
        let report = nodes[0].disks[0].report.as_ref().expect("it answers");
        assert_eq!((report.shards, nodes[0].unreachable.as_str()), (42, ""));
        let [strange] = &nodes[0].strange_disks[..] else { panic!("one the map does not know") };
        assert_eq!(strange.offline, "there is no bucket footage");
        let group = &vault_groups_to_wire(&map)[0];
        assert_eq!(
            (group.profile.as_str(), group.level.as_str(), group.vaults),
            ("2+1", "disk", 1)
        );
    }
}
