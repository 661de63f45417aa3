//! Holds: placed with a reason, over what is and what comes, released by who may (rule R11).

use custos_core::{
    Act, Actor, Descriptor, ErrorKind, EvidenceId, EvidenceKind, Rule, Stage, Timestamp,
    law::{
        CorrectDescriptor, EvidenceFilter, FileEvidence, HoldReason, OpenCase, PlaceHold,
        ReleaseHold, SetUnit, Unit,
    },
};

use crate::{
    agency::{
        Agency, administrator, auditor, auxiliary, custodian, descriptor_of, file_under,
        harbour_auditor, harbour_custodian, harbour_officer, head, hold_of, law, new_case,
        new_hold, of_case, of_evidence, officer, playback, reviewer, second_auditor, second_head,
        traffic_head, traffic_officer, unit,
    },
    world::{complete, developer, id, other_station, station},
};

fn release(hold: &str) -> ReleaseHold {
    ReleaseHold { hold: hold.to_owned(), reason: "the suit is over".to_owned() }
}

fn filter() -> EvidenceFilter {
    EvidenceFilter::default()
}

/// Ids of the holds over evidence, in order.
fn over(agency: &Agency, evidence: EvidenceId) -> Vec<String> {
    let holds = agency.keeping(evidence).holds;
    let mut ids: Vec<String> = holds.iter().map(|it| it.record.id().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_hold_is_placed_with_its_reason_target_and_review() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let asked = PlaceHold {
        text: Some("he threw a bottle".to_owned()),
        reference: Some("2026/117".to_owned()),
        ..new_hold(HoldReason::Attack, of_evidence(evidence))
    };
    let saved = agency.done(&officer(), asked.clone());
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::HoldPlaced, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("hold/H1"));
    assert_eq!(entry.detail.as_deref(), Some("hold H1: attack, he threw a bottle"));
    let hold = hold_of(saved);
    assert_eq!((hold.id.as_str(), hold.reason, hold.text), ("H1", HoldReason::Attack, asked.text));
    assert_eq!((hold.reference, hold.target), (asked.reference, asked.target));
    assert_eq!((hold.unit.as_deref(), hold.review_at), (Some("market"), agency.now.plus_days(180)));
    assert_eq!((hold.placed.by, hold.placed.role), (officer().name, officer().role));
    assert_eq!((hold.release_asked, hold.released), (None, None));
    assert_eq!(over(&agency, evidence), ["H1"]);
}

#[test]
fn i3_a_hold_on_what_is_ordered_to_end_is_refused_and_promises_nothing() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    let disposition = agency.approved(&[evidence]).id;
    // Until the order, it is in time.
    let hold = agency.place_hold(&officer(), HoldReason::Complaint, of_evidence(evidence)).id;
    agency.done(&head(), release(&hold));
    agency.pass_days(8);
    let order = custos_core::law::OrderDisposition { disposition: disposition.clone() };
    agency.done(&Actor::system(), order);
    let asked = || new_hold(HoldReason::Complaint, of_evidence(evidence));
    let refusal = agency.refused(&officer(), asked(), Rule::I3, "evidence");
    assert!(refusal.reason.contains(&disposition), "{refusal}");
    // One on its case is placed: for what else is in it, and what comes.
    let on_case = agency.place_hold(&officer(), HoldReason::Complaint, of_case("C-1"));
    agency.done(&Actor::system(), crate::agency::disposal(&disposition, evidence));
    agency.refused(&officer(), asked(), Rule::I3, "evidence");
    let next = agency.sealed_in_case("C-1").evidence_id;
    assert_eq!(over(&agency, next), [on_case.id]);
}

