//! What is put, where it is filed, and what else changes of sealed evidence while it stands.

use custos_core::{
    Act, Blake3Hash, Descriptor, ErrorKind, EvidenceId, EvidenceKind, Rule, Stage, Timestamp,
    law::{
        AddNote, AddRelation, Classification, ClassifyEvidence, CorrectDescriptor, ExtendRetention,
        FileEvidence, IncompleteDescriptor, LawCommand, OpenCase, Record, RecordKind, RegisterCopy,
        RelationKind,
    },
};
use custos_ledger::Outcome;

use crate::{
    agency::{
        Agency, RECORDER, administrator, auditor, auxiliary, custodian, descriptor_of,
        east_officer, file_under, filing_of, harbour_custodian, harbour_officer, head, law,
        new_case, officer, playback, reviewer, traffic_custodian, traffic_officer, without_log,
    },
    world::{abort, assert_refused, complete, developer, id, other_station, parts, seal, station},
};

fn note(evidence: EvidenceId, text: &str) -> AddNote {
    AddNote { evidence, text: text.to_owned(), supersedes: None }
}

fn describe(evidence: EvidenceId, descriptor: Descriptor) -> CorrectDescriptor {
    CorrectDescriptor { evidence, descriptor, reason: "the street was misspelt".to_owned() }
}

pub(crate) fn relate(evidence: EvidenceId, to: EvidenceId) -> AddRelation {
    AddRelation { evidence, relation: RelationKind::SameRecording, to }
}

pub(crate) fn classify(evidence: EvidenceId, to: Classification) -> ClassifyEvidence {
    ClassifyEvidence { evidence, to, reason: "a minor is seen".to_owned() }
}

fn extend(evidence: EvidenceId, until: Timestamp) -> ExtendRetention {
    ExtendRetention { evidence, until, reason: "a suit is likely".to_owned() }
}

fn copy(evidence: EvidenceId) -> RegisterCopy {
    RegisterCopy {
        evidence,
        blake3: parts(1000).blake3,
        medium: "disc 2026-014".to_owned(),
        place: "safe 2".to_owned(),
        reason: "for the court".to_owned(),
    }
}

/// Every act on one evidence item, by who may do it.
pub(crate) fn acts(evidence: EvidenceId, other: EvidenceId) -> Vec<LawCommand> {
    vec![
        file_under(evidence, "C-1", Stage::Investigation).into(),
        note(evidence, "seen").into(),
        describe(evidence, complete()).into(),
        relate(evidence, other).into(),
        classify(evidence, Classification::Privacy).into(),
        extend(evidence, Timestamp::from_millis(i64::MAX)).into(),
        copy(evidence).into(),
    ]
}

/// Asserts that an upload is not opened, and that not even an attempt is on record.
fn put_refused(
    agency: &mut Agency,
    actor: &custos_core::Actor,
    descriptor: Descriptor,
    rule: Rule,
    field: &str,
) {
    let (before, size) = (without_log(&agency.kv), agency.checkpoint().size);
    let (_, open) = agency.next_upload(descriptor);
    let done = agency.act(actor, open);
    assert_refused(done, ErrorKind::Refused, rule, field);
    assert_eq!(without_log(&agency.kv), before);
    assert_eq!(agency.checkpoint().size, size);
}

#[test]
fn what_is_sealed_is_filed_under_the_case_and_stage_that_it_names() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let filed = agency.record(RecordKind::Filing, &record.evidence_id.to_string()).expect("filed");
    assert_eq!((filed.version, filed.log_index), (1, record.seal_index));
    assert_eq!(
        (filed.changed_at, filed.changed_by.as_str()),
        (record.sealed_at, "station-7 (station)")
    );
    let filing = filing_of(filed);
    assert_eq!(filing.case.as_deref(), Some("C-1"));
    assert_eq!(filing.stage, Some(Stage::Investigation));
    assert_eq!(filing.unit.as_deref(), Some("market"));
    assert_eq!(filing.retain_until, record.retain_until);
    assert_eq!(filing.classification, Classification::Ordinary);
    assert_eq!((filing.lower_to, filing.descriptor, filing.disposition), (None, None, None));
}

