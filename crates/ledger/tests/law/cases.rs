//! Cases: opened, changed, moved from stage to stage, classified; who may run them.

use custos_core::{
    Act, Rule, Stage,
    law::{
        ActType, ActTypePolicy, ArchiveCase, CaseState, Classification, ClassifyCase, CloseCase,
        MoveCase, OpenCase, Party, Person, RecordKind, ReopenCase, SetPerson, SetUnit, Unit,
        UpdateCase,
    },
};

use crate::{
    agency::{
        Agency, administrator, auditor, auxiliary, case_of, custodian, east_custodian,
        east_officer, harbour_officer, head, law, move_case, new_case, officer, person, reviewer,
        second_head, second_officer, traffic_custodian, traffic_head, traffic_officer, unit,
    },
    world::developer,
};

pub(crate) fn update(case: &str) -> UpdateCase {
    UpdateCase {
        case: case.to_owned(),
        title: None,
        place: None,
        custodian: None,
        add_officers: Vec::new(),
        remove_officers: Vec::new(),
        add_parties: Vec::new(),
        reason: "found out since".to_owned(),
    }
}

pub(crate) fn close(case: &str) -> CloseCase {
    CloseCase { case: case.to_owned(), reason: "fined".to_owned() }
}

pub(crate) fn archive(case: &str, despite: Option<&str>) -> ArchiveCase {
    ArchiveCase { case: case.to_owned(), despite: despite.map(str::to_owned) }
}

pub(crate) fn reopen(case: &str, stage: Stage) -> ReopenCase {
    ReopenCase { case: case.to_owned(), stage, reason: "a new witness".to_owned() }
}

fn classify(case: &str, to: Classification) -> ClassifyCase {
    ClassifyCase { case: case.to_owned(), to, reason: "a minor is seen".to_owned() }
}

fn party(name: &str) -> Party {
    Party { name: name.to_owned(), role: "respondent".to_owned() }
}

/// Puts somebody out of office.
fn dismiss(agency: &mut Agency, who: &custos_core::Actor) {
    let gone = Person { active: false, ..person(who) };
    agency.done(&administrator(), SetPerson { person: gone });
}

/// Adds certified officers to the market, and gives their numbers.
fn hire(agency: &mut Agency, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            let certificate = format!("310115-9{number:03}");
            let person = Person {
                id: format!("officer-{number}"),
                certificate_no: Some(certificate.clone()),
                ..person(&officer())
            };
            agency.done(&administrator(), SetPerson { person });
            certificate
        })
        .collect()
}

#[test]
fn a_case_is_opened_at_the_first_stage_of_its_act_type() {
    let mut agency = Agency::new();
    let asked = OpenCase { parties: vec![party("Zhang San")], ..new_case("C-1") };
    let saved = agency.done(&officer(), asked.clone());
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseOpened, Some("case/C-1")));
    assert_eq!(entry.detail.as_deref(), Some("case C-1: penalty of market"));
    let case = case_of(saved);
    assert_eq!((case.stage, case.state), (Stage::Initiation, CaseState::Open));
    assert_eq!((case.opened_at, case.closed_at, case.archive_due), (agency.now, None, None));
    assert_eq!((case.officers, case.parties), (asked.officers, asked.parties));
    assert_eq!((case.title, case.place), (asked.title, asked.place));
    assert_eq!((case.unit, case.custodian), (asked.unit, asked.custodian));
}

#[test]
fn an_officer_who_opens_a_case_need_not_be_one_of_its_officers() {
    let mut agency = Agency::new();
    let officers = vec!["310115-0002".to_owned()];
    agency.done(&officer(), OpenCase { officers, ..new_case("C-1") });
    // Nor need it have any yet, and one of another department may be among them.
    agency.done(&officer(), OpenCase { officers: vec![], ..new_case("C-2") });
    let officers = vec!["310115-0003".to_owned()];
    agency.done(&officer(), OpenCase { officers, ..new_case("C-3") });
}

