//! Applications to see evidence, their answers, and how a grant is taken back (rules R18, R19, R27).

use custos_core::{
    Act, Actor, Descriptor, ErrorKind, EvidenceId, Rule, Stage, Timestamp,
    law::{
        ApplyForGrant, ByteSpan, Classification, ClassifyCase, DecideGrant, GrantScope, GrantState,
        OutsideParty, RevokeGrant,
    },
};

use crate::{
    agency::{
        Agency, administrator, application, approval, auditor, auxiliary, custodian, descriptor_of,
        grant_of, harbour_auditor, harbour_custodian, harbour_head, harbour_officer, head, law,
        officer, playback, reviewer, second_head, second_officer, traffic_custodian, traffic_head,
        traffic_officer,
    },
    world::{complete, developer, id, station},
};

fn revoke(grant: &str) -> RevokeGrant {
    RevokeGrant { grant: grant.to_owned(), reason: "no more needed".to_owned() }
}

fn of_case(case: &str) -> ApplyForGrant {
    ApplyForGrant { evidence: vec![], case: Some(case.to_owned()), ..application(id(0)) }
}

fn refusal(grant: &str) -> DecideGrant {
    DecideGrant { approve: false, ..approval(grant) }
}

fn begun() -> (Agency, EvidenceId) {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    (agency, evidence)
}

#[test]
fn r18_an_application_is_on_record_until_it_is_answered() {
    let (mut agency, evidence) = begun();
    let asked = ApplyForGrant {
        scope: GrantScope::Copy,
        range: Some(ByteSpan { start: 0, end: 1000 }),
        ..application(evidence)
    };
    let saved = agency.done(&traffic_officer(), asked.clone());
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::GrantApplied, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("grant/G1"));
    assert_eq!(entry.detail.as_deref(), Some("grant G1: copy of 1 items: reconsideration"));
    let grant = grant_of(saved);
    assert_eq!((grant.id.as_str(), grant.holder), ("G1", traffic_officer().name));
    assert_eq!(
        (grant.scope, grant.evidence, grant.range),
        (asked.scope, asked.evidence, asked.range)
    );
    assert_eq!((grant.unit.as_deref(), grant.state), (Some("market"), GrantState::Applied));
    assert_eq!(grant.answer_due, agency.now.plus_days(20));
    assert_eq!((grant.decided, grant.revoked, grant.valid_until), (None, None, None));
    assert_eq!((grant.uses, grant.uses_max), (0, 0));
    assert_eq!(grant.applied.by, traffic_officer().name);
}

#[test]
fn r27_an_application_of_an_outside_party_and_its_answer_stay_on_record() {
    let (mut agency, evidence) = begun();
    let party = OutsideParty {
        name: "Zhang San".to_owned(),
        contact: Some("Lane 3, 12".to_owned()),
        standing: "party of the case".to_owned(),
    };
    let asked = ApplyForGrant { outside: Some(party.clone()), ..application(evidence) };
    agency.set_policy(|policy| policy.answer_days = 5);
    let grant = grant_of(agency.done(&custodian(), asked.clone()));
    assert_eq!((grant.outside, grant.holder), (Some(party.clone()), custodian().name));
    assert_eq!(grant.answer_due, agency.now.plus_days(5));
    let grant = grant_of(agency.done(&head(), refusal("G1")));
    assert_eq!(grant.state, GrantState::Refused);
    assert_eq!(grant.decided.expect("answered").reason, "needed");
    assert_eq!((grant.valid_until, grant.uses_max), (None, 0));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::GrantRefused, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("grant/G1"));
    assert_eq!(entry.detail.as_deref(), Some("grant G1 not agreed to: needed"));

    let wrong = [
        (Rule::R26, OutsideParty { name: String::new(), ..party.clone() }),
        (Rule::R26, OutsideParty { standing: " ".to_owned(), ..party.clone() }),
        (Rule::R26, OutsideParty { contact: Some(String::new()), ..party.clone() }),
        (Rule::I10, OutsideParty { name: "x".repeat(257), ..party.clone() }),
        (Rule::I10, OutsideParty { standing: "x".repeat(65), ..party.clone() }),
        (Rule::I10, OutsideParty { contact: Some("x".repeat(257)), ..party }),
    ];
    for (rule, outside) in wrong {
        let asked = ApplyForGrant { outside: Some(outside), ..asked.clone() };
        agency.refused(&custodian(), asked, rule, "outside");
    }
}