#[test]
fn a_case_that_is_opened_before_the_seal_takes_what_claimed_it() {
    let mut agency = Agency::new();
    let (number, open) = agency.next_upload(descriptor_of("C-1", Stage::Investigation));
    agency.act(&station(), open).expect("a claim is kept");
    agency.open_case("C-1");
    agency.act(&station(), seal(number, parts(1000))).expect("sealed");
    assert_eq!(agency.filing(id(number)).case.as_deref(), Some("C-1"));
}

#[test]
fn what_claims_no_case_of_the_register_is_unfiled_and_of_where_it_came_from() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let claims = [
        Descriptor { case: None, ..complete() },
        descriptor_of("C-9", Stage::Investigation),
        Descriptor { stage: None, ..descriptor_of("C-1", Stage::Review) },
    ];
    let from = [
        (station(), Some("market")),
        (traffic_officer(), Some("traffic")),
        // That of the recorder, where who puts has none; whatever its case would be.
        (other_station(), Some("market")),
    ];
    for descriptor in claims {
        for (actor, unit) in &from {
            if descriptor.case.as_deref() == Some("C-1") && *actor == traffic_officer() {
                continue;
            }
            let record = agency.put(actor, descriptor.clone());
            let filing = agency.filing(record.evidence_id);
            assert_eq!((filing.case, filing.stage, filing.unit.as_deref()), (None, None, *unit));
            let kept = agency.keeping(record.evidence_id);
            assert_eq!(kept.retain_until, record.sealed_at.plus_days(730));
        }
    }
    let record = agency.of_nobody();
    let filed = agency.record(RecordKind::Filing, &record.evidence_id.to_string()).expect("sealed");
    assert_eq!((filed.version, filed.log_index), (0, record.seal_index));
    assert_eq!(filing_of(filed).unit, None);
    assert!(agency.history(RecordKind::Filing, &record.evidence_id.to_string()).is_empty());
}

#[test]
fn r13_a_case_that_is_archived_by_the_seal_takes_no_more() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let (number, open) = agency.next_upload(descriptor_of("C-1", Stage::Investigation));
    agency.act(&station(), open).expect("opened");
    agency.archive_case("C-1");
    put_refused(&mut agency, &station(), descriptor_of("C-1", Stage::Review), Rule::R13, "case");
    agency.act(&station(), seal(number, parts(1000))).expect("what was recorded is kept");
    let filing = agency.filing(id(number));
    assert_eq!((filing.case, filing.unit.as_deref()), (None, Some("market")));
}

#[test]
fn r1_evidence_is_put_under_a_stage_of_the_act_type() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.set_policy(|policy| {
        policy.act_types[0].stages =
            vec![Stage::Initiation, Stage::Investigation, Stage::Archiving];
    });
    put_refused(&mut agency, &station(), descriptor_of("C-1", Stage::Review), Rule::R1, "stage");
}

#[test]
fn r23_only_who_records_or_files_puts_and_within_the_own_agency_and_unit() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let of_case = || descriptor_of("C-1", Stage::Investigation);
    for actor in [playback(), reviewer(), auditor(), administrator()] {
        put_refused(&mut agency, &actor, of_case(), Rule::R23, "role");
        put_refused(&mut agency, &actor, complete(), Rule::R23, "role");
    }
    put_refused(&mut agency, &harbour_officer(), of_case(), Rule::R23, "case");
    for actor in [traffic_officer(), east_officer()] {
        put_refused(&mut agency, &actor, of_case(), Rule::R23, "unit");
    }
    for actor in [officer(), auxiliary(), custodian(), head(), other_station(), developer()] {
        let record = agency.put(&actor, of_case());
        assert_eq!(agency.filing(record.evidence_id).case.as_deref(), Some("C-1"));
    }
    agency.put(&harbour_officer(), complete());
}

#[test]
fn r19_evidence_is_classified_as_it_was_put() {
    let mut agency = Agency::new();
    let classification = Some(Classification::StateSecret);
    let record = agency.put(&station(), Descriptor { classification, ..complete() });
    assert_eq!(agency.filing(record.evidence_id).classification, Classification::StateSecret);
    assert_eq!(record.retain_until, record.sealed_at.plus_days(3650));
}

