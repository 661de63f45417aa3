//! Who reads evidence: with the right to, or under a grant within its bounds (rules R18, R19, R20).

use custos_core::{
    Act, Actor, Descriptor, ErrorKind, EvidenceId, Refusal, Role, Rule, Stage,
    law::{
        ApplyForGrant, ByteSpan, Classification, ClassifyEvidence, DecideGrant, FileEvidence,
        GrantScope, OpenCase, Person, RecordKind, RegisterCopy, RevokeGrant, SetPerson, UpdateCase,
    },
};
use custos_ledger::{Command, Outcome};

use crate::{
    agency::{
        Agency, administrator, application, approval, auditor, auxiliary, custodian, descriptor_of,
        file_under, grant_of, harbour_auditor, harbour_custodian, head, new_case, officer, person,
        playback, reviewer, second_officer, traffic_custodian, traffic_officer,
    },
    world::{complete, developer, other_station, parts, station},
};

/// Everything of evidence, as what and under which grant.
fn take(evidence: EvidenceId, scope: GrantScope, grant: Option<&str>) -> Command {
    Command::RecordView {
        evidence_id: evidence,
        start: 0,
        end: 1000,
        purpose: Some("case review".to_owned()),
        scope,
        grant: grant.map(str::to_owned),
    }
}

fn view(evidence: EvidenceId) -> Command {
    take(evidence, GrantScope::View, None)
}

fn part(evidence: EvidenceId, start: u64, end: u64, grant: &str) -> Command {
    Command::RecordView {
        evidence_id: evidence,
        start,
        end,
        purpose: None,
        scope: GrantScope::View,
        grant: Some(grant.to_owned()),
    }
}

fn begun() -> (Agency, EvidenceId) {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    (agency, evidence)
}

/// Reads as asked, and says what is on record of it.
fn reads(agency: &mut Agency, actor: &Actor, command: Command) -> Act {
    let outcome = agency.act(actor, command);
    let entry = agency.last_entry();
    assert_eq!(outcome, Ok(Outcome::ViewRecorded(entry.index)), "{actor:?}");
    entry.act
}

fn no(agency: &mut Agency, actor: &Actor, command: Command, rule: Rule, field: &str) -> Refusal {
    agency.fails(actor, command, ErrorKind::Refused, rule, field)
}

fn raise(agency: &mut Agency, evidence: EvidenceId, to: Classification) {
    let reason = "a minor is seen".to_owned();
    agency.done(&head(), ClassifyEvidence { evidence, to, reason });
}

#[test]
fn r23_who_has_the_right_views_without_a_grant() {
    let (mut agency, evidence) = begun();
    for actor in [custodian(), head(), reviewer(), auditor(), developer()] {
        assert_eq!(reads(&mut agency, &actor, view(evidence)), Act::Viewed);
        let entry = agency.last_entry();
        assert_eq!((entry.evidence_id, entry.record), (Some(evidence), None));
        assert_eq!(entry.detail.as_deref(), Some("bytes 0-999 of 1000: case review"));
    }
    for actor in [administrator(), playback()] {
        no(&mut agency, &actor, view(evidence), Rule::R23, "role");
    }
    for actor in [traffic_custodian(), harbour_custodian(), harbour_auditor()] {
        no(&mut agency, &actor, view(evidence), Rule::R23, "unit");
    }
    let nobodys = agency.of_nobody().evidence_id;
    reads(&mut agency, &traffic_custodian(), view(nobodys));
}

#[test]
fn r23_an_officer_views_what_is_of_the_own_work() {
    let (mut agency, _) = begun();
    let nobody = || Descriptor { officers: vec![], ..complete() };
    let strange = agency.put(&station(), nobody()).evidence_id;
    for actor in [officer(), second_officer(), auxiliary(), traffic_officer()] {
        no(&mut agency, &actor, view(strange), Rule::R23, "unit");
    }
    // What the person put.
    for actor in [officer(), auxiliary()] {
        let put = agency.put(&actor, nobody()).evidence_id;
        reads(&mut agency, &actor, view(put));
        no(&mut agency, &second_officer(), view(put), Rule::R23, "unit");
        let namesake = Actor { role: Role::Station, ..actor };
        no(&mut agency, &namesake, view(put), Rule::R23, "role");
    }
    // What shows the person.
    let shown = Descriptor { officers: vec!["310115-0003".to_owned()], ..complete() };
    let shown = agency.put(&station(), shown).evidence_id;
    reads(&mut agency, &traffic_officer(), view(shown));
    no(&mut agency, &officer(), view(shown), Rule::R23, "unit");
    // What is filed under a case of which the person is one.
    agency.done(&officer(), file_under(strange, "C-1", Stage::Review));
    reads(&mut agency, &second_officer(), view(strange));
    no(&mut agency, &traffic_officer(), view(strange), Rule::R23, "unit");
    no(&mut agency, &auxiliary(), view(strange), Rule::R23, "unit");
    let joins = UpdateCase {
        case: "C-1".to_owned(),
        title: None,
        place: None,
        custodian: None,
        add_officers: vec!["310115-0003".to_owned()],
        remove_officers: vec!["310115-0002".to_owned()],
        add_parties: vec![],
        reason: "on leave".to_owned(),
    };
    agency.done(&officer(), joins);
    reads(&mut agency, &traffic_officer(), view(strange));
    no(&mut agency, &second_officer(), view(strange), Rule::R23, "unit");
}