#[test]
fn a_case_begins_where_the_policy_lets_its_act_type_begin() {
    let mut agency = Agency::new();
    agency.set_policy(|policy| {
        policy.act_types.push(ActTypePolicy {
            act_type: ActType::Fee,
            stages: vec![Stage::Review, Stage::Archiving],
            audio_visual: vec![],
            retention_days: 0,
        });
    });
    let asked = OpenCase { act_type: ActType::Fee, ..new_case("C-1") };
    assert_eq!(case_of(agency.done(&officer(), asked)).stage, Stage::Review);
}

#[test]
fn r26_the_id_of_a_case_is_used_once() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&custodian(), new_case("C-1"), Rule::R26, "case");
    agency.archive_case("C-1");
    agency.refused(&custodian(), new_case("C-1"), Rule::R26, "case");
    for id in ["", "C 1", "{2026}17"] {
        agency.refused(&officer(), new_case(id), Rule::R26, "case");
    }
    agency.refused(&officer(), new_case(&"x".repeat(129)), Rule::I10, "case");
    agency.open_case(&"x".repeat(128));
    // As agencies number their papers.
    agency.open_case("沪浦城罚〔2026〕17");
}

#[test]
fn r26_a_case_belongs_to_a_unit_in_use() {
    let mut agency = Agency::new();
    let asked = OpenCase { unit: "nowhere".to_owned(), ..new_case("C-1") };
    agency.not_found(&developer(), asked, Rule::R26, "unit");
    let closed = Unit { active: false, ..unit("market", Some("city")) };
    agency.done(&administrator(), SetUnit { unit: closed });
    agency.refused(&officer(), new_case("C-1"), Rule::R26, "unit");
}

#[test]
fn r26_the_custodian_of_a_case_is_an_active_custodian_who_reaches_its_unit() {
    let mut agency = Agency::new();
    dismiss(&mut agency, &traffic_custodian());
    let wrong = ["", "nobody", "wang.wei", "sun.li", "zheng.hua", "ma.long"];
    for name in wrong {
        let asked = OpenCase { custodian: name.to_owned(), ..new_case("C-1") };
        agency.refused(&officer(), asked, Rule::R26, "custodian");
    }
    // Who reaches a department from above may answer for its cases.
    let asked = OpenCase { unit: "market-east".to_owned(), ..new_case("C-1") };
    agency.done(&officer(), asked);
    for name in wrong {
        let asked = UpdateCase { custodian: Some(name.to_owned()), ..update("C-1") };
        if name == east_custodian().name {
            agency.done(&officer(), asked);
        } else {
            agency.refused(&officer(), asked, Rule::R26, "custodian");
        }
    }
}

#[test]
fn i10_a_case_has_32_officers_and_64_parties() {
    let mut agency = Agency::new();
    let officers = hire(&mut agency, 33);
    let asked = OpenCase { officers: officers.clone(), ..new_case("C-1") };
    agency.refused(&officer(), asked, Rule::I10, "officers");
    let parties = vec![party("Zhang San"); 65];
    let asked = OpenCase { parties: parties.clone(), ..new_case("C-1") };
    agency.refused(&officer(), asked, Rule::I10, "parties");
    let asked = OpenCase {
        officers: officers[..32].to_vec(),
        parties: parties[..64].to_vec(),
        ..new_case("C-1")
    };
    agency.done(&officer(), asked);
    let asked = UpdateCase { add_officers: officers[32..].to_vec(), ..update("C-1") };
    agency.refused(&officer(), asked, Rule::I10, "officers");
    let asked = UpdateCase { add_parties: vec![party("Li Si")], ..update("C-1") };
    agency.refused(&officer(), asked, Rule::I10, "add_parties");
    let asked = UpdateCase {
        add_officers: officers[32..].to_vec(),
        remove_officers: officers[..1].to_vec(),
        ..update("C-1")
    };
    agency.done(&officer(), asked);
}

