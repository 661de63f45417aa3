//! The end of a case: closed, reported on, archived, opened again (rules R1, R9, R13).

use custos_core::{
    Act, Descriptor, EvidenceKind, Rule, Stage, Timestamp,
    law::{
        ActType, CaseReport, CaseState, CloseCase, LawAnswer, LawQuery, OpenCase, ReopenCase,
        UpdateCase,
    },
};

use crate::{
    agency::{Agency, case_of, custodian, descriptor_of, head, law, new_case, officer},
    cases::{archive, close, reopen, update},
    world::{START_MS, station},
};

fn report(agency: &Agency, case: &str) -> CaseReport {
    match agency.law(LawQuery::Case(custos_core::law::CaseName { case: case.to_owned() })) {
        LawAnswer::Case(report) => report,
        other => panic!("{other:?}"),
    }
}

/// Puts something under every stage of a case, sound and picture where `with_video`.
fn fill(agency: &mut Agency, case: &str, with_video: bool) {
    for stage in Stage::ALL {
        let kind = match (*stage, with_video) {
            (Stage::Investigation, true) => EvidenceKind::Video,
            _ => EvidenceKind::Document,
        };
        agency.put(&station(), Descriptor { kind, ..descriptor_of(case, *stage) });
    }
}

#[test]
fn r13_closing_a_case_starts_its_archive_clock() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.move_to("C-1", Stage::Investigation);
    let saved = agency.done(&officer(), close("C-1"));
    let due = agency.now.plus_days(30);
    let case = case_of(saved);
    assert_eq!((case.stage, case.state), (Stage::Archiving, CaseState::Closed));
    assert_eq!((case.closed_at, case.archive_due), (Some(agency.now), Some(due)));
    assert_eq!(case.reason.as_deref(), Some("fined"));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseClosed, Some("case/C-1")));
    let detail = format!("case C-1 closed, to be filed by {due}: fined");
    assert_eq!(entry.detail.as_deref(), Some(&*detail));

    agency.set_policy(|policy| policy.archive_days = 10);
    agency.open_case("C-2");
    let case = agency.close_case("C-2");
    assert_eq!(case.archive_due, Some(agency.now.plus_days(10)), "from any stage, by the policy");
    let earlier = agency.case("C-1").archive_due;
    assert_eq!(earlier, Some(due), "a day that was given stays");
}

#[test]
fn r7_a_case_is_not_closed_without_two_certified_officers() {
    let mut agency = Agency::new();
    let officers = vec!["310115-0001".to_owned()];
    agency.done(&officer(), OpenCase { officers, ..new_case("C-1") });
    agency.refused(&officer(), close("C-1"), Rule::R7, "officers");
    let join = UpdateCase { add_officers: vec!["310115-0002".to_owned()], ..update("C-1") };
    agency.done(&officer(), join);
    agency.done(&officer(), close("C-1"));
}

#[test]
fn r26_a_case_is_closed_and_reopened_with_a_reason() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    agency.close_case("C-2");
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        let asked = CloseCase { reason: reason.clone(), ..close("C-1") };
        agency.refused(&officer(), asked, rule, "reason");
        let asked = ReopenCase { reason, ..reopen("C-2", Stage::Review) };
        agency.refused(&head(), asked, rule, "reason");
    }
}

#[test]
fn r13_archiving_seals_a_case_with_all_that_it_has_on_record() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    fill(&mut agency, "C-1", true);
    assert_eq!(report(&agency, "C-1").missing, [""; 0]);
    agency.close_case("C-1");
    let saved = agency.done(&custodian(), archive("C-1", None));
    let case = case_of(saved);
    assert_eq!((case.state, case.archived_at), (CaseState::Archived, Some(agency.now)));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseArchived, Some("case/C-1")));
    assert_eq!(entry.detail.as_deref(), Some("case C-1 archived"));
}

#[test]
fn r13_only_a_closed_case_is_archived() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&custodian(), archive("C-1", Some("x")), Rule::R13, "case");
    agency.archive_case("C-1");
    agency.refused(&custodian(), archive("C-1", Some("x")), Rule::R13, "case");
}

#[test]
fn r1_a_stage_without_evidence_is_explained_before_a_case_is_archived() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.put(&station(), descriptor_of("C-1", Stage::Investigation));
    agency.close_case("C-1");
    let refusal = agency.refused(&custodian(), archive("C-1", None), Rule::R1, "despite");
    assert!(refusal.reason.contains("nothing is on record of review"), "{refusal}");
    agency.refused(&custodian(), archive("C-1", Some(" ")), Rule::R26, "despite");
    let long = "x".repeat(513);
    agency.refused(&custodian(), archive("C-1", Some(&long)), Rule::I10, "despite");
    let case = case_of(agency.done(&custodian(), archive("C-1", Some("settled on the spot"))));
    assert_eq!(case.reason.as_deref(), Some("settled on the spot"));
    let detail = agency.last_entry().detail.expect("stands");
    assert!(detail.contains("lacks nothing is on record of initiation"), "{detail}");
    assert!(detail.ends_with(": settled on the spot"), "{detail}");
}

