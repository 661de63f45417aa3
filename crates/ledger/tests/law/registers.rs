//! Units, persons, recorders and stations, and what a person needs to act at all.

use custos_core::{
    Act, Actor, ErrorKind, Role, Rule, Stage,
    law::{
        AddNote, Classification, Person, Record, RecordKind, Recorder, ReportRefusal, SetPerson,
        SetRecorder, SetStation, SetUnit, Station, Unit,
    },
};
use custos_ledger::Outcome;

use crate::{
    agency::{
        Agency, RECORDER, administrator, auditor, auxiliary, custodian, descriptor_of,
        east_custodian, harbour_administrator, head, law, move_case, new_case, officer, person,
        playback, recorder_of, reviewer, second_officer, station_of, traffic_custodian, unit,
    },
    world::{complete, developer, other_station, station, view},
};

fn set_unit(unit: Unit) -> SetUnit {
    SetUnit { unit }
}

fn newcomer() -> Person {
    Person {
        id: "new.comer".to_owned(),
        title: Some("Inspector".to_owned()),
        role: Role::Officer,
        unit: "market".to_owned(),
        certificate_no: Some("310115-0099".to_owned()),
        clearance: Classification::Privacy,
        active: true,
    }
}

#[test]
fn a_unit_is_on_the_register_as_it_was_set_in_every_version() {
    let mut agency = Agency::new();
    let parking = unit("parking", Some("traffic"));
    let first = agency.done(&administrator(), set_unit(parking.clone()));
    assert_eq!((first.version, &first.record), (1, &Record::Unit(parking.clone())));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::RegisterChanged, None));
    assert_eq!(entry.detail.as_deref(), Some("unit parking: Office of parking"));

    let renamed = Unit { title: "Parking".to_owned(), active: false, ..parking.clone() };
    let second = agency.done(&administrator(), set_unit(renamed.clone()));
    assert_eq!(second.record, Record::Unit(renamed));
    assert_eq!(agency.last_entry().detail.as_deref(), Some("unit parking: Parking, out of use"));
    assert_eq!(agency.history(RecordKind::Unit, "parking"), [first, second]);
}

#[test]
fn an_administrator_keeps_the_registers_of_every_agency() {
    let mut agency = Agency::new();
    agency.done(&harbour_administrator(), set_unit(unit("parking", Some("traffic"))));
    agency.done(&harbour_administrator(), SetPerson { person: newcomer() });
}

#[test]
fn r26_a_unit_stays_under_the_unit_that_it_is_a_department_of() {
    let mut agency = Agency::new();
    for parent in [None, Some("traffic"), Some("market-east"), Some("market")] {
        let moved = unit("market", parent);
        agency.refused(&administrator(), set_unit(moved), Rule::R26, "parent");
    }
    let above = unit("city", Some("market"));
    agency.refused(&administrator(), set_unit(above), Rule::R26, "parent");
}

#[test]
fn r26_a_unit_is_a_department_of_one_that_is_there_and_in_use() {
    let mut agency = Agency::new();
    let of_nothing = unit("parking", Some("nowhere"));
    agency.not_found(&administrator(), set_unit(of_nothing), Rule::R26, "parent");
    let of_itself = unit("parking", Some("parking"));
    agency.not_found(&administrator(), set_unit(of_itself), Rule::R26, "parent");
    let closed = Unit { active: false, ..unit("traffic", Some("city")) };
    agency.done(&administrator(), set_unit(closed));
    let of_closed = unit("parking", Some("traffic"));
    agency.refused(&administrator(), set_unit(of_closed), Rule::R26, "parent");
}

#[test]
fn i10_units_have_eight_levels() {
    let mut agency = Agency::new();
    let mut above = "city".to_owned();
    for level in 2..=8 {
        let id = format!("level-{level}");
        agency.done(&administrator(), set_unit(unit(&id, Some(&above))));
        above = id;
    }
    let ninth = unit("level-9", Some(&above));
    agency.refused(&administrator(), set_unit(ninth), Rule::I10, "parent");
    agency.done(&administrator(), set_unit(unit("another-8", Some("level-7"))));
}