#[test]
fn r11_several_holds_stand_at_once_and_each_is_released_on_its_own() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    agency.place_hold(&officer(), HoldReason::Objection, of_evidence(evidence));
    agency.place_hold(&reviewer(), HoldReason::Complaint, of_case("C-1"));
    agency.place_hold(&custodian(), HoldReason::Petition, of_evidence(evidence));
    assert_eq!(over(&agency, evidence), ["H1", "H2", "H3"]);
    let hold = hold_of(agency.done(&head(), release("H2")));
    let released = hold.released.expect("released");
    assert_eq!((released.by, released.reason.as_str()), (head().name, "the suit is over"));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.record.as_deref()), (Act::HoldReleased, Some("hold/H2")));
    assert_eq!(entry.detail.as_deref(), Some("hold H2 released: the suit is over"));
    assert_eq!(over(&agency, evidence), ["H1", "H3"]);
}

#[test]
fn r11_a_hold_names_something() {
    let mut agency = Agency::new();
    agency.refused(&officer(), new_hold(HoldReason::Flight, filter()), Rule::R11, "target");
    let now = agency.now;
    for until in [now, Timestamp::from_millis(now.as_millis() - 1)] {
        let nothing = EvidenceFilter { from: Some(now), until: Some(until), ..filter() };
        agency.refused(&officer(), new_hold(HoldReason::Flight, nothing), Rule::R11, "target");
    }
}

#[test]
fn r26_i10_texts_of_a_hold_say_something_and_have_their_lengths() {
    let mut agency = Agency::new();
    let asked = || new_hold(HoldReason::Flight, of_place("Century Avenue"));
    for (rule, text, long) in [
        (Rule::R26, String::new(), String::new()),
        (Rule::R26, "two\nlines".to_owned(), "two\nlines".to_owned()),
        (Rule::I10, "x".repeat(257), "x".repeat(513)),
    ] {
        let wrong = PlaceHold { text: Some(long), ..asked() };
        agency.refused(&officer(), wrong, rule, "text");
        let wrong = PlaceHold { reference: Some(text.clone()), ..asked() };
        agency.refused(&officer(), wrong, rule, "reference");
        let text = || Some(text.clone());
        for target in [
            EvidenceFilter { recording: text(), ..filter() },
            EvidenceFilter { case: text(), ..filter() },
            EvidenceFilter { unit: text(), ..filter() },
            EvidenceFilter { recorder: text(), ..filter() },
            EvidenceFilter { officer: text(), ..filter() },
            EvidenceFilter { place: text(), ..filter() },
        ] {
            agency.refused(&officer(), new_hold(HoldReason::Flight, target), rule, "target");
        }
    }
}

fn of_place(place: &str) -> EvidenceFilter {
    EvidenceFilter { place: Some(place.to_owned()), ..filter() }
}

#[test]
fn r11_another_reason_than_those_of_the_rule_is_named() {
    let mut agency = Agency::new();
    let asked = new_hold(HoldReason::Other, of_place("Century Avenue"));
    let silent = PlaceHold { text: None, ..asked.clone() };
    agency.refused(&officer(), silent, Rule::R11, "text");
    agency.done(&officer(), asked);
    for reason in HoldReason::ALL {
        agency.done(&officer(), new_hold(*reason, of_place("Century Avenue")));
    }
}

#[test]
fn r11_a_hold_is_reviewed_within_ten_years_and_in_the_future() {
    let mut agency = Agency::new();
    let place = |agency: &Agency, after_ms: i64| {
        // The act is a second later than now.
        let now = Timestamp::from_millis(agency.now.as_millis() + 1000);
        let review_at = Some(Timestamp::from_millis(now.as_millis() + after_ms));
        PlaceHold { review_at, ..new_hold(HoldReason::Flight, of_place("Century Avenue")) }
    };
    const TEN_YEARS_MS: i64 = 3660 * 86_400_000;
    for after_ms in [0, -1, TEN_YEARS_MS + 1] {
        let asked = place(&agency, after_ms);
        agency.refused(&officer(), asked, Rule::R11, "review_at");
    }
    for after_ms in [1, TEN_YEARS_MS] {
        let asked = place(&agency, after_ms);
        let review_at = asked.review_at;
        assert_eq!(Some(hold_of(agency.done(&officer(), asked)).review_at), review_at);
    }
    agency.set_policy(|policy| policy.hold_review_days = 30);
    let asked = new_hold(HoldReason::Flight, of_place("Century Avenue"));
    let hold = hold_of(agency.done(&officer(), asked));
    assert_eq!(hold.review_at, agency.now.plus_days(30));
}

