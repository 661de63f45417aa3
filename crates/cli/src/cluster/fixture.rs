//! Clusters to try the views on.

use custos_client::{
    ClusterStatus, DiskReport, DiskStatus, LedgerGroup, MetaGroup, NodeStatus, ScrubReport,
    VaultGroup,
};
use custos_core::{
    DiskGeneration, DiskId, DiskState, Epoch, ErasureProfile, FailureDomain, Fullness, Labels,
    NodeId, Timestamp,
};

/// A cluster of these nodes with some vaults.
pub(super) fn cluster(nodes: Vec<NodeStatus>) -> ClusterStatus {
    ClusterStatus {
        origin: "custos.test/1".to_owned(),
        epoch: Epoch(7),
        time: Timestamp::from_millis(1_000),
        nodes,
        vaults: vec![VaultGroup {
            profile: ErasureProfile::P4_2,
            level: FailureDomain::Host,
            vaults: 3,
        }],
        damaged_shards: 0,
        ledger_groups: vec![LedgerGroup {
            id: 1,
            is_system: true,
            shards: vec![(0, 1023)],
            endpoints: Vec::new(),
        }],
        meta: MetaGroup::default(),
    }
}

/// A node that answers; its id is made of its name.
pub(super) fn node(name: &str, disks: Vec<DiskStatus>) -> NodeStatus {
    let mut id = [0xee; 16];
    let from_name = name.bytes().rev().take(16);
    for (byte, letter) in id.iter_mut().zip(from_name) {
        *byte = letter;
    }
    NodeStatus {
        node_id: NodeId::from_bytes(id),
        name: name.to_owned(),
        endpoint: format!("https://{name}:7400"),
        labels: Labels { zone: "z1".to_owned(), rack: String::new(), host: name.to_owned() },
        unreachable: None,
        version: Some("0.1.0".to_owned()),
        disks,
        strange_disks: Vec::new(),
    }
}

/// A disk that is well; its id is `first` and many sevens.
pub(super) fn disk(name: &str, first: u8) -> DiskStatus {
    let mut id = [0x77; 16];
    id[0] = first;
    DiskStatus {
        disk_id: DiskId::from_bytes(id),
        name: name.to_owned(),
        state: DiskState::InService,
        weight: 100,
        generation: DiskGeneration(1),
        slots: 3,
        report: Some(report()),
    }
}

/// A disk that is well, in its own words.
pub(super) fn report() -> DiskReport {
    DiskReport {
        kind: "local".to_owned(),
        offline: None,
        suspect: None,
        shards: 1200,
        payload_bytes: 3 << 30,
        stored_bytes: 4 << 30,
        total_bytes: 100 << 30,
        free_bytes: 96 << 30,
        fullness: Fullness::Normal,
        io_errors: 0,
        quarantined: 0,
        scrub: Some(ScrubReport {
            pass_started: Some(Timestamp::from_millis(1_000)),
            pass_ended: None,
            shards_checked: 300,
            bytes_checked: 1 << 30,
            damaged: 0,
            damaged_ever: 2,
            progress_permille: 255,
            bytes_per_second: 50 << 20,
            period_days: 30,
            paused: false,
        }),
    }
}
