//! What another group of the ledger keeps is refused, and leaves no trace (invariant I6).

use custos_core::{Epoch, Rule};
use custos_ledger::{
    Answer, Kv, KvRead, LedgerGroup, LedgerGroupId, MISROUTED_FIELD, Query, Routing, Scope,
    ShardRange, VirtualShard,
};
use prost::Message;

use crate::world::{World, complete, id, open, parts, query, seal, station, view};

/// The stored `Cluster`, as far as this test touches it.
#[derive(Clone, PartialEq, Message)]
struct StoredCluster {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(string, tag = "2")]
    origin: String,
    #[prost(bytes = "vec", tag = "3")]
    policy: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    routing: Option<StoredRouting>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRouting {
    #[prost(uint32, tag = "1")]
    here: u32,
    #[prost(uint32, tag = "2")]
    system: u32,
    #[prost(message, repeated, tag = "3")]
    groups: Vec<StoredGroup>,
    #[prost(message, repeated, tag = "4")]
    shards: Vec<StoredRange>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredGroup {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(string, repeated, tag = "2")]
    endpoints: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredRange {
    #[prost(uint32, tag = "1")]
    first: u32,
    #[prost(uint32, tag = "2")]
    last: u32,
    #[prost(uint32, tag = "3")]
    group: u32,
}

/// Gives the virtual shards from `cut` on to group 2: data, as a later cluster will have it.
fn cut_at(world: &mut World, cut: u16, here: u32) {
    let mut cluster =
        StoredCluster::decode(KvRead::get(&world.kv, &[1]).expect("begun").as_slice())
            .expect("decodes");
    let range = |first: u16, last: u16, group| StoredRange {
        first: first.into(),
        last: last.into(),
        group,
    };
    let groups = [1, 2].map(|id| StoredGroup { id, endpoints: vec![format!("https://g{id}:1")] });
    cluster.routing = Some(StoredRouting {
        here,
        system: 1,
        groups: groups.to_vec(),
        shards: vec![range(0, cut - 1, 1), range(cut, VirtualShard::COUNT - 1, 2)],
    });
    Kv::put(&mut world.kv, &[1], cluster.encode_to_vec());
}

#[test]
fn a_new_cluster_has_one_group_that_keeps_everything() {
    let world = World::begun();
    let Answer::Cluster(Some(info)) = query(&world.kv, &Query::Cluster) else { panic!("begun") };
    assert_eq!(info.routing, Routing::single());
}

#[test]
fn i6_evidence_that_another_group_keeps_is_refused_and_leaves_no_trace() {
    let mut world = World::begun();
    world.act(&station(), open(1, complete())).expect("opened while everything is here");
    let shard = VirtualShard::of(id(1).as_bytes()).number();
    assert!(shard > 0, "the test needs a shard to cut before");
    cut_at(&mut world, shard, 1);
    let before = world.kv.clone();
    for command in [seal(1, parts(100)), view(1, 0, 1)] {
        let refusal = world.act(&station(), command).expect_err("kept by group 2");
        assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::I6, MISROUTED_FIELD));
        assert!(refusal.reason.contains("ledger group 2"), "{refusal}");
    }
    assert_eq!(world.kv, before, "nothing is stored, the refusal neither");
    for asked in [Query::Evidence(id(1)), Query::Upload(id(1))] {
        let refusal = custos_ledger::query(&world.kv, &asked).expect_err("kept by group 2");
        assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::I6, MISROUTED_FIELD));
    }
    // There it is served, and the system's business is not.
    cut_at(&mut world, shard, 2);
    world.act(&station(), seal(1, parts(100))).expect("kept here");
    assert!(custos_ledger::query(&world.kv, &Query::Evidence(id(1))).is_ok());
    let system = Query::ClusterMap { newer_than: Epoch(0) };
    assert!(custos_ledger::query(&world.kv, &system).is_err());
    let Answer::Cluster(Some(info)) = query(&world.kv, &Query::Cluster) else { panic!("begun") };
    let expected = Routing {
        here: LedgerGroupId(2),
        system: LedgerGroupId(1),
        groups: [1, 2]
            .map(|id| LedgerGroup {
                id: LedgerGroupId(id),
                endpoints: vec![format!("https://g{id}:1")],
            })
            .to_vec(),
        shards: vec![
            ShardRange { first: 0, last: shard - 1, group: LedgerGroupId(1) },
            ShardRange { first: shard, last: 1023, group: LedgerGroupId(2) },
        ],
    };
    assert_eq!(info.routing, expected);
    assert_eq!(info.routing.groups_of(Scope::Everywhere).len(), 2);
}