#[test]
fn r7_every_officer_of_a_case_is_an_active_certified_one_of_the_agency() {
    let mut agency = Agency::new();
    dismiss(&mut agency, &east_officer());
    let promoted = Person { certificate_no: Some("310115-5".to_owned()), ..person(&head()) };
    agency.done(&administrator(), SetPerson { person: promoted });
    // Nobody's, an inactive one's, one of another agency's, a head's, named twice.
    let wrong = [
        vec!["310115-9999"],
        vec![""],
        vec!["310115-0004"],
        vec!["410000-0001"],
        vec!["310115-5"],
        vec!["chen.jie"],
        vec!["310115-0001", "310115-0001"],
    ];
    agency.open_case("C-1");
    for numbers in wrong {
        let officers: Vec<String> = numbers.into_iter().map(str::to_owned).collect();
        let asked = OpenCase { officers: officers.clone(), ..new_case("C-2") };
        agency.refused(&officer(), asked, Rule::R7, "officers");
        let asked = UpdateCase { add_officers: officers, ..update("C-1") };
        agency.refused(&officer(), asked, Rule::R7, "officers");
    }
}

#[test]
fn r26_i10_texts_of_a_case_say_something_and_have_their_lengths() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    for text in ["", " ", "two\nlines"] {
        let text = || Some(text.to_owned());
        agency.refused(
            &officer(),
            OpenCase { title: text(), ..new_case("C-2") },
            Rule::R26,
            "title",
        );
        agency.refused(
            &officer(),
            OpenCase { place: text(), ..new_case("C-2") },
            Rule::R26,
            "place",
        );
        agency.refused(
            &officer(),
            UpdateCase { title: text(), ..update("C-1") },
            Rule::R26,
            "title",
        );
        agency.refused(
            &officer(),
            UpdateCase { place: text(), ..update("C-1") },
            Rule::R26,
            "place",
        );
        let reason = text().unwrap_or_default();
        let asked = UpdateCase { title: Some("Stall".to_owned()), reason, ..update("C-1") };
        agency.refused(&officer(), asked, Rule::R26, "reason");
        for party in [
            Party { name: text().unwrap_or_default(), ..party("x") },
            Party { role: text().unwrap_or_default(), ..party("x") },
        ] {
            let parties = vec![party];
            let asked = OpenCase { parties: parties.clone(), ..new_case("C-2") };
            agency.refused(&officer(), asked, Rule::R26, "parties");
            let asked = UpdateCase { add_parties: parties, ..update("C-1") };
            agency.refused(&officer(), asked, Rule::R26, "parties");
        }
    }
    let long = || Some("x".repeat(257));
    agency.refused(&officer(), OpenCase { title: long(), ..new_case("C-2") }, Rule::I10, "title");
    agency.refused(&officer(), OpenCase { place: long(), ..new_case("C-2") }, Rule::I10, "place");
    agency.refused(&officer(), UpdateCase { title: long(), ..update("C-1") }, Rule::I10, "title");
    agency.refused(&officer(), UpdateCase { place: long(), ..update("C-1") }, Rule::I10, "place");
    let asked = UpdateCase { reason: "x".repeat(513), ..update("C-1") };
    agency.refused(&officer(), asked, Rule::I10, "reason");
    let asked = OpenCase { parties: vec![party(&"x".repeat(257))], ..new_case("C-2") };
    agency.refused(&officer(), asked, Rule::I10, "parties");
    let parties = vec![Party { role: "x".repeat(65), ..party("x") }];
    agency.refused(&officer(), OpenCase { parties, ..new_case("C-2") }, Rule::I10, "parties");
}

#[test]
fn what_changes_of_a_case_is_its_next_version() {
    let mut agency = Agency::new();
    let before = agency.open_case("C-1");
    let asked = UpdateCase {
        title: Some("Stall and cart".to_owned()),
        add_officers: vec!["310115-0003".to_owned()],
        remove_officers: vec!["310115-0002".to_owned()],
        add_parties: vec![party("Zhang San")],
        ..update("C-1")
    };
    let saved = agency.done(&officer(), asked);
    assert_eq!(saved.version, 2);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseChanged, Some("case/C-1")));
    assert_eq!(entry.detail.as_deref(), Some("case C-1 changed: found out since"));
    let case = case_of(saved);
    assert_eq!(case.officers, ["310115-0001", "310115-0003"]);
    assert_eq!((case.title.as_deref(), &case.place), (Some("Stall and cart"), &before.place));
    assert_eq!(case.parties, [party("Zhang San")]);
    assert_eq!(case.reason.as_deref(), Some("found out since"));
    let first = agency.history(RecordKind::Case, "C-1").swap_remove(0);
    assert_eq!(case_of(first), before, "what was changed stays visible");
}