#[test]
fn r18_an_application_names_1_to_64_items_or_a_case() {
    let (mut agency, evidence) = begun();
    let nothing = ApplyForGrant { evidence: vec![], ..application(evidence) };
    agency.refused(&officer(), nothing, Rule::R18, "evidence");
    let both = ApplyForGrant { case: Some("C-1".to_owned()), ..application(evidence) };
    agency.refused(&officer(), both, Rule::R18, "evidence");
    let mut items = vec![evidence];
    items.extend((0..64).map(|_| agency.sealed_in_case("C-1").evidence_id));
    let many = ApplyForGrant { evidence: items.clone(), ..application(evidence) };
    agency.refused(&officer(), many, Rule::R18, "evidence");
    items.pop();
    let most = ApplyForGrant { evidence: items, ..application(evidence) };
    let grant = grant_of(agency.done(&officer(), most));
    assert_eq!(grant.evidence.len(), 64);
    let entry = agency.last_entry();
    assert_eq!((entry.evidence_id, entry.record.as_deref()), (None, Some("grant/G1")));
    let grant = grant_of(agency.done(&officer(), of_case("C-1")));
    assert_eq!((grant.case.as_deref(), grant.unit.as_deref()), (Some("C-1"), Some("market")));
    let detail = "grant G2: view of case C-1: reconsideration";
    assert_eq!(agency.last_entry().detail.as_deref(), Some(detail));
}

#[test]
fn r18_a_range_is_one_of_a_single_item_within_it_and_not_empty() {
    let (mut agency, evidence) = begun();
    let other = agency.sealed_in_case("C-1").evidence_id;
    let span = |start, end| Some(ByteSpan { start, end });
    for range in
        [span(0, 0), span(5, 5), span(6, 5), span(0, 1001), span(1000, 1001), span(u64::MAX, 0)]
    {
        let asked = ApplyForGrant { range, ..application(evidence) };
        agency.refused(&officer(), asked, Rule::R18, "range");
    }
    let two = ApplyForGrant {
        evidence: vec![evidence, other],
        range: span(0, 1),
        ..application(evidence)
    };
    agency.refused(&officer(), two, Rule::R18, "range");
    let case = ApplyForGrant { range: span(0, 1), ..of_case("C-1") };
    agency.refused(&officer(), case, Rule::R18, "range");
    for range in [span(0, 1), span(999, 1000), span(0, 1000)] {
        agency.done(&officer(), ApplyForGrant { range, ..application(evidence) });
    }
}

#[test]
fn r18_an_application_says_what_for() {
    let (mut agency, evidence) = begun();
    for purpose in ["", " "] {
        let asked = ApplyForGrant { purpose: purpose.to_owned(), ..application(evidence) };
        agency.refused(&officer(), asked, Rule::R18, "purpose");
    }
    let asked = ApplyForGrant { purpose: "two\nlines".to_owned(), ..application(evidence) };
    agency.refused(&officer(), asked, Rule::R26, "purpose");
    let asked = ApplyForGrant { purpose: "x".repeat(513), ..application(evidence) };
    agency.refused(&officer(), asked, Rule::I10, "purpose");
}

#[test]
fn r6_i3_what_is_applied_for_is_sealed_and_stands() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    agency.not_found(&officer(), of_case("C-9"), Rule::R1, "case");
    agency.not_found(&officer(), application(id(0xee)), Rule::R6, "evidence");
    let (number, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    agency.refused(&officer(), application(id(number)), Rule::R6, "evidence");
    agency.ended(&[evidence]);
    agency.refused(&officer(), application(evidence), Rule::I3, "evidence");
}

#[test]
fn r23_what_is_applied_for_is_of_one_agency_the_applicants() {
    let (mut agency, evidence) = begun();
    let theirs = agency.put(&harbour_officer(), complete()).evidence_id;
    for actor in [harbour_officer(), harbour_auditor()] {
        agency.refused(&actor, application(evidence), Rule::R23, "evidence");
        agency.refused(&actor, of_case("C-1"), Rule::R23, "case");
    }
    let both = ApplyForGrant { evidence: vec![theirs, evidence], ..application(evidence) };
    for actor in [officer(), harbour_officer(), developer()] {
        agency.refused(&actor, both.clone(), Rule::R23, "evidence");
    }
    // Each unit is asked on its own: its head decides.
    let traffics = agency.put(&traffic_officer(), complete()).evidence_id;
    let both = ApplyForGrant { evidence: vec![traffics, evidence], ..application(evidence) };
    agency.refused(&officer(), both, Rule::R23, "evidence");
}

