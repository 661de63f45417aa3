use std::{fmt::Display, str::FromStr};

use custos_core::{
    ChunkIndex, DiskGeneration, DiskState, Epoch, Fullness, Labels, LogIndex, MetaId,
    MetaMemberState, Quarantined, ShardDamage, ShardKey, ShardSlot, VaultId,
};
use custos_wire::v1;

use super::{
    ClusterStatus, DamagePage, DamagedShard, DiskReport, DiskStatus, LedgerGroup, MetaGroup,
    MetaMember, MetaReport, MetaVote, NodeStatus, ScrubReport, StrangeDisk, VaultGroup,
};
use crate::ClientError;

pub(super) fn cluster_status(
    status: v1::ClusterStatusResponse,
) -> Result<ClusterStatus, ClientError> {
    Ok(ClusterStatus {
        origin: status.origin,
        epoch: Epoch(status.epoch),
        time: parsed("time", &status.time)?,
        nodes: all(status.nodes, node_status)?,
        vaults: all(status.vaults, vault_group)?,
        damaged_shards: status.damaged_shards,
        ledger_groups: status.ledger_groups.into_iter().map(ledger_group).collect(),
        meta: MetaGroup {
            members: meta_members(status.meta)?,
            unreachable: said(status.meta_unreachable),
        },
    })
}

fn ledger_group(group: v1::LedgerGroup) -> LedgerGroup {
    let shards = group.shards.into_iter().map(|range| (range.first, range.last));
    LedgerGroup {
        id: group.id,
        is_system: group.system,
        shards: shards.collect(),
        endpoints: group.endpoints,
    }
}

pub(super) fn meta_members(members: Vec<v1::MetaMember>) -> Result<Vec<MetaMember>, ClientError> {
    all(members, meta_member)
}

fn meta_member(member: v1::MetaMember) -> Result<MetaMember, ClientError> {
    let state = said(member.state);
    let state = state.map(|state| named("meta.state", &state, &META_STATES, MetaMemberState::name));
    Ok(MetaMember {
        id: MetaId(member.id),
        name: said(member.name),
        endpoint: member.endpoint,
        vote: named("meta.vote", &member.vote, &MetaVote::ALL, MetaVote::name)?,
        state: state.transpose()?,
        unreachable: said(member.unreachable),
        report: member.report.map(meta_report).transpose()?,
    })
}

const META_STATES: [MetaMemberState; 2] = [MetaMemberState::Admitted, MetaMemberState::Retired];

fn meta_report(report: v1::MetaReport) -> Result<MetaReport, ClientError> {
    Ok(MetaReport {
        role: report.role,
        term: report.term,
        leader: (report.leader != 0).then_some(MetaId(report.leader)),
        last_log: report.last_log,
        applied: report.applied,
        snapshot: report.snapshot,
        clock: parsed("meta.report.clock", &report.clock)?,
    })
}

fn vault_group(group: v1::VaultGroup) -> Result<VaultGroup, ClientError> {
    Ok(VaultGroup {
        profile: parsed("vaults.profile", &group.profile)?,
        level: parsed("vaults.level", &group.level)?,
        vaults: group.vaults,
    })
}

fn node_status(node: v1::NodeStatus) -> Result<NodeStatus, ClientError> {
    Ok(NodeStatus {
        node_id: parsed("nodes.node_id", &node.node_id)?,
        name: node.name,
        endpoint: node.endpoint,
        labels: Labels { zone: node.zone, rack: node.rack, host: node.host },
        unreachable: said(node.unreachable),
        version: said(node.version),
        disks: all(node.disks, disk_status)?,
        strange_disks: node.strange_disks.into_iter().map(strange_disk).collect(),
    })
}

fn strange_disk(disk: v1::StrangeDisk) -> StrangeDisk {
    StrangeDisk { name: disk.name, offline: disk.offline }
}

fn disk_status(disk: v1::DiskStatus) -> Result<DiskStatus, ClientError> {
    Ok(DiskStatus {
        disk_id: parsed("disks.disk_id", &disk.disk_id)?,
        name: disk.name,
        state: named("disks.state", &disk.state, &DISK_STATES, DiskState::name)?,
        weight: disk.weight,
        generation: DiskGeneration(disk.generation),
        slots: disk.slots,
        report: disk.report.map(disk_report).transpose()?,
    })
}

const DISK_STATES: [DiskState; 3] = [DiskState::InService, DiskState::Released, DiskState::Removed];

