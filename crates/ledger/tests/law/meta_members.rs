//! The group of metadata nodes that keeps the ledger.

use custos_core::{Act, Actor, ErrorKind, MetaId, MetaMember, MetaMemberState, Role, Rule};
use custos_ledger::{
    Answer, Command, META_MEMBERS_EVER_MAX, META_MEMBERS_MAX, MemoryKv, Outcome, Query,
};

use crate::{
    cluster_world::{named, refused},
    world::{World, assert_refused, developer, query, station},
};

/// Node `number` as it asks at every start.
pub(crate) fn admit(number: u8) -> Command {
    Command::AdmitMeta {
        token: [number; 16],
        name: format!("meta-{number}"),
        endpoint: format!("https://10.0.1.{number}:7400"),
    }
}

pub(crate) fn retire(id: u64) -> Command {
    Command::RetireMeta { id: MetaId(id), reason: "machine is broken".to_owned() }
}

pub(crate) fn members(kv: &MemoryKv) -> Vec<MetaMember> {
    match query(kv, &Query::MetaMembers) {
        Answer::MetaMembers(members) => members,
        other => panic!("{other:?}"),
    }
}

/// A group of nodes 1 to `count`.
fn group_of(count: u8) -> World {
    let mut world = World::begun();
    for number in 1..=count {
        admitted(&mut world, admit(number));
    }
    world
}

fn admitted(world: &mut World, command: Command) -> MetaMember {
    match world.act(&developer(), command) {
        Ok(Outcome::MetaAdmitted(member)) => member,
        other => panic!("{other:?}"),
    }
}

/// What node `number` says of itself, when it says something else.
fn with(number: u8, name: &str, endpoint: &str) -> Command {
    Command::AdmitMeta { token: [number; 16], name: name.to_owned(), endpoint: endpoint.to_owned() }
}

#[test]
fn the_one_that_began_is_node_1_and_every_other_gets_the_next_id() {
    let mut world = World::begun();
    assert!(members(&world.kv).is_empty());
    let first = admitted(&mut world, admit(7));
    let expected = MetaMember {
        id: MetaId(1),
        name: "meta-7".to_owned(),
        endpoint: "https://10.0.1.7:7400".to_owned(),
        token: [7; 16],
        state: MetaMemberState::Admitted,
        admitted_at: world.now,
    };
    assert_eq!(first, expected);
    let second = admitted(&mut world, admit(3));
    assert_eq!(second.id, MetaId(2));
    assert_eq!(members(&world.kv), [first, second]);
}

#[test]
fn i4_admission_change_and_retirement_are_on_record() {
    let mut world = group_of(2);
    let entry = world.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::ClusterChanged, None));
    let detail = entry.detail.expect("has one");
    assert_eq!(detail, "metadata node 2 admitted: \"meta-2\" at https://10.0.1.2:7400");

    admitted(&mut world, with(2, "meta-two", "https://10.0.1.22:7400"));
    let detail = world.last_entry().detail.expect("has one");
    assert!(detail.contains("meta-two") && detail.contains("10.0.1.2:7400"), "{detail}");

    world.act(&developer(), retire(2)).expect("retired");
    let entry = world.last_entry();
    assert_eq!(entry.act, Act::ClusterChanged);
    let detail = entry.detail.expect("has one");
    assert_eq!(detail, "metadata node 2 \"meta-two\" retired for good: machine is broken");
    assert_eq!(world.log().len(), 5);
}

#[test]
fn the_same_token_is_the_same_member_and_changes_nothing() {
    let mut world = group_of(3);
    let (log, before) = (world.log(), members(&world.kv));
    assert_eq!(admitted(&mut world, admit(2)), before[1]);
    assert_eq!((world.log(), members(&world.kv)), (log, before));
}

#[test]
fn a_member_that_moved_keeps_its_id_and_its_time_of_admission() {
    let mut world = group_of(2);
    let before = members(&world.kv)[1].clone();
    let after = admitted(&mut world, with(2, "meta-two", "https://10.0.1.22:7400"));
    let expected = MetaMember {
        name: "meta-two".to_owned(),
        endpoint: "https://10.0.1.22:7400".to_owned(),
        ..before
    };
    assert_eq!(after, expected);
    assert_eq!(members(&world.kv)[1], expected);
}

#[test]
fn r14_two_members_do_not_have_one_name_or_endpoint() {
    let mut world = group_of(2);
    for number in [1, 3] {
        let refusal = refused(&mut world, with(number, "meta-2", "https://10.0.1.99:7400"));
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "name"));
        assert!(refusal.reason.contains("node 2") && refusal.reason.contains("retire"));
        let refusal = refused(&mut world, with(number, "another", "https://10.0.1.2:7400"));
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "endpoint"));
        assert!(refusal.reason.contains("meta-2") && refusal.reason.contains("retire"));
    }
    // What is retired leaves its name and its endpoint to others.
    world.act(&developer(), retire(2)).expect("retired");
    let heir = admitted(&mut world, with(3, "meta-2", "https://10.0.1.2:7400"));
    assert_eq!(heir.id, MetaId(3));
}

#[test]
fn r14_a_member_that_was_retired_never_comes_back() {
    let mut world = group_of(3);
    let retired = match world.act(&developer(), retire(2)) {
        Ok(Outcome::MetaRetired(member)) => member,
        other => panic!("{other:?}"),
    };
    assert_eq!((retired.id, retired.state), (MetaId(2), MetaMemberState::Retired));
    assert_eq!(members(&world.kv)[1], retired, "it stays on record");
    for again in [admit(2), with(2, "meta-two", "https://10.0.1.22:7400")] {
        let refusal = refused(&mut world, again);
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "token"));
        assert!(refusal.reason.contains("empty its folder"), "{refusal}");
    }
    let emptied = admitted(&mut world, with(4, "meta-2", "https://10.0.1.2:7400"));
    assert_eq!(emptied.id, MetaId(4));
}