#[test]
fn r11_what_a_hold_names_is_there() {
    let mut agency = Agency::new();
    let hold = |target| new_hold(HoldReason::Flight, target);
    let nowhere = EvidenceFilter { unit: Some("nowhere".to_owned()), ..filter() };
    agency.not_found(&officer(), hold(nowhere), Rule::R26, "target");
    agency.not_found(&officer(), hold(of_case("C-9")), Rule::R1, "case");
    agency.not_found(&officer(), hold(of_evidence(id(0xee))), Rule::R6, "evidence");
    let (number, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    agency.refused(&officer(), hold(of_evidence(id(number))), Rule::R6, "evidence");
    let evidence = agency.over("C-1").evidence_id;
    agency.ended(&[evidence]);
    agency.refused(&officer(), hold(of_evidence(evidence)), Rule::I3, "evidence");
    // A unit that is out of use has what it had.
    let closed = Unit { active: false, ..unit("market-east", Some("market")) };
    agency.done(&administrator(), SetUnit { unit: closed });
    let east = EvidenceFilter { unit: Some("market-east".to_owned()), ..filter() };
    agency.done(&officer(), hold(east));
}

#[test]
fn r23_a_hold_is_placed_by_who_may_on_what_is_within_reach() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let hold = |target| new_hold(HoldReason::Flight, target);
    let market = || EvidenceFilter { unit: Some("market".to_owned()), ..filter() };
    let targets = || [of_evidence(evidence), of_case("C-1"), market()];
    for target in targets() {
        for actor in [station(), playback(), administrator(), Actor::system()] {
            agency.refused(&actor, hold(target.clone()), Rule::R23, "role");
        }
        for actor in [traffic_officer(), harbour_officer(), harbour_auditor()] {
            agency.refused(&actor, hold(target.clone()), Rule::R23, "unit");
        }
        agency.refused(&auxiliary(), hold(target.clone()), Rule::R7, "actor");
        for actor in [officer(), custodian(), head(), reviewer(), auditor(), developer()] {
            agency.done(&actor, hold(target.clone()));
        }
    }
}

#[test]
fn r11_every_field_that_a_hold_gives_must_fit() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let descriptor = Descriptor {
        recording: Some("R-1".to_owned()),
        sequence: Some(1),
        ..descriptor_of("C-1", Stage::Investigation)
    };
    let record = agency.put(&station(), descriptor.clone());
    let captured = descriptor.captured_at.expect("complete");
    let after = |at: Timestamp, ms: i64| Some(Timestamp::from_millis(at.as_millis() + ms));
    let text = |text: &str| Some(text.to_owned());
    let fitting = [
        EvidenceFilter { evidence: Some(record.evidence_id), ..filter() },
        EvidenceFilter { recording: text("R-1"), ..filter() },
        EvidenceFilter { case: text("C-1"), ..filter() },
        EvidenceFilter { stage: Some(Stage::Investigation), ..filter() },
        EvidenceFilter { unit: text("market"), ..filter() },
        EvidenceFilter { unit: text("city"), ..filter() },
        EvidenceFilter { recorder: text("BWC-0042"), ..filter() },
        EvidenceFilter { officer: text("310115-0002"), ..filter() },
        EvidenceFilter { place: text("Century Avenue 100"), ..filter() },
        EvidenceFilter { kind: Some(EvidenceKind::Video), ..filter() },
        EvidenceFilter { from: Some(captured), until: after(captured, 1), ..filter() },
        EvidenceFilter { from: after(captured, -1), ..filter() },
    ];
    let unfitting = [
        EvidenceFilter { recording: text("R-2"), ..filter() },
        EvidenceFilter { stage: Some(Stage::Review), ..filter() },
        EvidenceFilter { unit: text("market-east"), ..filter() },
        EvidenceFilter { unit: text("traffic"), ..filter() },
        EvidenceFilter { recorder: text("BWC-0043"), ..filter() },
        EvidenceFilter { officer: text("310115-0003"), ..filter() },
        EvidenceFilter { officer: text("310115"), ..filter() },
        EvidenceFilter { place: text("Century Avenue"), ..filter() },
        EvidenceFilter { kind: Some(EvidenceKind::Photo), ..filter() },
        EvidenceFilter { from: after(captured, 1), ..filter() },
        EvidenceFilter { until: Some(captured), ..filter() },
    ];
    let mut standing = Vec::new();
    for target in &fitting {
        standing.push(agency.place_hold(&auditor(), HoldReason::Flight, target.clone()).id);
        standing.sort();
        assert_eq!(over(&agency, record.evidence_id), standing, "{target:?}");
    }
    for target in &unfitting {
        agency.place_hold(&auditor(), HoldReason::Flight, target.clone());
        assert_eq!(over(&agency, record.evidence_id), standing, "{target:?}");
        // Neither together with what fits.
        let case = text("C-1");
        let both = EvidenceFilter { case, ..target.clone() };
        agency.place_hold(&auditor(), HoldReason::Flight, both.clone());
        assert_eq!(over(&agency, record.evidence_id), standing, "{both:?}");
    }
}

