//! Every record, act, question and answer of the law survives the wire whole.

mod samples;

use custos_core::{ErrorKind, Rule, law::Classification};
use custos_wire::{
    WireError, descriptor_from_wire, descriptor_to_wire, law_answer_from_wire, law_answer_to_wire,
    law_command_from_wire, law_command_to_wire, law_query_from_wire, law_query_to_wire,
    recording_report_from_wire, recording_report_to_wire, v1, versioned_from_wire,
    versioned_to_wire,
};

#[test]
fn every_record_round_trips() {
    for record in samples::records() {
        let kind = record.kind();
        let versioned = samples::versioned(record);
        let wire = versioned_to_wire(&versioned);
        assert_eq!(versioned_from_wire(wire), Ok(versioned), "{kind}");
    }
}

#[test]
fn every_act_round_trips() {
    for command in samples::commands() {
        let wire = law_command_to_wire(&command);
        assert_eq!(law_command_from_wire(Some(wire)), Ok(command));
    }
}

#[test]
fn every_question_and_every_answer_round_trips() {
    for query in samples::queries() {
        assert_eq!(law_query_from_wire(Some(law_query_to_wire(&query))), Ok(query));
    }
    for answer in samples::answers() {
        assert_eq!(law_answer_from_wire(Some(law_answer_to_wire(&answer))), Ok(answer));
    }
}

#[test]
fn every_field_of_a_descriptor_round_trips() {
    let descriptor = samples::descriptor();
    let wire = descriptor_to_wire(&descriptor);
    assert_eq!(wire.classification.as_deref(), Some(Classification::Privacy.name()));
    assert_eq!(descriptor_from_wire(wire), Ok(descriptor));
}

#[test]
fn a_report_on_a_recording_round_trips() {
    let report = samples::recording_report();
    let wire = recording_report_to_wire("R-1".to_owned(), &report, true);
    assert_eq!((wire.recording.as_str(), wire.truncated), ("R-1", true));
    assert_eq!(recording_report_from_wire(wire), Ok(report));
}

#[test]
fn what_is_missing_or_unknown_is_invalid_by_its_field() {
    let check = |command: v1::law_command::Command, field: &str| {
        let command = v1::LawCommand { command: Some(command) };
        let error = law_command_from_wire(Some(command)).expect_err(field);
        assert_eq!((error.kind, error.rule), (ErrorKind::Invalid, None::<Rule>), "{error}");
        assert_eq!(error.field.as_deref(), Some(field), "{error}");
    };
    check(v1::law_command::Command::SetUnit(v1::SetUnit { unit: None }), "unit");
    let note = v1::AddNote { evidence: vec![0; 15], ..v1::AddNote::default() };
    check(v1::law_command::Command::AddNote(note), "evidence");
    let moved = v1::MoveCase { stage: "afterwards".to_owned(), ..v1::MoveCase::default() };
    check(v1::law_command::Command::MoveCase(moved), "stage");
    let target = v1::EvidenceFilter { kind: Some("film".to_owned()), ..Default::default() };
    let hold = v1::PlaceHold {
        reason: "other".to_owned(),
        target: Some(target),
        ..v1::PlaceHold::default()
    };
    check(v1::law_command::Command::PlaceHold(hold), "target.kind");
    let nothing = law_command_from_wire(Some(v1::LawCommand { command: None }));
    assert_eq!(nothing.expect_err("nothing").field.as_deref(), Some("command"));
    let absent: Result<_, WireError> = law_query_from_wire(None);
    assert_eq!(absent.expect_err("absent").field.as_deref(), Some("query"));
}