#[test]
fn unfiled_evidence_is_filed_and_what_is_filed_is_moved_with_a_reason() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    let record = agency.unfiled();
    let evidence = record.evidence_id;
    let saved = agency.done(&officer(), file_under(evidence, "C-1", Stage::Investigation));
    assert_eq!(saved.version, 2, "the first is as it was sealed");
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Filed, Some(evidence)));
    assert_eq!(entry.record, Some(format!("filing/{evidence}")));
    assert_eq!(entry.detail.as_deref(), Some("filed under investigation of C-1"));
    let filing = filing_of(saved);
    assert_eq!((filing.case.as_deref(), filing.reason), (Some("C-1"), None));

    let reason = Some("the other stall".to_owned());
    let moved = FileEvidence { reason, ..file_under(evidence, "C-2", Stage::Review) };
    let filing = filing_of(agency.done(&officer(), moved));
    assert_eq!((filing.case.as_deref(), filing.stage), (Some("C-2"), Some(Stage::Review)));
    let detail = "filed under review of C-2, was in C-1: the other stall";
    assert_eq!(agency.last_entry().detail.as_deref(), Some(detail));
    assert_eq!(agency.evidence(evidence.as_bytes()[0]), Some(record), "the sealed record stands");
}

#[test]
fn evidence_belongs_to_the_unit_of_the_case_that_it_is_filed_under() {
    let mut agency = Agency::new();
    let east = OpenCase { unit: "market-east".to_owned(), ..new_case("C-1") };
    agency.done(&officer(), east);
    let evidence = agency.of_nobody().evidence_id;
    let filing = filing_of(agency.done(&officer(), file_under(evidence, "C-1", Stage::Review)));
    assert_eq!(filing.unit.as_deref(), Some("market-east"));
    assert_eq!(agency.history(RecordKind::Filing, &evidence.to_string()).len(), 1);
}

#[test]
fn r6_only_sealed_evidence_is_acted_on() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let other = agency.sealed_in_case("C-1").evidence_id;
    let (number, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    let (aborted, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    agency.act(&station(), abort(aborted)).expect("given up");
    for command in acts(id(number), other) {
        agency.refused(&developer(), command, Rule::R6, "evidence");
        assert_eq!(agency.last_entry().evidence_id, Some(id(number)));
    }
    for absent in [aborted, 0xee] {
        for command in acts(id(absent), other) {
            agency.not_found(&developer(), command, Rule::R6, "evidence");
        }
    }
}

#[test]
fn i3_nothing_is_done_to_evidence_whose_end_is_ordered_or_done() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    let disposition = agency.ordered(&[evidence]).id;
    for command in acts(evidence, other) {
        agency.refused(&developer(), command, Rule::I3, "evidence");
    }
    let ended = crate::agency::disposal(&disposition, evidence);
    agency.done(&custos_core::Actor::system(), ended);
    for command in acts(evidence, other) {
        agency.refused(&developer(), command, Rule::I3, "evidence");
    }
    agency.refused(&developer(), relate(other, evidence), Rule::I3, "to");
}

#[test]
fn r13_an_archived_case_takes_no_evidence_and_gives_none_away() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    let inside = agency.sealed_in_case("C-1").evidence_id;
    let outside = agency.unfiled().evidence_id;
    agency.archive_case("C-1");
    let into = file_under(outside, "C-1", Stage::Review);
    agency.refused(&officer(), into, Rule::R13, "case");
    let out = FileEvidence {
        reason: Some("the other stall".to_owned()),
        ..file_under(inside, "C-2", Stage::Review)
    };
    agency.refused(&officer(), out, Rule::R13, "evidence");
}

#[test]
fn r1_evidence_is_filed_under_a_case_that_is_there_and_a_stage_of_it() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.unfiled().evidence_id;
    let nowhere = file_under(evidence, "C-9", Stage::Review);
    agency.not_found(&officer(), nowhere, Rule::R1, "case");
    agency.set_policy(|policy| {
        policy.act_types[0].stages =
            vec![Stage::Initiation, Stage::Investigation, Stage::Archiving];
    });
    let wrong = file_under(evidence, "C-1", Stage::Review);
    agency.refused(&officer(), wrong, Rule::R1, "stage");
    agency.done(&officer(), file_under(evidence, "C-1", Stage::Investigation));
}