#[test]
fn r11_what_was_not_captured_at_a_known_time_was_at_its_sealing() {
    let mut agency = Agency::new();
    let record = agency.unfiled();
    let sealed = record.sealed_at;
    let span = |from: Timestamp, until_ms: i64| EvidenceFilter {
        from: Some(from),
        until: Some(Timestamp::from_millis(sealed.as_millis() + until_ms)),
        ..filter()
    };
    let before = Timestamp::from_millis(sealed.as_millis() - 1000);
    agency.place_hold(&officer(), HoldReason::Flight, span(before, 0));
    assert!(over(&agency, record.evidence_id).is_empty());
    agency.place_hold(&officer(), HoldReason::Flight, span(sealed, 1));
    assert_eq!(over(&agency, record.evidence_id), ["H2"]);
}

#[test]
fn r11_what_comes_later_is_held_from_its_sealing_on() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.place_hold(&officer(), HoldReason::Resistance, of_case("C-1"));
    agency.place_hold(&officer(), HoldReason::Insult, of_place("Century Avenue 100"));
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    assert_eq!(over(&agency, evidence), ["H1", "H2"]);
    // A claim holds it too, and unfiled evidence that is filed there later.
    agency.done(&head(), release("H2"));
    let other = agency.unfiled().evidence_id;
    assert!(over(&agency, other).is_empty());
    agency.done(&officer(), file_under(other, "C-1", Stage::Review));
    assert_eq!(over(&agency, other), ["H1"]);
}

#[test]
fn r11_nothing_is_taken_out_of_a_hold_by_filing_or_describing_it_anew() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-2");
    let record = agency.sealed_in_case("C-1");
    let evidence = record.evidence_id;
    agency.place_hold(&officer(), HoldReason::Attack, of_case("C-1"));
    agency.place_hold(&officer(), HoldReason::Attack, of_place("Century Avenue 100"));
    let stage = EvidenceFilter { stage: Some(Stage::Investigation), ..filter() };
    agency.place_hold(&officer(), HoldReason::Attack, stage);
    let reason = Some("the other stall".to_owned());
    let moved = FileEvidence { reason, ..file_under(evidence, "C-2", Stage::Review) };
    agency.done(&officer(), moved);
    let reason = "the street was misspelt".to_owned();
    let descriptor =
        Descriptor { place: Some("Century Avenue 101".to_owned()), ..record.descriptor };
    agency.done(&officer(), CorrectDescriptor { evidence, descriptor, reason });
    assert_eq!(over(&agency, evidence), ["H1", "H2", "H3"]);
    // And what it is filed or described as now is held too, each field for itself.
    let target = EvidenceFilter {
        stage: Some(Stage::Review),
        place: Some("Century Avenue 100".to_owned()),
        ..of_case("C-2")
    };
    agency.place_hold(&officer(), HoldReason::Attack, target);
    agency.place_hold(&officer(), HoldReason::Attack, of_place("Century Avenue 101"));
    assert_eq!(over(&agency, evidence), ["H1", "H2", "H3", "H4", "H5"]);
}

