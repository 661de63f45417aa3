use custos_core::{Act, ErrorKind, Rule, law::GrantScope};
use custos_ledger::{Command, Outcome};

use crate::world::{World, abort, assert_refused, complete, developer, id, station, view};

#[test]
fn a_view_is_on_record_with_who_what_which_part_and_why() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let done = world.act(&developer(), view(1, 10, 500));
    let entry = world.last_entry();
    assert_eq!(done, Ok(Outcome::ViewRecorded(entry.index)));
    assert_eq!((entry.act, entry.evidence_id), (Act::Viewed, Some(id(1))));
    assert_eq!(entry.actor.as_deref(), Some("dev (developer)"));
    assert_eq!(entry.detail.as_deref(), Some("bytes 10-499 of 1000: case review"));
    assert_eq!(entry.time, world.now);
}

#[test]
fn every_view_is_an_entry_of_its_own() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let first = world.act(&developer(), view(1, 0, 1000));
    let second = world.act(&developer(), view(1, 0, 1000));
    assert_ne!(first, second);
}

#[test]
fn i6_a_retried_view_is_entered_once() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let envelope = world.envelope(&developer(), view(1, 0, 10));
    let first = world.apply(&envelope);
    let size = world.checkpoint().size;
    assert_eq!(world.apply(&envelope), first);
    assert_eq!(world.checkpoint().size, size);
}

#[test]
fn r26_one_request_id_does_not_cover_two_views() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let mut envelope = world.envelope(&developer(), view(1, 0, 10));
    world.apply(&envelope).expect("recorded");
    envelope.command = view(1, 0, 1000);
    let done = world.apply(&envelope);
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "request_id");
    envelope.command = view(1, 0, 10);
    envelope.actor = station();
    let done = world.apply(&envelope);
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "request_id");
}

#[test]
fn only_sealed_evidence_can_be_viewed_and_the_attempt_is_on_record() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    world.open(&station(), 2, complete());
    world.act(&station(), abort(2)).expect("aborted");
    for number in [1, 2, 3] {
        let done = world.act(&developer(), view(number, 0, 0));
        assert_refused(done, ErrorKind::NotFound, Rule::R6, "evidence_id");
        let entry = world.last_entry();
        assert_eq!((entry.act, entry.evidence_id), (Act::Refused, Some(id(number))));
    }
}

#[test]
fn a_range_outside_the_evidence_is_invalid() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    for (start, end) in [(0, 1001), (1001, 1001), (5, 4), (u64::MAX, u64::MAX), (0, u64::MAX)] {
        let done = world.act(&developer(), view(1, start, end));
        assert_refused(done, ErrorKind::Invalid, Rule::R6, "range");
    }
    for (start, end) in [(0, 0), (0, 1000), (1000, 1000)] {
        assert!(world.act(&developer(), view(1, start, end)).is_ok());
    }
}

#[test]
fn i10_a_purpose_is_one_line_of_at_most_512_bytes() {
    let mut world = World::begun();
    world.sealed(&station(), 1, complete());
    let because = |purpose: Option<String>| Command::RecordView {
        evidence_id: id(1),
        start: 0,
        end: 1,
        purpose,
        scope: GrantScope::View,
        grant: None,
    };
    let done = world.act(&developer(), because(Some("x".repeat(513))));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "purpose");
    let done = world.act(&developer(), because(Some("two\nlines".to_owned())));
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "purpose");
    assert!(world.act(&developer(), because(None)).is_ok());
    assert_eq!(world.last_entry().detail.as_deref(), Some("bytes 0-0 of 1000"));
}