#[test]
fn r26_evidence_is_filed_elsewhere_with_a_reason_and_not_where_it_is() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let same = || file_under(evidence, "C-1", Stage::Investigation);
    agency.refused(&officer(), same(), Rule::R26, "case");
    let reason = Some("why not".to_owned());
    agency.refused(&officer(), FileEvidence { reason, ..same() }, Rule::R26, "case");
    for (case, stage) in [("C-2", Stage::Investigation), ("C-1", Stage::Review)] {
        agency.refused(&officer(), file_under(evidence, case, stage), Rule::R26, "reason");
        for reason in ["", " ", "two\nlines"] {
            let reason = Some(reason.to_owned());
            let moved = FileEvidence { reason, ..file_under(evidence, case, stage) };
            agency.refused(&officer(), moved, Rule::R26, "reason");
        }
    }
    let reason = Some("x".repeat(513));
    let moved = FileEvidence { reason, ..file_under(evidence, "C-2", Stage::Review) };
    agency.refused(&officer(), moved, Rule::I10, "reason");
}

#[test]
fn r23_evidence_is_filed_from_and_into_what_the_actor_reaches() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let elsewhere = OpenCase {
        unit: "quay".to_owned(),
        officers: vec![],
        custodian: harbour_custodian().name,
        ..new_case("Q-1")
    };
    agency.done(&harbour_custodian(), elsewhere);
    let evidence = agency.unfiled().evidence_id;
    for actor in [traffic_officer(), east_officer(), harbour_officer()] {
        let asked = file_under(evidence, "C-1", Stage::Review);
        agency.refused(&actor, asked, Rule::R23, "unit");
    }
    let asked = file_under(evidence, "Q-1", Stage::Review);
    agency.refused(&officer(), asked, Rule::R23, "unit");
    // What belongs to nobody is filed by whoever files, into the own.
    let evidence = agency.of_nobody().evidence_id;
    let asked = file_under(evidence, "C-1", Stage::Review);
    agency.refused(&traffic_officer(), asked, Rule::R23, "unit");
    agency.done(&harbour_officer(), file_under(evidence, "Q-1", Stage::Review));
}

#[test]
fn r6_a_note_is_added_and_superseded_and_never_changed() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let saved = agency.done(&officer(), note(evidence, "The stall is on the left.\nSee 00:14."));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Noted, Some(evidence)));
    assert_eq!(entry.record, Some(format!("note/{evidence}/0001")));
    assert_eq!(entry.detail.as_deref(), Some("note 1"));
    let Record::Note(first) = saved.record else { panic!("{saved:?}") };
    assert_eq!((first.author.as_str(), first.supersedes), ("chen.jie", None));
    assert_eq!(first.text, "The stall is on the left.\nSee 00:14.");

    let instead = AddNote { supersedes: Some(1), ..note(evidence, "On the right.") };
    let saved = agency.done(&auditor(), instead);
    let Record::Note(second) = &saved.record else { panic!("{saved:?}") };
    assert_eq!((second.id.clone(), second.supersedes), (format!("{evidence}/0002"), Some(1)));
    assert_eq!(agency.last_entry().detail.as_deref(), Some("note 2 in place of note 1"));
    let kept = agency.record(RecordKind::Note, &first.id).expect("it stays");
    assert_eq!((kept.version, kept.record), (1, Record::Note(first)));
}

#[test]
fn r26_i10_a_note_says_something_in_at_most_4096_bytes() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    for text in ["", " ", "\n\t", "bell\u{7}", "a\r\nb"] {
        agency.refused(&officer(), note(evidence, text), Rule::R26, "text");
    }
    agency.refused(&officer(), note(evidence, &"x".repeat(4097)), Rule::I10, "text");
    agency.done(&officer(), note(evidence, &"x".repeat(4096)));
    agency.done(&officer(), note(evidence, "a\n\tb"));
}

#[test]
fn r6_a_note_stands_in_place_of_one_that_is_there() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    agency.done(&officer(), note(evidence, "first"));
    for absent in [0, 2, u32::MAX] {
        let asked = AddNote { supersedes: Some(absent), ..note(evidence, "second") };
        agency.refused(&officer(), asked, Rule::R6, "supersedes");
    }
}

#[test]
fn i10_evidence_has_999_notes() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    for number in 1..=999 {
        let done = agency.act(&officer(), law(note(evidence, &format!("note {number}"))));
        assert!(matches!(done, Ok(Outcome::LawDone { .. })), "{done:?}");
    }
    agency.refused(&officer(), note(evidence, "one more"), Rule::I10, "text");
    let other = agency.sealed_in_case("C-1").evidence_id;
    agency.done(&officer(), note(other, "of its own"));
}