#[test]
fn r11_a_hold_covers_what_its_agency_has_and_what_belongs_to_nobody() {
    let mut agency = Agency::new();
    let elsewhere = OpenCase {
        unit: "quay".to_owned(),
        officers: vec![],
        custodian: harbour_custodian().name,
        ..new_case("Q-1")
    };
    agency.done(&harbour_custodian(), elsewhere);
    let ours = agency.put(&traffic_officer(), complete()).evidence_id;
    let theirs = agency.put(&harbour_officer(), complete()).evidence_id;
    let unknown = Descriptor { recorder: None, ..complete() };
    let nobodys = agency.put(&other_station(), unknown).evidence_id;
    let hold = agency.place_hold(&officer(), HoldReason::Flight, of_place("Century Avenue 100"));
    assert_eq!(hold.unit.as_deref(), Some("market"), "that of who placed it");
    let found = |agency: &Agency| [ours, theirs, nobodys].map(|it| over(agency, it).len());
    assert_eq!(found(&agency), [1, 0, 1]);
    agency.place_hold(&harbour_officer(), HoldReason::Flight, of_place("Century Avenue 100"));
    assert_eq!(found(&agency), [1, 1, 2]);
    let hold = agency.place_hold(&developer(), HoldReason::Flight, of_place("Century Avenue 100"));
    assert_eq!(hold.unit, None);
    assert_eq!(found(&agency), [2, 2, 3], "that of nobody is over all");
    // What names a unit or case belongs to that.
    let target = EvidenceFilter { unit: Some("traffic".to_owned()), ..filter() };
    let hold = agency.place_hold(&auditor(), HoldReason::Flight, target);
    assert_eq!(hold.unit.as_deref(), Some("traffic"));
    let hold = agency.place_hold(&developer(), HoldReason::Flight, of_case("Q-1"));
    assert_eq!(hold.unit.as_deref(), Some("quay"));
    let hold = agency.place_hold(&auditor(), HoldReason::Flight, of_evidence(nobodys));
    assert_eq!(hold.unit.as_deref(), Some("city"));
}

#[test]
fn r11_what_belonged_to_nobody_when_it_was_held_stays_held() {
    let mut agency = Agency::new();
    let elsewhere = OpenCase {
        unit: "quay".to_owned(),
        officers: vec![],
        custodian: harbour_custodian().name,
        ..new_case("Q-1")
    };
    agency.done(&harbour_custodian(), elsewhere);
    let evidence = agency.of_nobody().evidence_id;
    let photos = EvidenceFilter { kind: Some(EvidenceKind::Photo), ..filter() };
    agency.place_hold(&officer(), HoldReason::Flight, photos);
    agency.done(&harbour_officer(), file_under(evidence, "Q-1", Stage::Review));
    assert_eq!(over(&agency, evidence), ["H1"]);
}

#[test]
fn i10_only_so_many_holds_search_for_what_they_hold() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let asked = || new_hold(HoldReason::Flight, of_place("Century Avenue"));
    for _ in 0..1000 {
        agency.act(&officer(), law(asked())).expect("placed");
    }
    agency.refused(&officer(), asked(), Rule::I10, "target");
    agency.done(&officer(), new_hold(HoldReason::Flight, of_case("C-1")));
    agency.done(&head(), release("H7"));
    agency.done(&officer(), asked());
}