#[test]
fn r26_an_id_is_letters_digits_brackets_and_a_few_signs() {
    let mut agency = Agency::new();
    for id in ["", " ", "two words", "line\n", "a\0b", "<b>", "a+b", "{2026}", "a\\b"] {
        let named = Unit { id: id.to_owned(), ..unit("x", None) };
        agency.refused(&administrator(), set_unit(named), Rule::R26, "id");
        let person = Person { id: id.to_owned(), ..newcomer() };
        agency.refused(&administrator(), SetPerson { person }, Rule::R26, "id");
        let recorder = Recorder { id: id.to_owned(), ..recorder_of("market") };
        agency.refused(&administrator(), SetRecorder { recorder }, Rule::R26, "id");
        let station = Station { id: id.to_owned(), ..station_of("market") };
        agency.refused(&administrator(), SetStation { station }, Rule::R26, "id");
    }
    for id in ["a", "执法大队", "Éa-1_./:#@", "-", "〔2026〕(1)[2]（3）【4】"] {
        agency.done(&administrator(), set_unit(Unit { id: id.to_owned(), ..unit("x", None) }));
    }
}

#[test]
fn i10_texts_of_the_registers_have_their_lengths() {
    let mut agency = Agency::new();
    let long = "x".repeat(65);
    let named = Unit { id: long.clone(), ..unit("x", None) };
    agency.refused(&administrator(), set_unit(named), Rule::I10, "id");
    let titled = Unit { title: "x".repeat(257), ..unit("x", None) };
    agency.refused(&administrator(), set_unit(titled), Rule::I10, "title");
    let person = Person { id: long.clone(), ..newcomer() };
    agency.refused(&administrator(), SetPerson { person }, Rule::I10, "id");
    let person = Person { title: Some("x".repeat(257)), ..newcomer() };
    agency.refused(&administrator(), SetPerson { person }, Rule::I10, "title");
    let person = Person { certificate_no: Some(long.clone()), ..newcomer() };
    agency.refused(&administrator(), SetPerson { person }, Rule::I10, "certificate_no");
    let recorder = Recorder { id: long.clone(), ..recorder_of("market") };
    agency.refused(&administrator(), SetRecorder { recorder }, Rule::I10, "id");
    let recorder = Recorder { model: Some("x".repeat(257)), ..recorder_of("market") };
    agency.refused(&administrator(), SetRecorder { recorder }, Rule::I10, "model");
    let station = Station { id: long, ..station_of("market") };
    agency.refused(&administrator(), SetStation { station }, Rule::I10, "id");
    let full = Unit { id: "x".repeat(64), title: "x".repeat(256), ..unit("x", None) };
    agency.done(&administrator(), set_unit(full));
}

#[test]
fn r26_a_title_is_one_line_that_says_something() {
    let mut agency = Agency::new();
    for title in ["", "  ", "two\nlines"] {
        let titled = Unit { title: title.to_owned(), ..unit("x", None) };
        agency.refused(&administrator(), set_unit(titled), Rule::R26, "title");
        let person = Person { title: Some(title.to_owned()), ..newcomer() };
        agency.refused(&administrator(), SetPerson { person }, Rule::R26, "title");
        let recorder = Recorder { model: Some(title.to_owned()), ..recorder_of("market") };
        agency.refused(&administrator(), SetRecorder { recorder }, Rule::R26, "model");
    }
}

#[test]
fn a_person_is_on_the_register_and_not_named_in_public() {
    let mut agency = Agency::new();
    let saved = agency.done(&administrator(), SetPerson { person: newcomer() });
    assert_eq!((saved.version, saved.record), (1, Record::Person(newcomer())));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record), (Act::RegisterChanged, None));
    let detail = "person new.comer: officer of market, clearance privacy";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    let leaf = String::from_utf8_lossy(&entry.leaf).into_owned();
    assert!(!leaf.contains("new.comer"), "the leaf names nobody");
    assert_eq!(agency.entries_of("person/new.comer").len(), 1, "who looks for it finds it");

    let gone = Person { active: false, ..newcomer() };
    let saved = agency.done(&administrator(), SetPerson { person: gone });
    assert_eq!(saved.version, 2);
    assert!(agency.last_entry().detail.expect("stands").ends_with(", out of use"));
}

#[test]
fn r26_a_person_belongs_to_a_unit_that_is_in_use() {
    let mut agency = Agency::new();
    let person = Person { unit: "nowhere".to_owned(), ..newcomer() };
    agency.not_found(&administrator(), SetPerson { person }, Rule::R26, "unit");
    let closed = Unit { active: false, ..unit("market", Some("city")) };
    agency.done(&administrator(), set_unit(closed));
    agency.refused(&administrator(), SetPerson { person: newcomer() }, Rule::R26, "unit");
}