#[test]
fn evidence_is_described_anew_and_stays_as_it_was_sealed() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let evidence = record.evidence_id;
    let better =
        Descriptor { place: Some("Century Avenue 101".to_owned()), ..record.descriptor.clone() };
    let saved = agency.done(&officer(), describe(evidence, better.clone()));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Described, Some(evidence)));
    assert_eq!(entry.record, Some(format!("filing/{evidence}")));
    assert_eq!(entry.detail.as_deref(), Some("described anew: the street was misspelt"));
    let filing = filing_of(saved);
    assert_eq!((filing.descriptor, filing.case.as_deref()), (Some(better.clone()), Some("C-1")));
    assert_eq!(agency.evidence(evidence.as_bytes()[0]), Some(record));
    agency.refused(&officer(), describe(evidence, better), Rule::R6, "descriptor");
}

#[test]
fn r6_what_evidence_is_and_where_it_belongs_is_no_matter_of_description() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let recording = Some("R-1".to_owned());
    let sealed =
        Descriptor { recording, sequence: Some(3), ..descriptor_of("C-1", Stage::Investigation) };
    let evidence = agency.put(&station(), sealed.clone()).evidence_id;
    let wrong = [
        ("kind", Descriptor { kind: EvidenceKind::Audio, ..sealed.clone() }),
        ("case", Descriptor { case: Some("C-2".to_owned()), ..sealed.clone() }),
        ("case", Descriptor { case: None, ..sealed.clone() }),
        ("stage", Descriptor { stage: Some(Stage::Review), ..sealed.clone() }),
        ("recording", Descriptor { recording: Some("R-2".to_owned()), ..sealed.clone() }),
        ("sequence", Descriptor { sequence: Some(4), ..sealed.clone() }),
        ("sequence", Descriptor { sequence: None, ..sealed.clone() }),
        (
            "classification",
            Descriptor { classification: Some(Classification::Ordinary), ..sealed.clone() },
        ),
    ];
    for (field, descriptor) in wrong {
        agency.refused(&officer(), describe(evidence, descriptor), Rule::R6, field);
    }
    agency.refused(&officer(), describe(evidence, sealed), Rule::R6, "descriptor");
}

#[test]
fn i10_r4_r26_a_new_description_is_as_good_as_a_first_one_and_has_a_reason() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let of = |place: String| Descriptor { place: Some(place), ..record.descriptor.clone() };
    let asked = |place: &str| describe(record.evidence_id, of(place.to_owned()));
    agency.refused(&officer(), asked(&"x".repeat(257)), Rule::I10, "place");
    agency.refused(&officer(), asked(""), Rule::R4, "place");
    let until = record.descriptor.captured_at.map(|at| Timestamp::from_millis(at.as_millis() - 1));
    let backwards = Descriptor { captured_until: until, ..record.descriptor.clone() };
    let backwards = describe(record.evidence_id, backwards);
    agency.refused(&officer(), backwards, Rule::R3, "captured_until");
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        let asked = CorrectDescriptor { reason, ..asked("elsewhere") };
        agency.refused(&officer(), asked, rule, "reason");
    }
}

#[test]
fn two_evidence_items_are_related_once_in_each_way() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let one = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    let saved = agency.done(&officer(), relate(one, other));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Related, Some(one)));
    assert_eq!(entry.record, Some(format!("relation/{one}/same-recording/{other}")));
    assert_eq!(entry.detail, Some(format!("same-recording {other}")));
    let Record::Relation(relation) = saved.record else { panic!("{saved:?}") };
    assert_eq!((relation.evidence, relation.to), (one, other));
    agency.done(&officer(), relate(other, one));
    let derived = AddRelation { relation: RelationKind::DerivedFrom, ..relate(one, other) };
    agency.done(&officer(), derived);
}

#[test]
fn r6_evidence_is_related_to_other_sealed_evidence_and_not_twice() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let one = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    agency.refused(&officer(), relate(one, one), Rule::R6, "to");
    agency.not_found(&officer(), relate(one, id(0xee)), Rule::R6, "to");
    let (number, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    agency.refused(&officer(), relate(one, id(number)), Rule::R6, "to");
    agency.done(&officer(), relate(one, other));
    agency.refused(&officer(), relate(one, other), Rule::R6, "relation");
}

#[test]
fn r23_evidence_is_not_related_to_that_of_another_agency() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let one = agency.sealed_in_case("C-1").evidence_id;
    let theirs = agency.put(&harbour_officer(), complete()).evidence_id;
    agency.refused(&officer(), relate(one, theirs), Rule::R23, "to");
}