#[test]
fn r11_only_a_hold_that_stands_is_released() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.not_found(&head(), release("H1"), Rule::R11, "hold");
    agency.place_hold(&officer(), HoldReason::Objection, of_case("C-1"));
    agency.done(&head(), release("H1"));
    agency.refused(&head(), release("H1"), Rule::R11, "hold");
    agency.place_hold(&officer(), HoldReason::Objection, of_case("C-1"));
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        agency.refused(&head(), ReleaseHold { reason, ..release("H2") }, rule, "reason");
    }
}

#[test]
fn r11_a_hold_that_an_auditor_placed_only_an_auditor_releases() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.place_hold(&auditor(), HoldReason::Complaint, of_case("C-1"));
    agency.refused(&head(), release("H1"), Rule::R11, "actor");
    agency.refused(&developer(), release("H1"), Rule::R11, "actor");
    agency.done(&auditor(), release("H1"));
    agency.place_hold(&head(), HoldReason::Complaint, of_case("C-1"));
    agency.done(&second_auditor(), release("H2"));
}

#[test]
fn i8_two_release_a_hold_where_the_policy_says_so() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    for reason in [HoldReason::Attack, HoldReason::MassIncident, HoldReason::Litigation] {
        let hold = agency.place_hold(&head(), reason, of_evidence(evidence)).id;
        // Who placed it may ask, and does not agree to it alone.
        let asked = hold_of(agency.done(&head(), release(&hold)));
        assert_eq!(asked.release_asked.expect("asked").by, head().name);
        assert_eq!(asked.released, None);
        let entry = agency.last_entry();
        assert_eq!((entry.act, entry.evidence_id), (Act::HoldReleaseAsked, Some(evidence)));
        assert_eq!(entry.record, Some(format!("hold/{hold}")));
        assert_eq!(over(&agency, evidence).len(), 1, "it stands until then");
        agency.refused(&head(), release(&hold), Rule::I8, "actor");
        let released = hold_of(agency.done(&second_head(), release(&hold)));
        assert_eq!(released.released.expect("released").by, second_head().name);
        assert!(over(&agency, evidence).is_empty());
    }
    // Who placed it may also agree to what another asked for.
    let hold = agency.place_hold(&head(), HoldReason::Attack, of_evidence(evidence)).id;
    agency.done(&auditor(), release(&hold));
    agency.done(&head(), release(&hold));
    // One of an auditor's needs two of them.
    let hold = agency.place_hold(&auditor(), HoldReason::Attack, of_evidence(evidence)).id;
    agency.done(&auditor(), release(&hold));
    agency.refused(&head(), release(&hold), Rule::R11, "actor");
    agency.done(&second_auditor(), release(&hold));
}

#[test]
fn i8_a_developer_does_not_release_by_two_alone() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.place_hold(&officer(), HoldReason::Attack, of_case("C-1"));
    agency.done(&developer(), release("H1"));
    agency.refused(&developer(), release("H1"), Rule::I8, "actor");
}

#[test]
fn r23_a_hold_is_released_by_a_head_or_auditor_who_reaches_it() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.place_hold(&officer(), HoldReason::Objection, of_case("C-1"));
    for actor in [officer(), auxiliary(), custodian(), reviewer(), administrator(), station()] {
        agency.refused(&actor, release("H1"), Rule::R23, "role");
    }
    for actor in [traffic_head(), harbour_auditor()] {
        agency.refused(&actor, release("H1"), Rule::R23, "unit");
    }
    agency.done(&auditor(), release("H1"));
}

#[test]
fn r11_an_attempt_to_hold_is_on_record_with_what_it_was_about() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let target = EvidenceFilter { case: Some("C-1".to_owned()), ..of_evidence(evidence) };
    let asked = new_hold(HoldReason::Flight, target);
    agency.fails(&station(), law(asked), ErrorKind::Refused, Rule::R23, "role");
    let entry = agency.last_entry();
    assert_eq!((entry.evidence_id, entry.record.as_deref()), (Some(evidence), Some("case/C-1")));
}