#[test]
fn r26_a_person_has_a_role_of_a_person() {
    let mut agency = Agency::new();
    for role in [Role::Developer, Role::Station, Role::Playback, Role::System] {
        let person = Person { role, ..newcomer() };
        agency.refused(&administrator(), SetPerson { person }, Rule::R26, "role");
    }
}

#[test]
fn r7_an_officer_has_a_certificate_number_and_an_auxiliary_has_none() {
    let mut agency = Agency::new();
    let person = Person { certificate_no: None, ..newcomer() };
    agency.refused(&administrator(), SetPerson { person }, Rule::R7, "certificate_no");
    let person = Person { role: Role::Auxiliary, ..newcomer() };
    agency.refused(&administrator(), SetPerson { person }, Rule::R7, "certificate_no");
    let person = Person { role: Role::Auxiliary, certificate_no: None, ..newcomer() };
    agency.done(&administrator(), SetPerson { person });
    agency.done(&administrator(), SetPerson { person: newcomer() });
    let head = Person { role: Role::UnitHead, ..newcomer() };
    agency.done(&administrator(), SetPerson { person: head });
}

#[test]
fn r26_a_certificate_number_is_that_of_one_person() {
    let mut agency = Agency::new();
    let taken = person(&officer()).certificate_no;
    let thief = Person { certificate_no: taken.clone(), ..newcomer() };
    agency.refused(
        &administrator(),
        SetPerson { person: thief.clone() },
        Rule::R26,
        "certificate_no",
    );
    for number in ["", "no 1"] {
        let person = Person { certificate_no: Some(number.to_owned()), ..newcomer() };
        agency.refused(&administrator(), SetPerson { person }, Rule::R26, "certificate_no");
    }
    // A number that begins like another is another one, and an inactive person keeps the own.
    let longer = Person { certificate_no: Some("310115-00011".to_owned()), ..newcomer() };
    agency.done(&administrator(), SetPerson { person: longer });
    let gone = Person { active: false, ..person(&officer()) };
    agency.done(&administrator(), SetPerson { person: gone });
    agency.refused(
        &administrator(),
        SetPerson { person: thief.clone() },
        Rule::R26,
        "certificate_no",
    );
    let renewed = Some("310115-7777".to_owned());
    let renewed = Person { certificate_no: renewed, ..person(&officer()) };
    agency.done(&administrator(), SetPerson { person: renewed });
    agency.done(&administrator(), SetPerson { person: thief });
}

#[test]
fn i8_nobody_changes_what_is_on_record_of_oneself() {
    let mut agency = Agency::new();
    let raised = Person { clearance: Classification::StateSecret, ..person(&administrator()) };
    agency.refused(&administrator(), SetPerson { person: raised.clone() }, Rule::I8, "person");
    agency.done(&harbour_administrator(), SetPerson { person: raised });
}