#[test]
fn r10_retention_is_lengthened_and_never_shortened() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let evidence = record.evidence_id;
    let stands = agency.keeping(evidence).retain_until;
    assert_eq!(stands, record.sealed_at.plus_days(730));
    let before = Timestamp::from_millis(stands.as_millis() - 1);
    for until in [before, stands, Timestamp::from_millis(0), Timestamp::from_millis(i64::MIN)] {
        agency.refused(&custodian(), extend(evidence, until), Rule::R10, "until");
    }
    let later = Timestamp::from_millis(stands.as_millis() + 1);
    let filing = filing_of(agency.done(&custodian(), extend(evidence, later)));
    assert_eq!(filing.retain_until, later);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::RetentionExtended, Some(evidence)));
    assert_eq!(entry.record, Some(format!("filing/{evidence}")));
    let detail = format!("kept until {later}, was {stands}: a suit is likely");
    assert_eq!(entry.detail, Some(detail));
    let kept = agency.keeping(evidence);
    assert_eq!((kept.retain_until, kept.retained_for.as_str()), (later, "extended"));
    agency.refused(&custodian(), extend(evidence, later), Rule::R10, "until");
    assert_eq!(agency.evidence(evidence.as_bytes()[0]), Some(record));
}

#[test]
fn i10_retention_is_lengthened_by_a_century_at_most() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    // The act is a second later than now.
    let latest = Timestamp::from_millis(agency.now.plus_days(36_600).as_millis() + 1000);
    let after = Timestamp::from_millis(latest.as_millis() + 1001);
    agency.refused(&custodian(), extend(evidence, after), Rule::I10, "until");
    let forever = Timestamp::from_millis(i64::MAX);
    agency.refused(&custodian(), extend(evidence, forever), Rule::I10, "until");
    agency.done(&custodian(), extend(evidence, latest));
    let silent = ExtendRetention { reason: String::new(), ..extend(evidence, forever) };
    agency.refused(&custodian(), silent, Rule::R26, "reason");
}

#[test]
fn r12_a_copy_is_on_the_register_of_media() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let saved = agency.done(&custodian(), copy(evidence));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::CopyRegistered, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("copy/X1"));
    assert_eq!(entry.detail.as_deref(), Some("copy X1 on disc 2026-014, at safe 2"));
    let Record::Copy(it) = saved.record else { panic!("{saved:?}") };
    assert_eq!((it.id.as_str(), it.evidence), ("X1", evidence));
    assert_eq!((it.made.by, it.made.reason.as_str()), (custodian().name, "for the court"));
    agency.done(&head(), copy(evidence));
    assert!(agency.record(RecordKind::Copy, "X2").is_some());
}

#[test]
fn r20_a_copy_that_is_not_the_evidence_is_no_copy() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let wrong = RegisterCopy { blake3: Blake3Hash([0; 32]), ..copy(evidence) };
    agency.refused(&custodian(), wrong, Rule::R20, "blake3");
    let saved = agency.done(&custodian(), copy(evidence));
    assert_eq!(saved.record.id(), "X1", "what was refused took no number");
}

#[test]
fn r26_i10_a_copy_says_on_what_where_and_what_for() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    for (rule, text, long) in [
        (Rule::R26, String::new(), String::new()),
        (Rule::R26, "two\nlines".to_owned(), "two\nlines".to_owned()),
        (Rule::I10, "x".repeat(257), "x".repeat(513)),
    ] {
        let asked = RegisterCopy { medium: text.clone(), ..copy(evidence) };
        agency.refused(&custodian(), asked, rule, "medium");
        let asked = RegisterCopy { place: text, ..copy(evidence) };
        agency.refused(&custodian(), asked, rule, "place");
        let asked = RegisterCopy { reason: long, ..copy(evidence) };
        agency.refused(&custodian(), asked, rule, "reason");
    }
}

#[test]
fn r7_an_auxiliary_files_describes_relates_and_notes_nothing() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    let commands = acts(evidence, other);
    for command in &commands[..4] {
        agency.refused(&auxiliary(), command.clone(), Rule::R7, "actor");
    }
    for command in &commands[4..] {
        agency.refused(&auxiliary(), command.clone(), Rule::R23, "role");
    }
}