#[test]
fn a_station_views_what_it_put_itself() {
    let (mut agency, evidence) = begun();
    assert_eq!(reads(&mut agency, &station(), view(evidence)), Act::Viewed);
    no(&mut agency, &other_station(), view(evidence), Rule::R23, "role");
    no(&mut agency, &station(), take(evidence, GrantScope::Copy, None), Rule::R18, "grant");
}

#[test]
fn r18_a_copy_or_the_original_is_handed_out_under_a_grant_only() {
    let (mut agency, evidence) = begun();
    for scope in [GrantScope::Copy, GrantScope::Original] {
        for actor in [
            officer(),
            auxiliary(),
            custodian(),
            head(),
            reviewer(),
            auditor(),
            administrator(),
            station(),
            playback(),
            Actor::system(),
        ] {
            no(&mut agency, &actor, take(evidence, scope, None), Rule::R18, "grant");
        }
    }
    let copy = take(evidence, GrantScope::Copy, None);
    assert_eq!(reads(&mut agency, &developer(), copy), Act::Copied);
    let original = take(evidence, GrantScope::Original, None);
    assert_eq!(reads(&mut agency, &developer(), original), Act::TakenOut);
}

#[test]
fn r19_evidence_above_ones_clearance_is_not_seen_with_or_without_a_grant() {
    let (mut agency, evidence) = begun();
    let grant = agency.granted(&officer(), evidence, GrantScope::Copy).id;
    let theirs = agency.granted(&traffic_custodian(), evidence, GrantScope::View).id;
    raise(&mut agency, evidence, Classification::TradeSecret);
    no(&mut agency, &officer(), view(evidence), Rule::R19, "clearance");
    let copy = take(evidence, GrantScope::Copy, Some(&grant));
    no(&mut agency, &officer(), copy, Rule::R19, "clearance");
    // Before anything else: who is not cleared learns nothing of grants and rights.
    let copy = take(evidence, GrantScope::Copy, None);
    no(&mut agency, &traffic_officer(), copy, Rule::R19, "clearance");
    let unknown = take(evidence, GrantScope::View, Some("G99"));
    no(&mut agency, &traffic_officer(), unknown, Rule::R19, "clearance");
    reads(&mut agency, &custodian(), view(evidence));
    reads(&mut agency, &traffic_custodian(), take(evidence, GrantScope::View, Some(&theirs)));
    raise(&mut agency, evidence, Classification::StateSecret);
    no(&mut agency, &custodian(), view(evidence), Rule::R19, "clearance");
    reads(&mut agency, &head(), view(evidence));
}

#[test]
fn r19_a_playback_service_shows_its_holder_no_more_than_the_holder_may_see() {
    let (mut agency, evidence) = begun();
    let grant = agency.granted(&officer(), evidence, GrantScope::View).id;
    let streamed = || take(evidence, GrantScope::View, Some(&grant));
    assert_eq!(reads(&mut agency, &playback(), streamed()), Act::Viewed);
    raise(&mut agency, evidence, Classification::TradeSecret);
    no(&mut agency, &playback(), streamed(), Rule::R19, "clearance");
}

#[test]
fn r18_a_use_of_a_grant_is_on_record_and_counted_and_no_version() {
    let (mut agency, evidence) = begun();
    let grant = agency.granted(&traffic_officer(), evidence, GrantScope::Original).id;
    let copy = RegisterCopy {
        evidence,
        blake3: parts(1000).blake3,
        medium: "disc 2026-014".to_owned(),
        place: "safe 2".to_owned(),
        reason: "for the court".to_owned(),
    };
    agency.done(&custodian(), copy);
    let versions = agency.history(RecordKind::Grant, &grant).len();
    let scopes = [
        (GrantScope::View, Act::Viewed),
        (GrantScope::Copy, Act::Copied),
        (GrantScope::Original, Act::TakenOut),
    ];
    for (uses, (scope, act)) in (1..).zip(scopes) {
        let done = reads(&mut agency, &traffic_officer(), take(evidence, scope, Some(&grant)));
        assert_eq!(done, act);
        let entry = agency.last_entry();
        assert_eq!(
            (entry.evidence_id, entry.record),
            (Some(evidence), Some(format!("grant/{grant}")))
        );
        let detail = format!("bytes 0-999 of 1000: case review (grant {grant})");
        assert_eq!(entry.detail, Some(detail));
        assert_eq!(agency.grant(&grant).uses, uses);
    }
    assert_eq!(agency.history(RecordKind::Grant, &grant).len(), versions);
}