#[test]
fn r26_an_update_changes_something() {
    let mut agency = Agency::new();
    let case = agency.open_case("C-1");
    agency.refused(&officer(), update("C-1"), Rule::R26, "case");
    let same = UpdateCase {
        title: case.title,
        place: case.place,
        custodian: Some(case.custodian),
        ..update("C-1")
    };
    agency.refused(&officer(), same, Rule::R26, "case");
}

#[test]
fn r7_who_joins_a_case_is_not_of_it_yet_and_who_leaves_it_is() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let asked = UpdateCase { add_officers: vec!["310115-0001".to_owned()], ..update("C-1") };
    agency.refused(&officer(), asked, Rule::R7, "officers");
    let asked = UpdateCase { remove_officers: vec!["310115-0003".to_owned()], ..update("C-1") };
    agency.refused(&officer(), asked, Rule::R7, "officers");
    // Nor does one do both at once.
    for number in ["310115-0001", "310115-0003"] {
        let number = vec![number.to_owned()];
        let asked =
            UpdateCase { add_officers: number.clone(), remove_officers: number, ..update("C-1") };
        agency.refused(&officer(), asked, Rule::R7, "officers");
    }
}

#[test]
fn r7_past_initiation_two_certified_officers_stay() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let leaves =
        |number: &str| UpdateCase { remove_officers: vec![number.to_owned()], ..update("C-1") };
    agency.move_to("C-1", Stage::Investigation);
    agency.refused(&officer(), leaves("310115-0002"), Rule::R7, "remove_officers");
    let join = UpdateCase { add_officers: vec!["310115-0003".to_owned()], ..leaves("310115-0002") };
    agency.done(&officer(), join);
    // One whose certificate does not count any more does not count.
    let join = UpdateCase { add_officers: vec!["310115-0004".to_owned()], ..update("C-1") };
    agency.done(&officer(), join);
    dismiss(&mut agency, &east_officer());
    agency.refused(&officer(), leaves("310115-0003"), Rule::R7, "remove_officers");
    agency.done(&officer(), leaves("310115-0004"));
    agency.close_case("C-1");
    agency.refused(&officer(), leaves("310115-0003"), Rule::R7, "remove_officers");
    // At its first stage they may go.
    agency.open_case("C-2");
    let leaves = UpdateCase { remove_officers: vec!["310115-0002".to_owned()], ..update("C-2") };
    agency.done(&officer(), leaves);
}

#[test]
fn r13_an_archived_case_is_not_changed() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.close_case("C-1");
    let asked = || UpdateCase { title: Some("Stall".to_owned()), ..update("C-1") };
    agency.done(&officer(), asked());
    agency.done(&custodian(), archive("C-1", Some("nothing was filmed")));
    let asked = UpdateCase { title: Some("Cart".to_owned()), ..update("C-1") };
    agency.refused(&officer(), asked, Rule::R13, "case");
}

#[test]
fn a_case_goes_from_stage_to_stage_and_back_with_a_reason() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let saved = agency.done(&officer(), move_case("C-1", Stage::Investigation));
    assert_eq!(case_of(saved).stage, Stage::Investigation);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::CaseChanged, Some("case/C-1")));
    let detail = "case C-1 from initiation to investigation";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    agency.move_to("C-1", Stage::Service);
    let reason = Some("the decision was annulled".to_owned());
    let back = MoveCase { reason: reason.clone(), ..move_case("C-1", Stage::Initiation) };
    let case = case_of(agency.done(&officer(), back));
    assert_eq!((case.stage, case.reason), (Stage::Initiation, reason));
    let detail = "case C-1 from service to initiation: the decision was annulled";
    assert_eq!(agency.last_entry().detail.as_deref(), Some(detail));
}