#[test]
fn r23_who_has_no_right_over_evidence_does_nothing_to_it() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    let commands = acts(evidence, other);
    let [file, note, describe, relate, classify, extend, copy] = &commands[..] else {
        panic!("seven acts");
    };
    let none: [(_, &[&LawCommand]); 4] = [
        (officer(), &[classify, extend, copy]),
        (reviewer(), &[file, describe, relate, classify, extend, copy]),
        (auditor(), &[file, describe, relate, classify, copy]),
        (administrator(), &[file, note, describe, relate, classify, extend, copy]),
    ];
    for (actor, commands) in none {
        for command in commands {
            agency.refused(&actor, (*command).clone(), Rule::R23, "role");
        }
    }
    agency.done(&reviewer(), note.clone());
    agency.done(&auditor(), note.clone());
    let year = Timestamp::from_millis(agency.now.plus_days(1000).as_millis());
    agency.done(&auditor(), ExtendRetention { evidence, until: year, reason: "x".to_owned() });
    for command in &commands {
        agency.refused(&traffic_custodian(), command.clone(), Rule::R23, "unit");
        agency.refused(&harbour_custodian(), command.clone(), Rule::R23, "unit");
    }
}

#[test]
fn a_recorder_that_is_on_the_register_is_seen_when_something_of_it_is_sealed() {
    let mut agency = Agency::new();
    let seen = |agency: &Agency| {
        let key = [&[0x74][..], RECORDER.as_bytes()].concat();
        agency.kv.get(&key).map(|bytes| i64::from_be_bytes(bytes[..].try_into().expect("8")))
    };
    agency.put(&station(), Descriptor { recorder: Some("BWC-9999".to_owned()), ..complete() });
    assert_eq!(seen(&agency), None);
    let first = agency.put(&station(), complete()).sealed_at;
    assert_eq!(seen(&agency), Some(first.as_millis()));
    agency.put(&station(), complete());
    assert_eq!(seen(&agency), Some(first.as_millis()), "to the hour");
    agency.now = Timestamp::from_millis(first.as_millis() + 3_600_000);
    let later = agency.put(&station(), complete()).sealed_at;
    assert_eq!(seen(&agency), Some(later.as_millis()));
}

#[test]
fn r2_every_kind_of_evidence_is_taken_and_asked_for_fields_of_its_own() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.set_policy(|policy| policy.incomplete_descriptor = IncompleteDescriptor::Refuse);
    for kind in EvidenceKind::ALL {
        let whole = Descriptor {
            kind: *kind,
            source: Some("mail@market.example".to_owned()),
            ..descriptor_of("C-1", Stage::Review)
        };
        let lacking = Descriptor { recorder: None, place: None, source: None, ..whole.clone() };
        match kind {
            EvidenceKind::Video | EvidenceKind::Audio => {
                put_refused(&mut agency, &station(), lacking, Rule::R4, "recorder");
            }
            EvidenceKind::Photo => {
                put_refused(&mut agency, &station(), lacking, Rule::R4, "place");
            }
            EvidenceKind::Electronic => {
                put_refused(&mut agency, &station(), lacking, Rule::R4, "source");
            }
            EvidenceKind::Document => drop(agency.put(&station(), lacking)),
        }
        let record = agency.put(&station(), whole);
        assert_eq!(agency.filing(record.evidence_id).case.as_deref(), Some("C-1"));
    }
}

#[test]
fn r5_a_number_of_a_segment_is_one_of_its_recording() {
    let mut agency = Agency::new();
    let numbered = Descriptor { sequence: Some(3), ..complete() };
    let (_, open) = agency.next_upload(numbered.clone());
    let done = agency.act(&station(), open);
    assert_refused(done, ErrorKind::Invalid, Rule::R5, "sequence");
    let recording = Some("R-1".to_owned());
    let record = agency.put(&station(), Descriptor { recording, ..numbered });
    let number = (record.descriptor.recording.as_deref(), record.descriptor.sequence);
    assert_eq!(number, (Some("R-1"), Some(3)));
}

#[test]
fn r8_when_the_party_was_told_is_kept_as_it_was_put() {
    let mut agency = Agency::new();
    for notice_at_ms in [None, Some(0), Some(4200)] {
        let record = agency.put(&station(), Descriptor { notice_at_ms, ..complete() });
        let kept = agency.evidence(record.evidence_id.as_bytes()[0]).expect("sealed");
        assert_eq!(kept.descriptor.notice_at_ms, notice_at_ms);
    }
}