#[test]
fn r9_sound_and_picture_that_must_be_there_are_explained_before_a_case_is_archived() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    fill(&mut agency, "C-1", false);
    let lacks = ["R9: investigation has no sound and picture on record"];
    assert_eq!(report(&agency, "C-1").missing, lacks);
    agency.close_case("C-1");
    agency.refused(&custodian(), archive("C-1", None), Rule::R9, "despite");
    agency.done(&custodian(), archive("C-1", Some("the recorder failed")));
    // Where the policy does not ask for it nothing is missing.
    let licence = OpenCase { act_type: ActType::Licence, ..new_case("C-2") };
    agency.done(&officer(), licence);
    fill(&mut agency, "C-2", false);
    agency.close_case("C-2");
    agency.done(&custodian(), archive("C-2", None));
}

#[test]
fn r1_the_report_counts_what_is_filed_under_each_stage() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    agency.sealed_in_case("C-1");
    agency.put(
        &station(),
        Descriptor { kind: EvidenceKind::Photo, ..descriptor_of("C-1", Stage::Investigation) },
    );
    let moved = agency.put(&station(), descriptor_of("C-1", Stage::Review));
    agency.sealed_in_case("C-2");
    // A claim that names no stage is listed with the case and filed under nothing.
    agency.put(&station(), Descriptor { stage: None, ..descriptor_of("C-1", Stage::Review) });
    let counts = |report: CaseReport| -> Vec<(Stage, u32, u32)> {
        report.stages.iter().map(|it| (it.stage, it.items, it.audio_visual)).collect()
    };
    let found = report(&agency, "C-1");
    assert!(!found.truncated && found.case == "C-1");
    let required: Vec<Stage> =
        found.stages.iter().filter(|it| it.audio_visual_required).map(|it| it.stage).collect();
    assert_eq!(required, [Stage::Investigation]);
    let expected = [
        (Stage::Initiation, 0, 0),
        (Stage::Investigation, 2, 1),
        (Stage::Review, 1, 1),
        (Stage::Service, 0, 0),
        (Stage::Archiving, 0, 0),
    ];
    assert_eq!(counts(found), expected);
    let missing = report(&agency, "C-1").missing;
    assert_eq!(missing[0], "R1: nothing is on record of initiation");
    assert_eq!(missing.len(), 3);

    let reason = Some("wrong case".to_owned());
    let elsewhere = crate::agency::file_under(moved.evidence_id, "C-2", Stage::Service);
    agency.done(&officer(), custos_core::law::FileEvidence { reason, ..elsewhere });
    assert_eq!(counts(report(&agency, "C-1"))[2], (Stage::Review, 0, 0));
    assert_eq!(counts(report(&agency, "C-2"))[3], (Stage::Service, 1, 1));
}

#[test]
fn r13_a_case_that_is_opened_again_goes_on_at_a_stage_and_takes_evidence() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.archive_case("C-1");
    let saved = agency.done(&head(), reopen("C-1", Stage::Review));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseReopened, Some("case/C-1")));
    let detail = "case C-1 opened again at review: a new witness";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    let case = case_of(saved);
    assert_eq!((case.stage, case.state), (Stage::Review, CaseState::Open));
    assert_eq!(case.archive_due, None);
    assert!(case.closed_at.is_some() && case.archived_at.is_some(), "it stays visible");
    agency.sealed_in_case("C-1");
    agency.close_case("C-1");
    agency.done(&head(), reopen("C-1", Stage::Initiation));
}

#[test]
fn r13_an_open_case_is_not_opened_again() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&head(), reopen("C-1", Stage::Review), Rule::R13, "case");
}

#[test]
fn r1_a_case_is_opened_again_at_a_stage_of_its_act_type_but_archiving() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.archive_case("C-1");
    agency.refused(&head(), reopen("C-1", Stage::Archiving), Rule::R1, "stage");
    agency.set_policy(|policy| {
        policy.act_types[0].stages =
            vec![Stage::Initiation, Stage::Investigation, Stage::Archiving];
    });
    agency.refused(&head(), reopen("C-1", Stage::Review), Rule::R1, "stage");
    agency.done(&head(), reopen("C-1", Stage::Investigation));
}

#[test]
fn r13_a_case_that_is_filed_late_is_on_record_as_such() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let due = agency.close_case("C-1").archive_due.expect("closed");
    let asked = || law(archive("C-1", Some("the printer broke")));
    let late = Timestamp::from_millis(due.as_millis() + 1);
    agency.act_at(late, &custodian(), asked()).expect("archived");
    let detail = agency.last_entry().detail.expect("stands");
    assert!(detail.starts_with("case C-1 archived late, lacks"), "{detail}");

    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.close_case("C-1");
    agency.act_at(due, &custodian(), asked()).expect("archived");
    let detail = agency.last_entry().detail.expect("stands");
    assert!(detail.starts_with("case C-1 archived, lacks"), "in time to the millisecond");
    assert!(due > Timestamp::from_millis(START_MS));
}