#[test]
fn r18_a_grant_is_used_once_it_is_agreed_to_and_until_it_is_taken_back() {
    let (mut agency, evidence) = begun();
    let used = |grant: &str| take(evidence, GrantScope::View, Some(grant));
    let actor = traffic_officer();
    agency.fails(&actor, used("G1"), ErrorKind::NotFound, Rule::R18, "grant");
    agency.apply_for(&actor, evidence);
    no(&mut agency, &actor, used("G1"), Rule::R18, "grant");
    agency.done(&head(), approval("G1"));
    reads(&mut agency, &actor, used("G1"));
    let reason = "no more needed".to_owned();
    agency.done(&head(), RevokeGrant { grant: "G1".to_owned(), reason });
    no(&mut agency, &actor, used("G1"), Rule::R18, "grant");
    agency.apply_for(&actor, evidence);
    agency.done(&head(), DecideGrant { approve: false, ..approval("G2") });
    no(&mut agency, &actor, used("G2"), Rule::R18, "grant");
}

#[test]
fn r18_a_grant_is_used_as_often_as_it_says() {
    let (mut agency, evidence) = begun();
    agency.apply_for(&traffic_officer(), evidence);
    agency.done(&head(), DecideGrant { uses_max: 2, ..approval("G1") });
    let used = || take(evidence, GrantScope::View, Some("G1"));
    for _ in 0..2 {
        reads(&mut agency, &traffic_officer(), used());
    }
    no(&mut agency, &traffic_officer(), used(), Rule::R18, "grant");
    assert_eq!(agency.grant("G1").uses, 2, "what is refused is no use");
}

#[test]
fn r18_a_grant_is_used_by_its_holder_or_by_a_playback_service() {
    let (mut agency, evidence) = begun();
    let grant = agency.granted(&traffic_officer(), evidence, GrantScope::View).id;
    let used = || take(evidence, GrantScope::View, Some(&grant));
    let namesakes = [Role::Station, Role::Developer, Role::System];
    let namesakes = namesakes.map(|role| Actor { role, ..traffic_officer() });
    for actor in [officer(), custodian(), head(), auditor(), station(), developer()]
        .into_iter()
        .chain(namesakes)
    {
        no(&mut agency, &actor, used(), Rule::R18, "grant");
    }
    reads(&mut agency, &traffic_officer(), used());
    reads(&mut agency, &playback(), used());
    assert_eq!(agency.grant(&grant).uses, 2);
}

#[test]
fn r18_a_grant_is_for_its_evidence_or_for_what_is_filed_under_its_case() {
    let (mut agency, evidence) = begun();
    agency.open_case("C-2");
    let other = agency.sealed_in_case("C-1").evidence_id;
    let actor = traffic_officer();
    let grant = agency.granted(&actor, evidence, GrantScope::View).id;
    no(&mut agency, &actor, take(other, GrantScope::View, Some(&grant)), Rule::R18, "grant");

    let case = Some("C-1".to_owned());
    let asked = ApplyForGrant { evidence: vec![], case, ..application(evidence) };
    let grant = grant_of(agency.done(&actor, asked)).id;
    agency.done(&head(), approval(&grant));
    for evidence in [evidence, other] {
        reads(&mut agency, &actor, take(evidence, GrantScope::View, Some(&grant)));
    }
    let later = agency.sealed_in_case("C-1").evidence_id;
    reads(&mut agency, &actor, take(later, GrantScope::View, Some(&grant)));
    let reason = Some("the other stall".to_owned());
    let moved = FileEvidence { reason, ..file_under(later, "C-2", Stage::Review) };
    agency.done(&officer(), moved);
    no(&mut agency, &actor, take(later, GrantScope::View, Some(&grant)), Rule::R18, "grant");
    // A claim is no filing.
    let claim = Descriptor { stage: None, ..descriptor_of("C-1", Stage::Review) };
    let claim = agency.put(&station(), claim).evidence_id;
    no(&mut agency, &actor, take(claim, GrantScope::View, Some(&grant)), Rule::R18, "grant");
}