#[test]
fn r23_r7_who_may_apply_applies_anywhere_in_the_agency() {
    let (mut agency, evidence) = begun();
    for actor in [
        officer(),
        traffic_officer(),
        custodian(),
        traffic_custodian(),
        head(),
        reviewer(),
        auditor(),
        developer(),
    ] {
        agency.apply_for(&actor, evidence);
    }
    agency.refused(&auxiliary(), application(evidence), Rule::R7, "actor");
    for actor in [station(), playback(), administrator(), Actor::system()] {
        agency.refused(&actor, application(evidence), Rule::R23, "role");
    }
}

#[test]
fn r18_a_grant_is_agreed_to_for_a_time_and_a_number_of_uses() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&officer(), evidence);
    let saved = agency.done(&head(), approval("G1"));
    assert_eq!(saved.version, 2);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::GrantApproved, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("grant/G1"));
    let until = agency.now.plus_days(30);
    assert_eq!(entry.detail, Some(format!("grant G1 agreed to until {until}: needed")));
    let grant = grant_of(saved);
    assert_eq!((grant.state, grant.valid_until), (GrantState::Approved, Some(until)));
    assert_eq!((grant.uses, grant.uses_max), (0, 1000));
    assert_eq!(grant.decided.expect("answered").by, head().name);

    agency.apply_for(&officer(), evidence);
    let until = agency.now.plus_days(1);
    let asked = DecideGrant { valid_until: Some(until), uses_max: 3, ..approval("G2") };
    let grant = grant_of(agency.done(&head(), asked));
    assert_eq!((grant.valid_until, grant.uses_max), (Some(until), 3));
}

#[test]
fn r18_an_application_is_answered_once() {
    let (mut agency, evidence) = begun();
    agency.not_found(&head(), approval("G1"), Rule::R18, "grant");
    for _ in 0..3 {
        agency.apply_for(&officer(), evidence);
    }
    agency.done(&head(), approval("G1"));
    agency.done(&head(), refusal("G2"));
    agency.done(&officer(), revoke("G3"));
    for grant in ["G1", "G2", "G3"] {
        agency.refused(&second_head(), approval(grant), Rule::R18, "grant");
        agency.refused(&second_head(), refusal(grant), Rule::R18, "grant");
    }
}

#[test]
fn i8_nobody_answers_an_application_of_ones_own() {
    let (mut agency, evidence) = begun();
    for actor in [head(), developer()] {
        let grant = agency.apply_for(&actor, evidence).id;
        agency.refused(&actor, approval(&grant), Rule::I8, "actor");
        agency.refused(&actor, refusal(&grant), Rule::I8, "actor");
        agency.done(&second_head(), approval(&grant));
    }
}

#[test]
fn r19_who_agrees_is_cleared_for_every_item() {
    let (mut agency, evidence) = begun();
    let secret = Descriptor {
        classification: Some(Classification::StateSecret),
        ..descriptor_of("C-1", Stage::Review)
    };
    let secret = agency.put(&station(), secret).evidence_id;
    let both = ApplyForGrant { evidence: vec![evidence, secret], ..application(evidence) };
    agency.done(&custodian(), both);
    agency.refused(&second_head(), approval("G1"), Rule::R19, "clearance");
    agency.done(&head(), approval("G1"));
    agency.done(&custodian(), application(secret));
    agency.done(&second_head(), refusal("G2"));
    // What is asked of a case holds for all that is filed under it.
    agency.done(&custodian(), of_case("C-1"));
    agency.done(&custodian(), application(evidence));
    let reason = "a minor is seen".to_owned();
    let to = Classification::StateSecret;
    agency.done(&head(), ClassifyCase { case: "C-1".to_owned(), to, reason });
    agency.refused(&second_head(), approval("G3"), Rule::R19, "clearance");
    agency.refused(&second_head(), approval("G4"), Rule::R19, "clearance");
}