#[test]
fn an_id_is_never_used_twice_even_when_the_newest_member_was_retired() {
    let mut world = group_of(1);
    for number in 2..20 {
        assert_eq!(admitted(&mut world, admit(number)).id, MetaId(number.into()));
        world.act(&developer(), retire(number.into())).expect("retired");
    }
    let ids: Vec<u64> = members(&world.kv).iter().map(|member| member.id.0).collect();
    assert_eq!(ids, (1..20).collect::<Vec<_>>());
}

#[test]
fn retiring_again_changes_nothing() {
    let mut world = group_of(2);
    let first = world.act(&developer(), retire(2));
    let log = world.log();
    assert_eq!(world.act(&developer(), retire(2)), first);
    assert_eq!(world.log(), log);
}

#[test]
fn r14_the_last_member_and_one_that_never_was_are_not_retired() {
    let mut world = group_of(2);
    world.act(&developer(), retire(1)).expect("retired");
    let refusal = refused(&mut world, retire(2));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "id"));
    assert!(refusal.reason.contains("admit another"), "{refusal}");
    for id in [0, 3, u64::MAX] {
        let refusal = refused(&mut world, retire(id));
        assert_eq!(named(&refusal), (ErrorKind::NotFound, Rule::R14, "id"));
    }
}

#[test]
fn r26_a_retirement_says_why() {
    let mut world = group_of(2);
    let because = |reason: &str| Command::RetireMeta { id: MetaId(2), reason: reason.to_owned() };
    let refusal = refused(&mut world, because(""));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, "reason"));
    let refusal = refused(&mut world, because("two\nlines"));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, "reason"));
    let refusal = refused(&mut world, because(&"x".repeat(513)));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, "reason"));
}

#[test]
fn r14_only_a_member_that_is_alone_may_have_no_endpoint() {
    let mut world = World::begun();
    admitted(&mut world, with(1, "meta-1", ""));
    let refusal = refused(&mut world, admit(2));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R14, "endpoint"));
    assert!(refusal.reason.contains("meta-1"), "{refusal}");
    admitted(&mut world, admit(1));
    for number in [2, 3] {
        let refusal = refused(&mut world, with(number, "nowhere", ""));
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, "endpoint"));
    }
    admitted(&mut world, admit(2));
    let refusal = refused(&mut world, with(1, "meta-1", ""));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, "endpoint"));
    world.act(&developer(), retire(2)).expect("retired");
    assert_eq!(admitted(&mut world, with(1, "meta-1", "")).endpoint, "");
}

#[test]
fn names_and_endpoints_are_lines_of_bounded_length() {
    let mut world = group_of(1);
    let name = |name: &str| with(2, name, "https://10.0.1.2:7400");
    let endpoint = |endpoint: &str| with(2, "meta-2", endpoint);
    let refusal = refused(&mut world, name(""));
    assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R14, "name"));
    for (field, command) in
        [("name", name("two\nlines")), ("endpoint", endpoint("https://a\u{7f}"))]
    {
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::R26, field));
    }
    for (field, command) in
        [("name", name(&"x".repeat(65))), ("endpoint", endpoint(&"x".repeat(257)))]
    {
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Invalid, Rule::I10, field));
    }
    admitted(&mut world, with(2, &"x".repeat(64), &"x".repeat(256)));
}

#[test]
fn i10_a_group_has_only_so_many_members_at_once() {
    let most = u8::try_from(META_MEMBERS_MAX).expect("few");
    let mut world = group_of(most);
    let refusal = refused(&mut world, admit(most + 1));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I10, "members"));
    admitted(&mut world, admit(1));
    world.act(&developer(), retire(1)).expect("retired");
    admitted(&mut world, admit(most + 1));
}

#[test]
fn i10_only_so_many_members_are_ever_on_record() {
    let mut world = World::begun();
    for number in 0..META_MEMBERS_EVER_MAX as u64 {
        let mut token = [0; 16];
        token[..8].copy_from_slice(&number.to_be_bytes());
        let (name, endpoint) = (format!("meta-{number}"), format!("https://meta-{number}:7400"));
        admitted(&mut world, Command::AdmitMeta { token, name, endpoint });
        if number > 0 {
            world.act(&developer(), retire(number)).expect("retired");
        }
    }
    assert_eq!(members(&world.kv).len(), META_MEMBERS_EVER_MAX);
    let refusal = refused(&mut world, with(0xff, "one-more", "https://one-more:7400"));
    assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::I10, "members"));
}

#[test]
fn r23_only_the_stores_own_services_and_developers_change_the_group() {
    let mut world = group_of(2);
    let before = members(&world.kv);
    let playback = Actor { role: Role::Playback, ..station() };
    for command in [admit(3), retire(2)] {
        for actor in [station(), playback.clone()] {
            let done = world.act(&actor, command.clone());
            assert_refused(done, ErrorKind::Refused, Rule::R23, "actor");
        }
        world.act(&Actor::system(), command).expect("its own services may");
    }
    assert_ne!(members(&world.kv), before);
}

#[test]
fn r10_there_is_no_group_before_the_cluster_began() {
    let mut world = World::new();
    for command in [admit(1), retire(1)] {
        let refusal = refused(&mut world, command);
        assert_eq!(named(&refusal), (ErrorKind::Refused, Rule::R10, "cluster"));
    }
}