fn disk_report(report: v1::DiskReport) -> Result<DiskReport, ClientError> {
    Ok(DiskReport {
        kind: report.kind,
        offline: said(report.offline),
        suspect: said(report.suspect),
        shards: report.shards,
        payload_bytes: report.payload_bytes,
        stored_bytes: report.stored_bytes,
        total_bytes: report.total_bytes,
        free_bytes: report.free_bytes,
        fullness: named("report.fullness", &report.fullness, &Fullness::ALL, Fullness::name)?,
        io_errors: report.io_errors,
        quarantined: report.quarantined,
        scrub: report.scrub.map(scrub_report).transpose()?,
    })
}

fn scrub_report(scrub: v1::ScrubReport) -> Result<ScrubReport, ClientError> {
    let time =
        |field: &'static str, text: String| said(text).map(|text| parsed(field, &text)).transpose();
    Ok(ScrubReport {
        pass_started: time("scrub.pass_started", scrub.pass_started)?,
        pass_ended: time("scrub.pass_ended", scrub.pass_ended)?,
        shards_checked: scrub.shards_checked,
        bytes_checked: scrub.bytes_checked,
        damaged: scrub.damaged,
        damaged_ever: scrub.damaged_ever,
        progress_permille: scrub.progress_permille,
        bytes_per_second: scrub.bytes_per_second,
        period_days: scrub.period_days,
        paused: scrub.paused,
    })
}

pub(super) fn damage_page(page: v1::ListDamageResponse) -> Result<DamagePage, ClientError> {
    Ok(DamagePage {
        items: all(page.items, damaged_shard)?,
        next: (!page.next_page_token.is_empty()).then_some(page.next_page_token),
        total: page.total,
    })
}

fn damaged_shard(item: v1::DamagedShard) -> Result<DamagedShard, ClientError> {
    let chunk = if item.chunk == ChunkIndex::CROWN.to_string() {
        ChunkIndex::CROWN
    } else {
        ChunkIndex(parsed("items.chunk", &item.chunk)?)
    };
    let slot = u8::try_from(item.slot)
        .map_err(|_| unreadable("items.slot", &item.slot.to_string(), "at most 255"))?;
    Ok(DamagedShard {
        disk_id: parsed("items.disk_id", &item.disk_id)?,
        damage: ShardDamage {
            key: ShardKey {
                vault: VaultId(item.vault),
                evidence_id: parsed("items.evidence_id", &item.evidence_id)?,
                chunk,
                slot: ShardSlot(slot),
                salt: parsed("items.salt", &item.salt)?,
            },
            what: item.what,
        },
        reported_at: parsed("items.reported_at", &item.reported_at)?,
        log_index: LogIndex(item.log_index),
    })
}

pub(super) fn quarantined(item: v1::QuarantinedItem) -> Quarantined {
    Quarantined { place: item.place, len: item.len, reason: item.reason }
}

/// A field of an answer that is text on the wire and a type of the domain here.
pub(super) fn parsed<T>(field: &'static str, text: &str) -> Result<T, ClientError>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|error: T::Err| unreadable(field, text, &error.to_string()))
}

fn named<T: Copy>(
    field: &'static str,
    text: &str,
    known: &[T],
    name: fn(T) -> &'static str,
) -> Result<T, ClientError> {
    let found = known.iter().copied().find(|item| name(*item) == text);
    found.ok_or_else(|| unreadable(field, text, "not a name that this client knows"))
}

fn all<A, B>(
    items: Vec<A>,
    convert: fn(A) -> Result<B, ClientError>,
) -> Result<Vec<B>, ClientError> {
    items.into_iter().map(convert).collect()
}