#[test]
fn r18_a_grant_is_valid_until_later_and_at_most_the_policys_days() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&officer(), evidence);
    const LONGEST_MS: i64 = 30 * 86_400_000;
    let asked = |agency: &Agency, after_ms: i64| {
        // The act is a second later than now.
        let until = Timestamp::from_millis(agency.now.as_millis() + 1000 + after_ms);
        DecideGrant { valid_until: Some(until), ..approval("G1") }
    };
    for after_ms in [0, -1, LONGEST_MS + 1] {
        let asked = asked(&agency, after_ms);
        agency.refused(&head(), asked, Rule::R18, "valid_until");
    }
    let longest = asked(&agency, LONGEST_MS);
    agency.done(&head(), longest);
    agency.apply_for(&officer(), evidence);
    let shortest = DecideGrant { grant: "G2".to_owned(), ..asked(&agency, 1) };
    agency.done(&head(), shortest);
}

#[test]
fn i10_a_grant_is_used_1000_times_at_most() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&officer(), evidence);
    for uses_max in [1001, u32::MAX] {
        agency.refused(&head(), DecideGrant { uses_max, ..approval("G1") }, Rule::I10, "uses_max");
    }
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        agency.refused(&head(), DecideGrant { reason, ..approval("G1") }, rule, "reason");
    }
    agency.done(&head(), DecideGrant { uses_max: 1000, ..approval("G1") });
}

#[test]
fn r18_r23_the_head_of_the_unit_answers_and_nobody_else() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&officer(), evidence);
    for actor in [
        second_officer(),
        auxiliary(),
        custodian(),
        reviewer(),
        auditor(),
        administrator(),
        station(),
        playback(),
        Actor::system(),
    ] {
        agency.refused(&actor, approval("G1"), Rule::R23, "role");
    }
    for actor in [traffic_head(), harbour_head()] {
        agency.refused(&actor, approval("G1"), Rule::R23, "unit");
    }
    agency.done(&head(), approval("G1"));
}

#[test]
fn r18_a_grant_or_an_application_is_taken_back() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&traffic_officer(), evidence);
    agency.apply_for(&traffic_officer(), evidence);
    agency.done(&head(), approval("G1"));
    let grant = grant_of(agency.done(&custodian(), revoke("G1")));
    assert_eq!(grant.state, GrantState::Revoked);
    assert_eq!(grant.revoked.expect("taken back").by, custodian().name);
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::GrantRevoked, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("grant/G1"));
    assert_eq!(entry.detail.as_deref(), Some("grant G1 taken back: no more needed"));
    let grant = grant_of(agency.done(&traffic_officer(), revoke("G2")));
    assert_eq!(grant.state, GrantState::Revoked, "whoever holds it may give it back");
}

#[test]
fn r18_what_was_refused_or_taken_back_is_not_taken_back() {
    let (mut agency, evidence) = begun();
    agency.not_found(&head(), revoke("G1"), Rule::R18, "grant");
    agency.apply_for(&officer(), evidence);
    agency.apply_for(&officer(), evidence);
    agency.done(&head(), refusal("G1"));
    agency.done(&head(), revoke("G2"));
    for grant in ["G1", "G2"] {
        for actor in [head(), officer()] {
            agency.refused(&actor, revoke(grant), Rule::R18, "grant");
        }
    }
    agency.apply_for(&officer(), evidence);
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        agency.refused(&officer(), RevokeGrant { reason, ..revoke("G3") }, rule, "reason");
    }
}

#[test]
fn r23_a_grant_of_another_is_taken_back_by_who_may() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&officer(), evidence);
    let namesake = Actor { role: custos_core::Role::Station, ..officer() };
    for actor in [second_officer(), auxiliary(), reviewer(), administrator(), playback(), namesake]
    {
        agency.refused(&actor, revoke("G1"), Rule::R23, "role");
    }
    for actor in [traffic_head(), traffic_custodian(), harbour_custodian(), harbour_auditor()] {
        agency.refused(&actor, revoke("G1"), Rule::R23, "unit");
    }
    agency.fails(&station(), law(revoke("G1")), ErrorKind::Refused, Rule::R23, "role");
    assert_eq!(agency.last_entry().record.as_deref(), Some("grant/G1"));
    agency.done(&auditor(), revoke("G1"));
}