#[test]
fn who_had_which_recorder_when_is_its_history() {
    let mut agency = Agency::new();
    let to_second = Recorder { issued_to: Some(second_officer().name), ..recorder_of("market") };
    let saved = agency.done(&custodian(), SetRecorder { recorder: to_second.clone() });
    assert_eq!((saved.version, &saved.record), (2, &Record::Recorder(to_second.clone())));
    let detail = "recorder BWC-0042 of market, issued to liu.yang";
    assert_eq!(agency.last_entry().detail.as_deref(), Some(detail));
    let back = Recorder { issued_to: None, active: false, ..to_second };
    agency.done(&custodian(), SetRecorder { recorder: back });
    let detail = "recorder BWC-0042 of market, issued to nobody, out of use";
    assert_eq!(agency.last_entry().detail.as_deref(), Some(detail));
    let holders: Vec<Option<String>> = agency
        .history(RecordKind::Recorder, RECORDER)
        .into_iter()
        .map(|version| match version.record {
            Record::Recorder(recorder) => recorder.issued_to,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(holders, [Some(officer().name), Some(second_officer().name), None]);
}

#[test]
fn r26_a_recorder_is_of_a_unit_in_use_and_issued_to_an_active_person() {
    let mut agency = Agency::new();
    let nowhere = SetRecorder { recorder: recorder_of("nowhere") };
    agency.not_found(&administrator(), nowhere, Rule::R26, "unit");
    let closed = Unit { active: false, ..unit("traffic", Some("city")) };
    agency.done(&administrator(), set_unit(closed));
    let closed = SetRecorder { recorder: recorder_of("traffic") };
    agency.refused(&administrator(), closed, Rule::R26, "unit");
    let gone = Person { active: false, ..person(&second_officer()) };
    agency.done(&administrator(), SetPerson { person: gone });
    for holder in ["nobody", "liu.yang", ""] {
        let recorder = Recorder { issued_to: Some(holder.to_owned()), ..recorder_of("market") };
        agency.refused(&custodian(), SetRecorder { recorder }, Rule::R26, "issued_to");
    }
}

#[test]
fn r6_the_key_of_a_recorder_is_64_hexadecimal_digits() {
    let mut agency = Agency::new();
    for key in [String::new(), "0f".repeat(31), "0f".repeat(33), "0g".repeat(32), "é".repeat(32)] {
        let recorder = Recorder { signing_key: Some(key), ..recorder_of("market") };
        agency.refused(&custodian(), SetRecorder { recorder }, Rule::R6, "signing_key");
    }
    for key in [None, Some("0F".repeat(32))] {
        let recorder = Recorder { signing_key: key, ..recorder_of("market") };
        agency.done(&custodian(), SetRecorder { recorder });
    }
}

#[test]
fn r23_a_custodian_keeps_the_recorders_of_the_own_unit_and_below() {
    let mut agency = Agency::new();
    let east = Recorder { id: "BWC-0043".to_owned(), ..recorder_of("market-east") };
    agency.done(&custodian(), SetRecorder { recorder: east.clone() });
    let traffic = Recorder { id: "BWC-0044".to_owned(), ..recorder_of("traffic") };
    agency.refused(&custodian(), SetRecorder { recorder: traffic }, Rule::R23, "unit");
    // Neither to take one from above nor to take one away to another unit.
    let taken = Recorder { unit: "market-east".to_owned(), ..recorder_of("market") };
    agency.refused(&east_custodian(), SetRecorder { recorder: taken }, Rule::R23, "unit");
    let away = Recorder { unit: "traffic".to_owned(), ..recorder_of("market") };
    agency.refused(&custodian(), SetRecorder { recorder: away.clone() }, Rule::R23, "unit");
    agency.refused(&traffic_custodian(), SetRecorder { recorder: away.clone() }, Rule::R23, "unit");
    agency.done(&administrator(), SetRecorder { recorder: away });
}

#[test]
fn a_station_is_on_the_register_and_puts_for_its_unit() {
    let mut agency = Agency::new();
    let saved = agency.done(&administrator(), SetStation { station: station_of("traffic") });
    assert_eq!((saved.version, saved.record), (2, Record::Station(station_of("traffic"))));
    let entry = agency.last_entry();
    assert_eq!(entry.act, Act::RegisterChanged);
    assert_eq!(entry.detail.as_deref(), Some("station station-7 of traffic"));
    let record = agency.unfiled();
    assert_eq!(agency.filing(record.evidence_id).unit.as_deref(), Some("traffic"));
}

#[test]
fn r26_a_station_is_of_a_unit_that_is_in_use() {
    let mut agency = Agency::new();
    let nowhere = SetStation { station: station_of("nowhere") };
    agency.not_found(&administrator(), nowhere, Rule::R26, "unit");
    let closed = Unit { active: false, ..unit("traffic", Some("city")) };
    agency.done(&administrator(), set_unit(closed));
    let closed = SetStation { station: station_of("traffic") };
    agency.refused(&administrator(), closed, Rule::R26, "unit");
}

#[test]
fn r26_a_station_out_of_use_does_nothing() {
    let mut agency = Agency::new();
    let record = agency.unfiled();
    let out = Station { active: false, ..station_of("market") };
    agency.done(&administrator(), SetStation { station: out });
    let number = record.evidence_id.as_bytes()[0];
    agency.fails(&station(), view(number, 0, 1), ErrorKind::Refused, Rule::R26, "actor");
    let (_, open) = agency.next_upload(complete());
    let log = agency.checkpoint().size;
    let refusal = agency.act(&station(), open).expect_err("refused");
    assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::R26, "actor"));
    assert_eq!(agency.checkpoint().size, log);
    // One that is not on the register belongs to no unit, and puts all the same.
    agency.put(&other_station(), complete());
}

