use custos_core::law::Versioned;
use custos_wire::{WireError, v1};
use tonic::Status;

pub(crate) const NODE_1: &str = "01000000000000000000000000000000";
pub(crate) const NODE_2: &str = "02000000000000000000000000000000";
pub(crate) const DISK_0: &str = "0a1b0000000000000000000000000000";
pub(crate) const DISK_1: &str = "0a1bffffffffffffffffffffffffffff";
pub(crate) const DISK_2: &str = "0b000000000000000000000000000000";

/// What a server says.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) status: v1::ClusterStatusResponse,
    /// Disks that follow an order to the scrub.
    pub(crate) scrub_disks: u32,
    pub(crate) damage: Vec<v1::DamagedShard>,
    pub(crate) quarantine: Vec<v1::QuarantinedItem>,
    /// Records of the law.
    pub(crate) records: Vec<Versioned>,
}

/// The refusal of a profile that the cluster is too small for.
pub(crate) fn too_few_disks() -> Status {
    let refusal = custos_core::Refusal::refused(
        custos_core::Rule::I1,
        "profile",
        "10+4 needs 14 disks, this cluster has 3 in service",
    );
    WireError::from(refusal).into()
}

/// The refusal of a removal that would leave too few.
pub(crate) fn no_quorum() -> Status {
    let refusal = custos_core::Refusal::refused(
        custos_core::Rule::I6,
        "node",
        "without node 1, 2 of the 2 others must answer, and node 3 does not",
    );
    WireError::from(refusal).into()
}

/// A group of three of which one is away.
pub(crate) fn group_with_a_loss() -> Answers {
    let mut answers = empty_cluster();
    let mut away = meta(3, None);
    away.unreachable = "connection refused".to_owned();
    answers.status.meta = vec![meta(1, Some("leader")), meta(2, Some("follower")), away];
    let behind = answers.status.meta[1].report.as_mut().expect("it answers");
    behind.applied = Some(1_200);
    answers
}

fn meta(id: u64, role: Option<&str>) -> v1::MetaMember {
    let report = role.map(|role| v1::MetaReport {
        role: role.to_owned(),
        term: 4,
        leader: 1,
        last_log: Some(1_234),
        applied: Some(1_234),
        snapshot: None,
        clock: "2026-03-02T00:00:00Z".to_owned(),
    });
    v1::MetaMember {
        id,
        name: format!("meta-{id}"),
        endpoint: format!("https://meta-{id}:7402"),
        vote: "voter".to_owned(),
        state: "admitted".to_owned(),
        report,
        ..v1::MetaMember::default()
    }
}

/// A cluster that nobody has joined.
pub(crate) fn empty_cluster() -> Answers {
    let status = v1::ClusterStatusResponse {
        origin: "custos.test/1".to_owned(),
        time: "2026-03-02T00:00:00Z".to_owned(),
        ledger_groups: vec![v1::LedgerGroup {
            id: 1,
            system: true,
            shards: vec![v1::VirtualShards { first: 0, last: 1023 }],
            endpoints: Vec::new(),
        }],
        ..v1::ClusterStatusResponse::default()
    };
    Answers { status, ..Answers::default() }
}

/// Two nodes: one with a disk that is nearly full and the copy of a disk, one that is away.
pub(crate) fn ill_cluster() -> Answers {
    let scrub = v1::ScrubReport {
        pass_started: "2026-03-01T00:00:00Z".to_owned(),
        progress_permille: 255,
        bytes_per_second: 50 << 20,
        period_days: 30,
        ..v1::ScrubReport::default()
    };
    let nearly_full = v1::DiskReport {
        kind: "local".to_owned(),
        shards: 1500,
        payload_bytes: 3 << 30,
        total_bytes: 10 << 30,
        free_bytes: 1 << 30,
        fullness: "near-full".to_owned(),
        scrub: Some(scrub),
        ..v1::DiskReport::default()
    };
    let copy = v1::DiskReport {
        kind: "local".to_owned(),
        offline: "it is a copy of a disk that serves on store-9".to_owned(),
        fullness: "normal".to_owned(),
        ..v1::DiskReport::default()
    };
    let here = node(
        NODE_1,
        "store-1",
        vec![disk(DISK_0, "disk 0", Some(nearly_full)), disk(DISK_1, "disk 1", Some(copy))],
    );
    let mut away = node(NODE_2, "store-2", vec![disk(DISK_2, "disk 0", None)]);
    away.unreachable = "connection refused".to_owned();
    let mut answers = empty_cluster();
    answers.status.epoch = 17;
    answers.status.nodes = vec![here, away];
    answers.status.vaults = vec![vaults("4+2", "host", 12), vaults("2+1", "disk", 1)];
    answers.status.damaged_shards = 2;
    answers.scrub_disks = 2;
    answers.damage = vec![damage("7", 40), damage("crown", 41)];
    answers.quarantine = vec![v1::QuarantinedItem {
        place: "extents/\u{1b}[2J".to_owned(),
        len: 4096,
        reason: "not a name of ours".to_owned(),
    }];
    answers
}

fn vaults(profile: &str, level: &str, vaults: u32) -> v1::VaultGroup {
    v1::VaultGroup { profile: profile.to_owned(), level: level.to_owned(), vaults }
}

fn node(node_id: &str, name: &str, disks: Vec<v1::DiskStatus>) -> v1::NodeStatus {
    v1::NodeStatus {
        node_id: node_id.to_owned(),
        name: name.to_owned(),
        endpoint: format!("https://{name}:7400"),
        host: name.to_owned(),
        disks,
        ..v1::NodeStatus::default()
    }
}

fn disk(disk_id: &str, name: &str, report: Option<v1::DiskReport>) -> v1::DiskStatus {
    v1::DiskStatus {
        disk_id: disk_id.to_owned(),
        name: name.to_owned(),
        state: "in-service".to_owned(),
        weight: 10,
        generation: 1,
        slots: 4,
        report,
    }
}

fn damage(chunk: &str, log_index: u64) -> v1::DamagedShard {
    v1::DamagedShard {
        disk_id: DISK_0.to_owned(),
        vault: 3,
        evidence_id: "0190f6c2-8a3e-7b11-9a54-3c1d5e7f9b20".to_owned(),
        chunk: chunk.to_owned(),
        slot: 5,
        salt: "05".repeat(16),
        what: "block 3 does not verify".to_owned(),
        reported_at: "2026-03-01T12:00:00Z".to_owned(),
        log_index,
    }
}