#[test]
fn r18_a_grant_is_for_its_range() {
    let (mut agency, evidence) = begun();
    let actor = traffic_officer();
    let range = Some(ByteSpan { start: 100, end: 200 });
    agency.done(&actor, ApplyForGrant { range, ..application(evidence) });
    agency.done(&head(), approval("G1"));
    for (start, end) in [(100, 200), (100, 101), (199, 200), (150, 150)] {
        reads(&mut agency, &actor, part(evidence, start, end, "G1"));
    }
    for (start, end) in [(99, 200), (100, 201), (0, 1000), (0, 100), (0, 0), (201, 201)] {
        no(&mut agency, &actor, part(evidence, start, end, "G1"), Rule::R18, "range");
    }
}

#[test]
fn r18_a_grant_is_for_its_scope_and_what_is_less() {
    let (mut agency, evidence) = begun();
    let actor = traffic_officer();
    for granted in GrantScope::ALL {
        let grant = agency.granted(&actor, evidence, *granted).id;
        for scope in GrantScope::ALL {
            let asked = take(evidence, *scope, Some(&grant));
            if scope > granted {
                no(&mut agency, &actor, asked, Rule::R18, "grant");
            } else if *scope != GrantScope::Original {
                reads(&mut agency, &actor, asked);
            }
        }
    }
}

#[test]
fn r18_a_grant_of_who_may_not_act_any_more_is_of_no_use_to_anybody() {
    let (mut agency, evidence) = begun();
    let holder = traffic_officer();
    let grant = agency.granted(&holder, evidence, GrantScope::View).id;
    let under = || take(evidence, GrantScope::View, Some(&grant));
    reads(&mut agency, &playback(), under());
    let set = |change: &dyn Fn(&mut Person)| {
        let mut person = person(&holder);
        change(&mut person);
        SetPerson { person }
    };
    for change in [
        set(&|person| person.active = false),
        // Somebody of another role is not who was allowed to.
        set(&|person| {
            person.role = Role::Reviewer;
            person.certificate_no = None;
        }),
    ] {
        agency.done(&administrator(), change);
        no(&mut agency, &playback(), under(), Rule::R18, "grant");
    }
    agency.done(&administrator(), set(&|_| {}));
    reads(&mut agency, &playback(), under());
}

#[test]
fn r20_the_original_goes_out_after_a_copy_is_registered() {
    let (mut agency, evidence) = begun();
    let other = agency.sealed_in_case("C-1").evidence_id;
    let actor = traffic_officer();
    let grant = agency.granted(&actor, evidence, GrantScope::Original).id;
    let original = || take(evidence, GrantScope::Original, Some(&grant));
    let copy = |evidence| RegisterCopy {
        evidence,
        blake3: parts(1000).blake3,
        medium: "disc 2026-014".to_owned(),
        place: "safe 2".to_owned(),
        reason: "for the court".to_owned(),
    };
    no(&mut agency, &actor, original(), Rule::R20, "grant");
    agency.done(&custodian(), copy(other));
    no(&mut agency, &actor, original(), Rule::R20, "grant");
    agency.done(&custodian(), copy(evidence));
    assert_eq!(reads(&mut agency, &actor, original()), Act::TakenOut);
}

#[test]
fn i3_nobody_reads_what_is_ordered_to_end_or_has_ended() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    let grant = agency.granted(&officer(), evidence, GrantScope::View).id;
    let disposition = agency.approved(&[evidence]).id;
    reads(&mut agency, &custodian(), view(evidence));
    agency.pass_days(8);
    let order = custos_core::law::OrderDisposition { disposition: disposition.clone() };
    agency.done(&Actor::system(), order);
    let under = || take(evidence, GrantScope::View, Some(&grant));
    for (actor, command) in [
        (custodian(), view(evidence)),
        (developer(), view(evidence)),
        (station(), view(evidence)),
        (officer(), under()),
        (playback(), under()),
    ] {
        no(&mut agency, &actor, command, Rule::I3, "evidence_id");
    }
    agency.done(&Actor::system(), crate::agency::disposal(&disposition, evidence));
    for (actor, command) in [(developer(), view(evidence)), (officer(), under())] {
        no(&mut agency, &actor, command, Rule::I3, "evidence_id");
    }
}

#[test]
fn r23_a_case_of_another_agency_shows_its_evidence_to_that_agency_alone() {
    let mut agency = Agency::new();
    let elsewhere = OpenCase {
        unit: "quay".to_owned(),
        officers: vec![],
        custodian: harbour_custodian().name,
        ..new_case("Q-1")
    };
    agency.done(&harbour_custodian(), elsewhere);
    let officers = vec!["410000-0001".to_owned()];
    let theirs = Descriptor { officers, ..descriptor_of("Q-1", Stage::Review) };
    let evidence = agency.put(&harbour_custodian(), theirs).evidence_id;
    for actor in [custodian(), head(), auditor(), reviewer()] {
        no(&mut agency, &actor, view(evidence), Rule::R23, "unit");
    }
    reads(&mut agency, &harbour_auditor(), view(evidence));
}