#[test]
fn r7_a_case_does_not_leave_its_first_stage_without_two_certified_officers() {
    let mut agency = Agency::new();
    for (case, officers) in [("C-0", vec![]), ("C-1", vec!["310115-0001".to_owned()])] {
        agency.done(&officer(), OpenCase { officers, ..new_case(case) });
        agency.refused(&officer(), move_case(case, Stage::Investigation), Rule::R7, "officers");
    }
    agency.open_case("C-2");
    dismiss(&mut agency, &second_officer());
    agency.refused(&officer(), move_case("C-2", Stage::Investigation), Rule::R7, "officers");
    let join = UpdateCase { add_officers: vec!["310115-0003".to_owned()], ..update("C-2") };
    agency.done(&officer(), join);
    agency.done(&officer(), move_case("C-2", Stage::Investigation));
    // Later it goes on, whoever left office since.
    dismiss(&mut agency, &traffic_officer());
    agency.done(&officer(), move_case("C-2", Stage::Review));
}

#[test]
fn r7_a_policy_without_the_first_stage_lets_no_case_out_of_it_with_fewer_officers() {
    let mut agency = Agency::new();
    agency.done(&officer(), OpenCase { officers: vec![], ..new_case("C-1") });
    agency.set_policy(|policy| policy.act_types[0].stages = Stage::ALL[1..].to_vec());
    agency.refused(&officer(), move_case("C-1", Stage::Review), Rule::R7, "officers");
    let officers = vec!["310115-0001".to_owned(), "310115-0002".to_owned()];
    agency.done(&officer(), UpdateCase { add_officers: officers, ..update("C-1") });
    // It goes on anywhere: nothing says what comes next.
    agency.done(&officer(), move_case("C-1", Stage::Review));
}

#[test]
fn r1_a_case_goes_to_the_next_stage_of_its_act_type_alone() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&officer(), move_case("C-1", Stage::Initiation), Rule::R1, "stage");
    agency.refused(&officer(), move_case("C-1", Stage::Review), Rule::R1, "stage");
    agency.refused(&officer(), move_case("C-1", Stage::Service), Rule::R1, "stage");
    agency.set_policy(|policy| {
        policy.act_types[0].stages =
            vec![Stage::Initiation, Stage::Investigation, Stage::Archiving];
    });
    agency.move_to("C-1", Stage::Investigation);
    agency.refused(&officer(), move_case("C-1", Stage::Review), Rule::R1, "stage");
}

#[test]
fn r26_a_case_goes_back_with_a_reason_only() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.move_to("C-1", Stage::Review);
    for stage in [Stage::Initiation, Stage::Investigation] {
        agency.refused(&officer(), move_case("C-1", stage), Rule::R26, "reason");
        for reason in ["", "  ", "two\nlines"] {
            let back = MoveCase { reason: Some(reason.to_owned()), ..move_case("C-1", stage) };
            agency.refused(&officer(), back, Rule::R26, "reason");
        }
    }
    let long = MoveCase { reason: Some("x".repeat(513)), ..move_case("C-1", Stage::Initiation) };
    agency.refused(&officer(), long, Rule::I10, "reason");
}

#[test]
fn r13_archiving_is_entered_by_closing_alone() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&officer(), move_case("C-1", Stage::Archiving), Rule::R13, "stage");
    agency.move_to("C-1", Stage::Service);
    agency.refused(&officer(), move_case("C-1", Stage::Archiving), Rule::R13, "stage");
}

#[test]
fn r13_only_an_open_case_moves_or_closes() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.close_case("C-1");
    for _ in 0..2 {
        agency.refused(&officer(), move_case("C-1", Stage::Review), Rule::R13, "case");
        agency.refused(&officer(), close("C-1"), Rule::R13, "case");
        if agency.case("C-1").state == CaseState::Closed {
            agency.done(&custodian(), archive("C-1", Some("nothing was filmed")));
        }
    }
}

