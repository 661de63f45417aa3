//! What travels between processes: queries, answers and outcomes.

use custos_core::{
    ClusterMap, DiskGeneration, DiskRecord, DiskState, Epoch, ErasureProfile, ErrorKind,
    FailureDomain, Labels, NodeRecord, RunId, Timestamp, VaultId, VaultRecord,
    limits::GRPC_MESSAGE_BYTES_MAX,
};
use custos_ledger::{Answer, DISKS_MAX, DecodeError, NODES_MAX, Outcome, Query, VAULTS_MAX};
use proptest::{collection::vec, prelude::*};

use crate::{
    cluster_world::{disk_id, map, node_id, with_nodes},
    generators::{answers, outcomes, queries},
};

proptest! {
    #[test]
    fn any_query_is_read_back_as_sent(query in queries()) {
        prop_assert_eq!(Query::decode(&query.encode()), Ok(query));
    }

    #[test]
    fn any_answer_is_read_back_as_sent(answer in answers()) {
        prop_assert_eq!(Answer::decode(&answer.encode()), Ok(answer));
    }

    #[test]
    fn any_outcome_is_read_back_as_sent(outcome in outcomes()) {
        prop_assert_eq!(Outcome::decode(&outcome.encode()), Ok(outcome));
    }

    #[test]
    fn arbitrary_bytes_never_panic_a_reader(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Query::decode(&bytes);
        let _ = Answer::decode(&bytes);
        let _ = Outcome::decode(&bytes);
    }

    #[test]
    fn damaged_messages_never_panic_a_reader(
        (query, answer, outcome) in (queries(), answers(), outcomes()),
        position in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        for mut bytes in [query.encode(), answer.encode(), outcome.encode()] {
            let at = position.index(bytes.len());
            bytes[at] ^= flip;
            let _ = Query::decode(&bytes);
            let _ = Answer::decode(&bytes);
            let _ = Outcome::decode(&bytes);
            let _ = Answer::decode(&bytes[..at]);
        }
    }
}

#[test]
fn a_message_of_an_unknown_sort_is_named() {
    let unknown = |message, field| DecodeError::Field { message, field };
    assert_eq!(Query::decode(&[]), Err(unknown("LedgerQuery", "query")));
    assert_eq!(Answer::decode(&[]), Err(unknown("LedgerAnswer", "answer")));
    assert_eq!(Outcome::decode(&[]), Err(unknown("LedgerOutcome", "outcome")));
    assert_eq!(unknown("LedgerQuery", "query").kind(), ErrorKind::Integrity);
}

#[test]
fn a_map_whose_lists_are_out_of_order_is_refused_because_lookups_rely_on_it() {
    let map = map(&with_nodes(3).kv);
    let sent = |map: ClusterMap| Answer::ClusterMap(Some(Box::new(map))).encode();
    let mut nodes = map.clone();
    nodes.nodes.swap(0, 2);
    let mut disks = map;
    disks.disks.swap(0, 2);
    for (map, field) in [(nodes, "nodes"), (disks, "disks")] {
        let error = Answer::decode(&sent(map)).expect_err("out of order");
        assert_eq!(error, DecodeError::Field { message: "ClusterMap", field });
    }
}

#[test]
fn i10_the_largest_map_fits_one_message() {
    let text = |bytes: usize| "x".repeat(bytes);
    let (label, run) = (text(64), RunId([0xff; 16]));
    let labels = Labels { zone: label.clone(), rack: label.clone(), host: label.clone() };
    let node = NodeRecord {
        node_id: node_id(0xff),
        name: label.clone(),
        endpoint: text(256),
        labels,
        run,
        registered_at: Timestamp::from_millis(1 << 42),
    };
    let disk = DiskRecord {
        disk_id: disk_id(0xff),
        node_id: node_id(0xff),
        name: label,
        weight: u32::MAX,
        generation: DiskGeneration(u64::MAX),
        opening: run,
        state: DiskState::Removed,
    };
    let vault = VaultRecord {
        vault_id: VaultId(4095),
        profile: ErasureProfile::P10_4,
        level: FailureDomain::Disk,
        slots: vec![disk_id(0xff); 14],
        epoch: Epoch(u64::MAX),
    };
    let map = ClusterMap {
        epoch: Epoch(u64::MAX),
        nodes: vec![node; NODES_MAX],
        disks: vec![disk; DISKS_MAX],
        vaults: vec![vault; VAULTS_MAX],
    };
    let bytes = Answer::ClusterMap(Some(Box::new(map))).encode().len();
    assert!(bytes + 1024 <= GRPC_MESSAGE_BYTES_MAX, "{bytes} bytes");
}
