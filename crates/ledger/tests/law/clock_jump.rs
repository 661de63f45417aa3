//! Cluster time that moves by more than an hour is on record for ever (invariant I4).

use custos_core::{Act, Actor, CustodyEntry, Timestamp};
use custos_ledger::{Answer, CLOCK_JUMP_MS_MAX, Query};

use crate::{
    cluster_world::register_node,
    world::{World, complete, developer, open, other_station, parts, query, seal, station, view},
};

const DAY_MS: i64 = 24 * CLOCK_JUMP_MS_MAX;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn cluster_time(world: &World) -> Timestamp {
    match query(&world.kv, &Query::Cluster) {
        Answer::Cluster(Some(info)) => info.time,
        other => panic!("{other:?}"),
    }
}

/// A cluster whose last command, an upload opened, was at `last`.
fn opened_at(last: Timestamp) -> World {
    let mut world = World::new();
    world.now = last;
    let init = custos_ledger::Command::InitCluster {
        origin: crate::world::ORIGIN.to_owned(),
        policy: crate::world::policy(),
    };
    for (actor, command) in [(Actor::system(), init), (station(), open(1, complete()))] {
        let envelope = world.envelope(&actor, command);
        world.apply(&envelope).expect("lawful");
    }
    assert_eq!(cluster_time(&world), last);
    world
}

/// Seals the upload at `stamped`, and returns the entries of that.
fn sealed_at(world: &mut World, stamped: Timestamp) -> Vec<CustodyEntry> {
    let before = world.log().len();
    world.now = stamped;
    let envelope = world.envelope(&station(), seal(1, parts(1000)));
    world.apply(&envelope).expect("sealed");
    world.log().split_off(before)
}

#[test]
fn i4_a_move_of_more_than_an_hour_is_an_entry_of_the_system_before_the_commands_own() {
    let spans = [
        ("2026-03-01T08:00:00Z", "2026-03-01T09:00:00.001Z"),
        // Over the end of a year, into one that has a leap day and over it.
        ("2027-12-31T23:30:00Z", "2028-01-01T00:30:00.001Z"),
        ("2028-02-28T23:59:59.999Z", "2028-02-29T01:00:00Z"),
        ("2028-02-29T23:30:00Z", "2028-03-01T00:30:00.001Z"),
        ("2028-02-28T12:00:00Z", "2028-03-01T12:00:00Z"),
        // Over 28 February of a year without a leap day, and of a century without one.
        ("2027-02-28T23:30:00Z", "2027-03-01T00:30:00.001Z"),
        ("2100-02-28T23:30:00Z", "2100-03-01T00:30:00.001Z"),
        ("1969-12-31T23:00:00Z", "1970-01-01T00:00:00.001Z"),
        ("2026-12-31T23:59:59.999Z", "2126-01-01T00:00:00Z"),
    ];
    for (from, to) in spans {
        let (from, to) = (time(from), time(to));
        let mut world = opened_at(from);
        let entries = sealed_at(&mut world, to);
        let [jump, sealed] = &entries[..] else { panic!("{from} to {to}: {entries:?}") };
        assert_eq!((jump.act, jump.evidence_id, jump.time), (Act::ClusterChanged, None, to));
        assert_eq!(jump.actor.as_deref(), Some("custosd (system)"));
        let detail = format!("cluster time moved from {from} to {to}");
        assert_eq!(jump.detail.as_ref(), Some(&detail));
        assert_eq!((sealed.act, sealed.time), (Act::Sealed, to));
        let record = world.evidence(1).expect("sealed");
        assert_eq!((record.sealed_at, record.seal_index), (to, sealed.index));
        assert_eq!(cluster_time(&world), to);
    }
}

#[test]
fn a_move_of_an_hour_or_less_is_no_entry_whatever_day_it_ends_in() {
    for from in [
        "2026-03-01T08:00:00Z",
        "2027-12-31T23:30:00Z",
        "2028-02-28T23:30:00Z",
        "2028-02-29T23:30:00Z",
        "2100-02-28T23:30:00Z",
    ] {
        let from = time(from);
        for moved_ms in [0, 1, CLOCK_JUMP_MS_MAX] {
            let mut world = opened_at(from);
            let to = Timestamp::from_millis(from.as_millis() + moved_ms);
            let entries = sealed_at(&mut world, to);
            assert_eq!(entries.len(), 1, "{from} and {moved_ms} ms");
            assert_eq!(entries[0].time, to);
        }
    }
}

#[test]
fn r3_a_stamp_that_is_behind_moves_nothing_and_enters_nothing_however_far() {
    let from = time("2028-03-01T00:00:00Z");
    for behind_ms in [1, CLOCK_JUMP_MS_MAX + 1, 400 * DAY_MS] {
        let mut world = opened_at(from);
        let stamped = Timestamp::from_millis(from.as_millis() - behind_ms);
        let entries = sealed_at(&mut world, stamped);
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].time, from);
    }
}

#[test]
fn a_jump_is_entered_once_and_the_next_commands_go_on_from_there() {
    let mut world = opened_at(time("2028-02-29T12:00:00Z"));
    assert_eq!(sealed_at(&mut world, time("2028-03-01T12:00:00Z")).len(), 2);
    for _ in 0..3 {
        let log = world.log().len();
        let envelope = world.envelope(&developer(), view(1, 0, 1));
        world.apply(&envelope).expect("entered");
        assert_eq!(world.log().len(), log + 1);
    }
    // A leader whose clock is right again, behind the one that jumped.
    world.now = time("2028-02-29T12:00:01Z");
    let envelope = world.envelope(&developer(), view(1, 0, 1));
    world.apply(&envelope).expect("entered");
    assert_eq!(world.last_entry().time, time("2028-03-01T12:00:00Z"));
}

#[test]
fn i4_a_jump_is_on_record_although_the_command_that_brings_it_is_refused() {
    let attempts = [
        (other_station(), seal(1, parts(1)), 2),
        (station(), register_node(1), 1),
        (Actor { name: String::new(), ..station() }, open(2, complete()), 1),
    ];
    for (actor, command, entries) in attempts {
        let mut world = opened_at(time("2026-03-01T08:00:00Z"));
        let before = world.log().len();
        world.now = time("2026-03-02T08:00:00Z");
        let envelope = world.envelope(&actor, command);
        let refused = world.apply(&envelope);
        assert!(refused.is_err());
        let entered = world.log().split_off(before);
        assert_eq!(entered.len(), entries);
        assert_eq!(entered[0].act, Act::ClusterChanged);
        assert_eq!(cluster_time(&world), world.now);
        assert_eq!(world.apply(&envelope), refused);
        assert_eq!(world.log().len(), before + entries, "a repeat enters nothing");
    }
}

#[test]
fn a_repeated_command_does_not_move_cluster_time() {
    let mut world = opened_at(time("2026-03-01T08:00:00Z"));
    let envelope = world.envelope(&developer(), register_node(1));
    let first = world.apply(&envelope);
    let before = world.kv.clone();
    world.now = time("2027-03-01T08:00:00Z");
    assert_eq!(world.apply(&envelope), first);
    assert_eq!(world.kv, before);
}

#[test]
fn no_jump_is_too_long_to_be_entered() {
    let mut world = opened_at(Timestamp::from_millis(i64::MIN));
    let entries = sealed_at(&mut world, Timestamp::from_millis(i64::MAX));
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].time, Timestamp::from_millis(i64::MAX));
}