/// The text, unless it is empty.
fn said(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn unreadable(field: &'static str, text: &str, why: &str) -> ClientError {
    let text: String = text.chars().take(80).collect();
    ClientError::Protocol { reason: format!("{field} is {text:?}: {why}") }
}

#[cfg(test)]
mod tests {
    use custos_core::{DiskId, ErrorKind, NodeId};

    use super::*;

    fn meta(vote: &str, state: &str, answers: bool) -> v1::MetaMember {
        let report = v1::MetaReport {
            role: "follower".to_owned(),
            clock: "2026-03-02T00:00:00Z".to_owned(),
            ..v1::MetaReport::default()
        };
        v1::MetaMember {
            id: 7,
            vote: vote.to_owned(),
            state: state.to_owned(),
            report: answers.then_some(report),
            ..v1::MetaMember::default()
        }
    }

    fn answer() -> v1::ClusterStatusResponse {
        let scrub = v1::ScrubReport {
            pass_started: "2026-03-01T00:00:00Z".to_owned(),
            ..v1::ScrubReport::default()
        };
        let report = v1::DiskReport {
            kind: "local".to_owned(),
            suspect: "slow".to_owned(),
            fullness: "near-full".to_owned(),
            scrub: Some(scrub),
            ..v1::DiskReport::default()
        };
        let disk = v1::DiskStatus {
            disk_id: "0a".repeat(16),
            name: "disk 0".to_owned(),
            state: "in-service".to_owned(),
            report: Some(report),
            ..v1::DiskStatus::default()
        };
        let silent = v1::DiskStatus {
            disk_id: "0b".repeat(16),
            state: "removed".to_owned(),
            ..v1::DiskStatus::default()
        };
        let node = v1::NodeStatus {
            node_id: "0c".repeat(16),
            name: "store-1".to_owned(),
            disks: vec![disk, silent],
            strange_disks: vec![v1::StrangeDisk {
                name: "disk 2".to_owned(),
                offline: "no bucket".to_owned(),
            }],
            ..v1::NodeStatus::default()
        };
        let group =
            v1::VaultGroup { profile: "4+2".to_owned(), level: "host".to_owned(), vaults: 3 };
        v1::ClusterStatusResponse {
            time: "2026-03-02T00:00:00Z".to_owned(),
            nodes: vec![node],
            vaults: vec![group],
            meta: vec![meta("voter", "admitted", true), meta("none", "", false)],
            ..v1::ClusterStatusResponse::default()
        }
    }

    #[test]
    fn what_is_not_said_is_absent_and_not_empty() {
        let status = cluster_status(answer()).expect("readable");
        let node = &status.nodes[0];
        assert_eq!(node.node_id, NodeId::from_bytes([0x0c; 16]));
        assert_eq!((&node.unreachable, &node.version), (&None, &None));
        let disk = &node.disks[0];
        assert_eq!(disk.disk_id, DiskId::from_bytes([0x0a; 16]));
        let report = disk.report.as_ref().expect("reported");
        assert_eq!((&report.offline, report.suspect.as_deref()), (&None, Some("slow")));
        assert_eq!(report.fullness, Fullness::NearFull);
        let scrub = report.scrub.as_ref().expect("scrubbed");
        assert_eq!(scrub.pass_ended, None);
        assert!(scrub.is_under_way());
        assert_eq!((node.disks[1].state, &node.disks[1].report), (DiskState::Removed, &None));
        let strange = &node.strange_disks[0];
        assert_eq!((strange.name.as_str(), strange.offline.as_str()), ("disk 2", "no bucket"));
        let [member, absent] = &status.meta.members[..] else { panic!("two") };
        assert_eq!((&member.name, member.state), (&None, Some(MetaMemberState::Admitted)));
        let report = member.report.as_ref().expect("reported");
        assert_eq!((report.leader, report.applied), (None, None));
        assert_eq!((absent.vote, absent.state), (MetaVote::Absent, None));
        assert_eq!(status.meta.unreachable, None);
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        type Spoil = fn(&mut v1::ClusterStatusResponse);
        let cases: [(&str, Spoil); 8] = [
            ("time", |status| status.time = "noon".to_owned()),
            ("nodes.node_id", |status| status.nodes[0].node_id.truncate(31)),
            ("disks.state", |status| status.nodes[0].disks[0].state = "asleep".to_owned()),
            ("vaults.profile", |status| status.vaults[0].profile = "1+0".to_owned()),
            ("vaults.level", |status| status.vaults[0].level = "planet".to_owned()),
            ("meta.vote", |status| status.meta[0].vote = "veto".to_owned()),
            ("meta.state", |status| status.meta[0].state = "asleep".to_owned()),
            ("meta.report.clock", |status| {
                status.meta[0].report.as_mut().expect("reported").clock.clear();
            }),
        ];
        for (field, spoil) in cases {
            let mut status = answer();
            spoil(&mut status);
            let error = cluster_status(status).expect_err(field);
            assert_eq!(error.kind(), ErrorKind::Internal);
            assert!(error.to_string().contains(field), "{error}");
        }
    }

    #[test]
    fn a_damaged_crown_and_a_damaged_chunk_are_told_apart() {
        let item = |chunk: &str, slot| v1::DamagedShard {
            disk_id: "0a".repeat(16),
            evidence_id: "0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20".to_owned(),
            chunk: chunk.to_owned(),
            slot,
            salt: "05".repeat(16),
            reported_at: "2026-03-01T00:00:00Z".to_owned(),
            ..v1::DamagedShard::default()
        };
        let chunk = |chunk| damaged_shard(item(chunk, 5)).map(|shard| shard.damage.key.chunk);
        assert_eq!(chunk("crown").expect("a crown"), ChunkIndex::CROWN);
        assert_eq!(chunk("17").expect("a chunk"), ChunkIndex(17));
        for wrong in ["", "-1", "Crown"] {
            assert!(chunk(wrong).is_err(), "{wrong:?}");
        }
        assert!(damaged_shard(item("0", 256)).is_err());
    }
}