#[test]
fn r1_who_names_no_case_is_told_that_there_is_none() {
    let mut agency = Agency::new();
    let asked = [
        law(update("C-9")),
        law(move_case("C-9", Stage::Review)),
        law(close("C-9")),
        law(archive("C-9", None)),
        law(reopen("C-9", Stage::Review)),
        law(classify("C-9", Classification::Privacy)),
    ];
    for command in asked {
        let kind = custos_core::ErrorKind::NotFound;
        agency.fails(&developer(), command, kind, Rule::R1, "case");
        assert_eq!(agency.last_entry().record.as_deref(), Some("case/C-9"));
    }
}

#[test]
fn r19_a_case_is_classified_higher_at_once_and_its_evidence_with_it() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let saved = agency.done(&custodian(), classify("C-1", Classification::TradeSecret));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::Classified, Some("case/C-1")));
    let detail = "case C-1: raised from ordinary to trade-secret: a minor is seen";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    let case = case_of(saved);
    assert_eq!((case.classification, case.lower_to), (Classification::TradeSecret, None));
    assert_eq!(agency.filing(record.evidence_id).classification, Classification::Ordinary);
    let number = record.evidence_id.as_bytes()[0];
    let kind = custos_core::ErrorKind::Refused;
    let view = crate::world::view(number, 0, 1);
    agency.fails(&officer(), view.clone(), kind, Rule::R19, "clearance");
    agency.act(&custodian(), view).expect("cleared");
}

#[test]
fn r19_a_case_is_classified_lower_when_a_second_with_the_right_asks_for_the_same() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.done(&custodian(), classify("C-1", Classification::TradeSecret));
    let case = case_of(agency.done(&custodian(), classify("C-1", Classification::Privacy)));
    assert_eq!(case.classification, Classification::TradeSecret, "nothing is lower yet");
    assert_eq!(case.lower_to, Some(Classification::Privacy));
    assert_eq!(case.lower_asked.expect("asked").by, custodian().name);
    let detail = agency.last_entry().detail.expect("stands");
    assert!(detail.contains("asked to be lowered from trade-secret to privacy"), "{detail}");

    agency.refused(&custodian(), classify("C-1", Classification::Privacy), Rule::I8, "actor");
    agency.refused(&head(), classify("C-1", Classification::Ordinary), Rule::R19, "to");
    let case = case_of(agency.done(&head(), classify("C-1", Classification::Privacy)));
    assert_eq!((case.classification, case.lower_to), (Classification::Privacy, None));
    assert_eq!(case.lower_asked, None);
    assert_eq!(agency.last_entry().act, Act::Classified);
}

#[test]
fn r23_a_custodian_does_not_agree_to_a_lower_classification() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.done(&custodian(), classify("C-1", Classification::Privacy));
    agency.done(&head(), classify("C-1", Classification::Ordinary));
    agency.refused(&custodian(), classify("C-1", Classification::Ordinary), Rule::R23, "role");
    agency.done(&second_head(), classify("C-1", Classification::Ordinary));
}

#[test]
fn r19_what_is_raised_meanwhile_is_not_lowered_by_what_was_asked_before() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.done(&custodian(), classify("C-1", Classification::Privacy));
    agency.done(&custodian(), classify("C-1", Classification::Ordinary));
    agency.done(&head(), classify("C-1", Classification::TradeSecret));
    let case = case_of(agency.done(&head(), classify("C-1", Classification::Ordinary)));
    assert_eq!(case.classification, Classification::TradeSecret);
    assert_eq!(case.lower_asked.expect("asked anew").by, head().name);
}

#[test]
fn r19_nobody_classifies_as_it_is_or_above_the_own_clearance() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&custodian(), classify("C-1", Classification::Ordinary), Rule::R19, "to");
    agency.refused(&custodian(), classify("C-1", Classification::StateSecret), Rule::R19, "to");
    agency.done(&head(), classify("C-1", Classification::StateSecret));
    // Who is not cleared for what it is does not lower it either.
    let lower = classify("C-1", Classification::Privacy);
    agency.refused(&custodian(), lower, Rule::R19, "clearance");
    let secret = OpenCase { classification: Classification::TradeSecret, ..new_case("C-2") };
    agency.refused(&officer(), secret.clone(), Rule::R19, "classification");
    agency.done(&custodian(), secret);
    let silent = ClassifyCase { reason: String::new(), ..classify("C-1", Classification::Privacy) };
    agency.refused(&head(), silent, Rule::R26, "reason");
}

