use custos_core::{Act, ErrorKind, Rule};
use custos_ledger::{Command, Outcome};

use crate::world::{World, abort, assert_refused, complete, developer, id, other_station, station};

#[test]
fn an_upload_given_up_is_gone_and_its_end_is_on_record_once() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let done = world.act(&station(), abort(1));
    let entry = world.last_entry();
    assert_eq!(done, Ok(Outcome::Aborted(entry.index)));
    assert_eq!((entry.act, entry.evidence_id), (Act::UploadAborted, Some(id(1))));
    assert_eq!(entry.detail.as_deref(), Some("camera test"));
    assert_eq!(world.upload(1), None);
    assert_eq!(world.evidence(1), None);

    let size = world.checkpoint().size;
    assert_eq!(world.act(&station(), abort(1)), Ok(Outcome::Aborted(entry.index)));
    assert_eq!(world.checkpoint().size, size);
}

#[test]
fn i3_sealed_evidence_does_not_end_and_the_attempt_is_on_record() {
    let mut world = World::begun();
    let record = world.sealed(&station(), 1, complete());
    for actor in [station(), other_station(), developer()] {
        let done = world.act(&actor, abort(1));
        assert_refused(done, ErrorKind::Refused, Rule::I3, "evidence_id");
        assert_eq!(world.last_entry().act, Act::Refused);
        assert_eq!(world.evidence(1).as_ref(), Some(&record));
    }
}

#[test]
fn r26_only_the_opener_gives_up() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    for actor in [other_station(), developer()] {
        let done = world.act(&actor, abort(1));
        assert_refused(done, ErrorKind::Refused, Rule::R26, "actor");
        assert_eq!(world.last_entry().act, Act::Refused);
    }
    assert!(world.upload(1).is_some());
    world.act(&station(), abort(1)).expect("aborted");
    let done = world.act(&other_station(), abort(1));
    assert_refused(done, ErrorKind::Refused, Rule::R26, "actor");
}

#[test]
fn giving_up_what_does_not_exist_is_refused() {
    let mut world = World::begun();
    let done = world.act(&station(), abort(1));
    assert_refused(done, ErrorKind::NotFound, Rule::R6, "evidence_id");
}

#[test]
fn i10_a_reason_is_one_line_of_at_most_512_bytes() {
    let mut world = World::begun();
    world.open(&station(), 1, complete());
    let because =
        |reason: &str| Command::AbortUpload { evidence_id: id(1), reason: reason.to_owned() };
    let done = world.act(&station(), because(&"x".repeat(513)));
    assert_refused(done, ErrorKind::Invalid, Rule::I10, "reason");
    let done = world.act(&station(), because("two\nlines"));
    assert_refused(done, ErrorKind::Invalid, Rule::R26, "reason");
    assert!(world.act(&station(), because(&"x".repeat(512))).is_ok());
}
