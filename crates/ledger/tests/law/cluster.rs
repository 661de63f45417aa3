use custos_core::{Act, Actor, ErrorKind, Rule, Timestamp};
use custos_ledger::{Answer, Command, Outcome, Policy, Query};

use crate::world::{
    ORIGIN, World, abort, assert_refused, complete, law_of, open, parts, policy, query, seal,
    station, view,
};

fn init(origin: &str, policy: Policy) -> Command {
    Command::InitCluster { origin: origin.to_owned(), policy }
}

#[test]
fn the_log_begins_with_genesis_and_beginning_again_in_the_same_way_changes_nothing() {
    let mut world = World::begun();
    let log = world.log();
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].act, Act::Genesis);
    assert_eq!(log[0].actor.as_deref(), Some("custosd (system)"));
    assert_eq!(world.checkpoint().origin, ORIGIN);

    assert_eq!(world.act(&station(), init(ORIGIN, policy())), Ok(Outcome::Initialised));
    assert_eq!(world.log(), log);
}

#[test]
fn i3_a_cluster_does_not_begin_twice_in_different_ways() {
    let mut world = World::begun();
    let before = law_of(&world.kv);
    let other = init("custos.test/ffff", policy());
    assert_refused(world.act(&Actor::system(), other), ErrorKind::Refused, Rule::I3, "origin");
    let other = init(ORIGIN, Policy { retention_days_av: 400, ..policy() });
    assert_refused(world.act(&Actor::system(), other), ErrorKind::Refused, Rule::I3, "policy");
    assert_eq!(law_of(&world.kv), before);
}

#[test]
fn nothing_is_done_or_stored_before_the_cluster_began() {
    let mut world = World::new();
    for command in [open(1, complete()), seal(1, parts(1)), abort(1), view(1, 0, 0)] {
        let done = world.act(&station(), command);
        assert_refused(done, ErrorKind::Refused, Rule::R10, "cluster");
    }
    assert!(world.kv.is_empty());
    assert_eq!(query(&world.kv, &Query::Cluster), Answer::Cluster(None));
    assert_eq!(world.checkpoint().size, 0);
}

#[test]
fn r10_a_policy_keeps_evidence_for_a_year_at_least() {
    let mut world = World::new();
    let short = Policy { retention_days_av: 364, ..policy() };
    let done = world.act(&Actor::system(), init(ORIGIN, short));
    assert_refused(done, ErrorKind::Refused, Rule::R10, "retention_days_av");
    let short = Policy { retention_days_other: 0, ..policy() };
    let done = world.act(&Actor::system(), init(ORIGIN, short));
    assert_refused(done, ErrorKind::Refused, Rule::R10, "retention_days_other");
    assert!(world.kv.is_empty());

    let floor = Policy { retention_days_av: 365, retention_days_other: 365, ..policy() };
    assert_eq!(world.act(&Actor::system(), init(ORIGIN, floor)), Ok(Outcome::Initialised));
}

#[test]
fn an_origin_that_cannot_name_a_signed_note_is_refused() {
    for bad in ["", "two words", "a+b", "no\u{a0}break", "line\n"] {
        let done = World::new().act(&Actor::system(), init(bad, policy()));
        assert_refused(done, ErrorKind::Invalid, Rule::R26, "origin");
    }
    let done = World::new().act(&Actor::system(), init(&"x".repeat(257), policy()));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "origin");
}

#[test]
fn r26_an_actor_without_a_proper_name_is_refused() {
    let mut world = World::begun();
    let nobody = Actor { name: String::new(), ..station() };
    let done = world.act(&nobody, open(1, complete()));
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "actor");
    let two_lines = Actor { name: "a\nb".to_owned(), ..station() };
    let done = world.act(&two_lines, open(1, complete()));
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "actor");
    let long = Actor { name: "n".repeat(65), ..station() };
    let done = world.act(&long, view(1, 0, 0));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "actor");
    // An attempt on evidence is on record even so, under as much of the name as an entry takes.
    let name = format!("{} (station)", "n".repeat(64));
    assert_eq!(world.last_entry().actor, Some(name));
}

#[test]
fn r3_cluster_time_never_moves_back() {
    let mut world = World::begun();
    let time = |world: &World| match query(&world.kv, &Query::Cluster) {
        Answer::Cluster(Some(info)) => info.time,
        other => panic!("{other:?}"),
    };
    let begun = time(&world);
    world.now = Timestamp::from_millis(0);
    let session = world.open(&station(), 1, complete());
    assert_eq!(session.opened_at, begun);
    assert_eq!(time(&world), begun);
    world.now = Timestamp::from_millis(begun.as_millis() + 5000);
    let session = world.open(&station(), 2, complete());
    assert_eq!(session.opened_at.as_millis(), begun.as_millis() + 6000);
    assert_eq!(time(&world), session.opened_at);
}