#[test]
fn r26_who_is_not_on_the_register_with_that_role_and_active_does_nothing() {
    let mut agency = Agency::new();
    let case = || new_case("C-1");
    let stranger = Actor { name: "stranger".to_owned(), ..officer() };
    agency.refused(&stranger, case(), Rule::R26, "actor");
    for role in Role::ALL.iter().filter(|role| role.is_person() && **role != Role::Officer) {
        let disguised = Actor { role: *role, ..officer() };
        agency.refused(&disguised, case(), Rule::R26, "actor");
    }
    let gone = Person { active: false, ..person(&officer()) };
    agency.done(&administrator(), SetPerson { person: gone });
    agency.refused(&officer(), case(), Rule::R26, "actor");
    agency.done(&administrator(), SetPerson { person: person(&officer()) });
    let renewed = Actor { fingerprint: [0xee; 32], ..officer() };
    agency.done(&renewed, case());
}

#[test]
fn r23_only_an_administrator_keeps_units_persons_stations_and_the_policy() {
    let mut agency = Agency::new();
    let (policy, based_on) = agency.policy();
    let others = [
        officer(),
        auxiliary(),
        custodian(),
        head(),
        reviewer(),
        auditor(),
        station(),
        playback(),
        Actor::system(),
    ];
    for actor in others {
        agency.refused(&actor, set_unit(unit("x", None)), Rule::R23, "role");
        agency.refused(&actor, SetPerson { person: newcomer() }, Rule::R23, "role");
        agency.refused(&actor, SetStation { station: station_of("city") }, Rule::R23, "role");
        let set = custos_core::law::SetPolicy { policy: policy.clone(), based_on };
        agency.refused(&actor, set, Rule::R23, "role");
        if actor != custodian() {
            let set = SetRecorder { recorder: recorder_of("market") };
            agency.refused(&actor, set, Rule::R23, "role");
        }
    }
}

#[test]
fn r23_stations_playback_and_the_store_itself_have_no_right_of_a_person() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    for actor in [station(), playback(), Actor::system(), administrator()] {
        agency.refused(&actor, new_case("C-2"), Rule::R23, "role");
        agency.refused(&actor, move_case("C-1", Stage::Investigation), Rule::R23, "role");
        let evidence = record.evidence_id;
        let note = AddNote { evidence, text: "seen".to_owned(), supersedes: None };
        agency.refused(&actor, note, Rule::R23, "role");
    }
}

#[test]
fn a_developer_does_what_every_person_may_everywhere() {
    let mut agency = Agency::new();
    for (case, unit, officers, by) in [
        ("C-1", "market", vec!["310115-0001".to_owned()], custodian().name),
        ("C-2", "quay", vec!["410000-0001".to_owned()], "ma.long".to_owned()),
    ] {
        let command = custos_core::law::OpenCase {
            unit: unit.to_owned(),
            officers,
            custodian: by,
            ..new_case(case)
        };
        agency.done(&developer(), command);
    }
    let record = agency.put(&developer(), descriptor_of("C-2", Stage::Initiation));
    assert_eq!(agency.filing(record.evidence_id).unit.as_deref(), Some("quay"));
}

#[test]
fn what_was_refused_before_it_could_become_a_command_is_on_record() {
    let mut agency = Agency::new();
    let report = ReportRefusal {
        attempt: "set_policy".to_owned(),
        what: "R10 kinds: video is missing".to_owned(),
    };
    let outcome = agency.act(&administrator(), law(report.clone()));
    let entry = agency.last_entry();
    assert_eq!(outcome, Ok(Outcome::LawDone { log_index: entry.index, record: None }));
    assert_eq!((entry.act, entry.evidence_id, entry.record), (Act::Refused, None, None));
    assert_eq!(entry.detail.as_deref(), Some("set_policy R10 kinds: video is missing"));

    let nameless = ReportRefusal { attempt: String::new(), ..report.clone() };
    agency.refused(&administrator(), nameless, Rule::R26, "attempt");
    for what in ["", "two\nlines"] {
        let silent = ReportRefusal { what: what.to_owned(), ..report.clone() };
        agency.refused(&administrator(), silent, Rule::R26, "what");
    }
    let long = ReportRefusal { what: "x".repeat(513), ..report.clone() };
    agency.refused(&administrator(), long, Rule::I10, "what");
    // Who may not set the policy has no file of it to report.
    for actor in [custodian(), auditor(), station()] {
        agency.refused(&actor, report.clone(), Rule::R23, "role");
    }
}