#[test]
fn r19_nobody_acts_on_a_case_above_the_own_clearance() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let asked = || UpdateCase { title: Some("Stall".to_owned()), ..update("C-1") };
    agency.done(&officer(), asked());
    agency.done(&head(), classify("C-1", Classification::StateSecret));
    agency.refused(&officer(), asked(), Rule::R19, "clearance");
    agency.refused(&officer(), move_case("C-1", Stage::Investigation), Rule::R19, "clearance");
    agency.refused(&officer(), close("C-1"), Rule::R19, "clearance");
    let further = Classification::StateSecret;
    agency.refused(&custodian(), classify("C-1", further), Rule::R19, "clearance");
    agency.done(&head(), close("C-1"));
    let archive = ArchiveCase { case: "C-1".to_owned(), despite: Some("so it is".to_owned()) };
    agency.refused(&custodian(), archive, Rule::R19, "clearance");
    let (case, stage) = ("C-1".to_owned(), Stage::Investigation);
    let reopen = ReopenCase { case, stage, reason: "again".to_owned() };
    agency.refused(&second_head(), reopen, Rule::R19, "clearance");
}

#[test]
fn i8_a_developer_is_one_person() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.done(&developer(), classify("C-1", Classification::StateSecret));
    agency.done(&developer(), classify("C-1", Classification::Ordinary));
    agency.refused(&developer(), classify("C-1", Classification::Ordinary), Rule::I8, "actor");
}

#[test]
fn r7_an_auxiliary_runs_no_case() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.refused(&auxiliary(), new_case("C-2"), Rule::R7, "actor");
    let asked = UpdateCase { title: Some("Stall".to_owned()), ..update("C-1") };
    agency.refused(&auxiliary(), asked, Rule::R7, "actor");
    agency.refused(&auxiliary(), move_case("C-1", Stage::Investigation), Rule::R7, "actor");
    agency.refused(&auxiliary(), close("C-1"), Rule::R7, "actor");
    let to = Classification::Privacy;
    agency.refused(&auxiliary(), classify("C-1", to), Rule::R23, "role");
}

#[test]
fn r23_who_may_not_run_archive_reopen_or_classify_cases_does_not() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    for actor in [reviewer(), auditor(), administrator()] {
        agency.refused(&actor, new_case("C-2"), Rule::R23, "role");
        agency.refused(&actor, close("C-1"), Rule::R23, "role");
        agency.refused(&actor, classify("C-1", Classification::Privacy), Rule::R23, "role");
    }
    agency.refused(&officer(), classify("C-1", Classification::Privacy), Rule::R23, "role");
    agency.close_case("C-1");
    for actor in [officer(), auxiliary(), head(), auditor()] {
        agency.refused(&actor, archive("C-1", Some("x")), Rule::R23, "role");
    }
    for actor in [officer(), auxiliary(), custodian(), auditor()] {
        agency.refused(&actor, reopen("C-1", Stage::Review), Rule::R23, "role");
    }
}

#[test]
fn r23_a_case_is_run_from_its_unit_and_above_it() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    for actor in [east_officer(), traffic_officer(), harbour_officer()] {
        agency.refused(&actor, new_case("C-2"), Rule::R23, "unit");
        agency.refused(&actor, move_case("C-1", Stage::Investigation), Rule::R23, "unit");
        agency.refused(&actor, close("C-1"), Rule::R23, "unit");
    }
    let east = OpenCase { unit: "market-east".to_owned(), ..new_case("C-3") };
    agency.done(&east_officer(), east);
    agency.done(&officer(), move_case("C-3", Stage::Investigation));
    agency.close_case("C-1");
    agency.refused(&traffic_custodian(), archive("C-1", Some("x")), Rule::R23, "unit");
    agency.refused(&traffic_head(), reopen("C-1", Stage::Review), Rule::R23, "unit");
}
