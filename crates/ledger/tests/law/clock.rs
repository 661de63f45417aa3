//! What time does to the rules: to the millisecond, over leap days and year ends, after jumps, and
//! when machines disagree (rules R3, R10, R13, R18, invariant I8).

use custos_core::{
    Act, Actor, Descriptor, ErrorKind, EvidenceId, EvidenceKind, Rule, Stage, Timestamp,
    law::{ArchiveCase, ConfirmClock, DispositionState, GrantScope, OrderDisposition, RecordList},
};
use custos_ledger::{Command, Outcome};
use proptest::{collection::vec, prelude::*};

use crate::{
    agency::{
        Agency, DAY_MS, administrator, agreement, auditor, auxiliary, custodian, descriptor_of,
        disposition_of, harbour_administrator, harbour_auditor, head, law, officer, playback,
        proposal, reviewer, second_auditor,
    },
    lists::ids_of,
    world::{assert_refused, developer, parts, seal, station, view},
};

const HOUR_MS: i64 = 3_600_000;

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn plus(at: Timestamp, ms: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + ms)
}

fn confirm() -> ConfirmClock {
    ConfirmClock { reason: "by radio clock".to_owned() }
}

fn order(disposition: &str) -> Command {
    law(OrderDisposition { disposition: disposition.to_owned() })
}

/// Moves cluster time to exactly `to`, confirmed.
fn settle(agency: &mut Agency, to: Timestamp) {
    agency.act_at(to, &Actor::system(), Command::KeepTime).expect("kept");
    if agency.clock().unconfirmed_ms > 0 {
        agency.act_at(to, &auditor(), law(confirm())).expect("confirmed");
        agency.act_at(to, &administrator(), law(confirm())).expect("confirmed");
    }
    assert_eq!((agency.clock().time, agency.clock().settled), (to, to));
}

/// Moves cluster time to exactly `to` at once, unconfirmed if that is far.
fn jump(agency: &mut Agency, to: Timestamp) {
    agency.act_at(to, &Actor::system(), Command::KeepTime).expect("kept");
    assert_eq!(agency.clock().time, to);
}

/// A photo under case `C-1` that is sealed at exactly `at`.
fn sealed_at(at: Timestamp) -> (Agency, EvidenceId) {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    settle(&mut agency, plus(at, -1000));
    let kind = EvidenceKind::Photo;
    let descriptor = Descriptor { kind, ..descriptor_of("C-1", Stage::Investigation) };
    let (number, open) = agency.next_upload(descriptor);
    agency.act_at(plus(at, -1000), &station(), open).expect("opened");
    let done = agency.act_at(at, &station(), seal(number, parts(1000)));
    let Ok(Outcome::Sealed(record)) = done else { panic!("{done:?}") };
    assert_eq!(record.sealed_at, at);
    (agency, record.evidence_id)
}

#[test]
fn r10_a_year_of_retention_is_365_days_over_leap_days_and_year_ends() {
    let spans = [
        ("2028-02-29T12:00:00Z", "2029-02-28T12:00:00Z"),
        ("2028-02-28T23:59:59.999Z", "2029-02-27T23:59:59.999Z"),
        ("2027-02-28T00:00:00Z", "2028-02-28T00:00:00Z"),
        ("2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("2026-12-31T23:59:59.999Z", "2027-12-31T23:59:59.999Z"),
        ("2027-12-31T23:59:59.999Z", "2028-12-30T23:59:59.999Z"),
        ("2099-03-01T00:00:00Z", "2100-03-01T00:00:00Z"),
    ];
    for (from, until) in spans {
        let (from, until) = (time(from), time(until));
        let (mut agency, evidence) = sealed_at(from);
        assert_eq!(agency.keeping(evidence).retain_until, until, "from {from}");
        settle(&mut agency, plus(until, -1));
        assert!(!agency.keeping(evidence).retention_over);
        let proposed = agency.act_at(plus(until, -1), &custodian(), law(proposal(&[evidence])));
        assert_refused(proposed, ErrorKind::Refused, Rule::R10, "evidence");
        settle(&mut agency, until);
        assert!(agency.keeping(evidence).retention_over);
        agency.act_at(until, &custodian(), law(proposal(&[evidence]))).expect("proposed");
    }
}

#[test]
fn r13_a_case_is_due_until_its_thirtieth_day_is_over_to_the_millisecond() {
    let closings = [
        "2026-12-31T23:59:59.999Z",
        "2028-01-30T12:00:00Z",
        "2028-02-29T12:00:00Z",
        "2027-02-01T00:00:00Z",
    ];
    for closed_at in closings.map(time) {
        let mut agency = Agency::new();
        agency.open_case("C-1");
        settle(&mut agency, closed_at);
        let close =
            custos_core::law::CloseCase { case: "C-1".to_owned(), reason: "fined".to_owned() };
        agency.act_at(closed_at, &officer(), law(close)).expect("closed");
        let due = plus(closed_at, 30 * DAY_MS);
        assert_eq!(agency.case("C-1").archive_due, Some(due));
        let lists = |agency: &Agency| {
            [RecordList::ArchiveDue, RecordList::ArchiveOverdue]
                .map(|list| ids_of(agency, list).len())
        };
        for (at, expected) in [(plus(due, -1), [1, 0]), (due, [1, 0]), (plus(due, 1), [1, 1])] {
            jump(&mut agency, at);
            assert_eq!(lists(&agency), expected, "closed at {closed_at}, now {at}");
        }
        let despite = Some("nothing was filmed".to_owned());
        let archive = ArchiveCase { case: "C-1".to_owned(), despite };
        agency.act(&custodian(), law(archive)).expect("archived");
        assert_eq!(lists(&agency), [0, 0]);
    }
}

#[test]
fn i8_grace_is_over_to_the_millisecond_of_settled_time() {
    let (mut agency, evidence) = sealed_at(time("2027-02-28T12:00:00Z"));
    let over = agency.keeping(evidence).retain_until;
    settle(&mut agency, over);
    let until = agency.approved(&[evidence]).grace_until.expect("approved");
    assert_eq!(until, plus(agency.now, 7 * DAY_MS));
    assert_eq!(agency.disposition("D1").approvals[1].at, agency.now);
    settle(&mut agency, plus(until, -1));
    for actor in [Actor::system(), developer(), head(), auditor()] {
        let early = agency.act_at(plus(until, -1), &actor, order("D1"));
        assert_refused(early, ErrorKind::Refused, Rule::I8, "disposition");
    }
    settle(&mut agency, until);
    agency.act_at(until, &Actor::system(), order("D1")).expect("ordered");
    assert_eq!(agency.disposition("D1").state, DispositionState::Ordered);
}

#[test]
fn i8_confirming_the_clock_shortens_no_grace() {
    let (mut agency, evidence) = sealed_at(time("2027-02-28T12:00:00Z"));
    let over = agency.keeping(evidence).retain_until;
    settle(&mut agency, over);
    agency.proposed(&[evidence]);
    agency.done(&head(), agreement("D1"));
    // A machine whose clock is two days ahead: nobody has confirmed that.
    let ahead = plus(agency.now, 2 * DAY_MS);
    jump(&mut agency, ahead);
    let approved = disposition_of(agency.done(&auditor(), agreement("D1")));
    let until = plus(agency.now, 7 * DAY_MS);
    assert_eq!(approved.grace_until, Some(until), "from cluster time");
    settle(&mut agency, plus(until, -1));
    let early = agency.act_at(plus(until, -1), &Actor::system(), order("D1"));
    assert_refused(early, ErrorKind::Refused, Rule::I8, "disposition");
    agency.act_at(until, &Actor::system(), order("D1")).expect("ordered");
}

#[test]
fn i8_a_policy_of_another_grace_counts_for_what_is_approved_since() {
    let (mut agency, evidence) = sealed_at(time("2027-02-28T12:00:00Z"));
    let over = agency.keeping(evidence).retain_until;
    settle(&mut agency, over);
    let until = agency.approved(&[evidence]).grace_until.expect("approved");
    agency.set_policy(|policy| policy.grace_days = 1);
    settle(&mut agency, plus(until, -1));
    let early = agency.act_at(plus(until, -1), &Actor::system(), order("D1"));
    assert_refused(early, ErrorKind::Refused, Rule::I8, "disposition");
}

#[test]
fn r18_a_grant_is_over_to_the_millisecond_of_cluster_time() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let grant = agency.granted(&officer(), evidence, GrantScope::View);
    let until = grant.valid_until.expect("approved");
    assert_eq!(until, agency.now.plus_days(30));
    let used = || match view(evidence.as_bytes()[0], 0, 1) {
        Command::RecordView { evidence_id, start, end, purpose, scope, .. } => {
            let grant = Some(grant.id.clone());
            Command::RecordView { evidence_id, start, end, purpose, scope, grant }
        }
        other => panic!("{other:?}"),
    };
    // Nobody has confirmed that step: what is allowed ends with it all the same.
    agency.act_at(plus(until, -1), &officer(), used()).expect("in time");
    for actor in [officer(), playback()] {
        let late = agency.act_at(until, &actor, used());
        assert_refused(late, ErrorKind::Refused, Rule::R18, "grant");
    }
    // Nor does a machine whose clock is behind bring it back.
    let late = agency.act_at(plus(until, -DAY_MS), &officer(), used());
    assert_refused(late, ErrorKind::Refused, Rule::R18, "grant");
    assert_eq!(agency.grant(&grant.id).uses, 1);
}

#[test]
fn r3_a_step_of_an_hour_counts_and_a_longer_one_does_not() {
    let mut agency = Agency::new();
    let begun = agency.now;
    jump(&mut agency, plus(begun, HOUR_MS));
    let clock = agency.clock();
    assert_eq!((clock.settled, clock.unconfirmed_ms), (plus(begun, HOUR_MS), 0));
    jump(&mut agency, plus(begun, 2 * HOUR_MS + 1));
    let clock = agency.clock();
    assert_eq!(clock.time, plus(begun, 2 * HOUR_MS + 1));
    assert_eq!((clock.settled, clock.unconfirmed_ms), (plus(begun, HOUR_MS), HOUR_MS + 1));
    // Settled time goes on from there.
    jump(&mut agency, plus(begun, 3 * HOUR_MS));
    assert_eq!(agency.clock().settled, plus(begun, 2 * HOUR_MS - 1));
    // Steps add up until they are confirmed.
    jump(&mut agency, plus(begun, 9 * HOUR_MS));
    assert_eq!(agency.clock().unconfirmed_ms, HOUR_MS + 1 + 6 * HOUR_MS);
    assert_eq!(agency.clock().settled, plus(begun, 2 * HOUR_MS - 1));
}

#[test]
fn r10_a_jump_ends_nothing_until_two_have_confirmed_it() {
    let (mut agency, evidence) = sealed_at(time("2027-02-28T12:00:00Z"));
    let over = agency.keeping(evidence).retain_until;
    jump(&mut agency, plus(over, DAY_MS));
    let propose = |agency: &mut Agency| {
        agency.refused(&custodian(), proposal(&[evidence]), Rule::R10, "evidence");
        assert!(!agency.keeping(evidence).retention_over);
        assert!(ids_of(agency, RecordList::RetentionOver).is_empty());
    };
    propose(&mut agency);
    let outcome = agency.confirm_clock(&auditor());
    let entry = agency.last_entry();
    assert_eq!(outcome, Ok(Outcome::LawDone { log_index: entry.index, record: None }));
    assert_eq!((entry.act, entry.evidence_id, entry.record), (Act::ClockConfirmed, None, None));
    let detail = entry.detail.expect("stands");
    assert!(detail.ends_with("confirmed by the first of two: by radio clock"), "{detail}");
    let first = agency.clock().confirmed_by.expect("confirmed once");
    assert_eq!((first.by, first.role, first.at), (auditor().name, auditor().role, agency.now));
    propose(&mut agency);

    agency.confirm_clock(&administrator()).expect("confirmed");
    let entry = agency.last_entry();
    assert_eq!(entry.act, Act::ClockConfirmed);
    let detail = entry.detail.expect("stands");
    assert!(detail.contains("confirmed, retention was at"), "{detail}");
    let clock = agency.clock();
    assert_eq!((clock.settled, clock.unconfirmed_ms, clock.confirmed_by), (clock.time, 0, None));
    assert!(agency.keeping(evidence).retention_over);
    assert_eq!(ids_of(&agency, RecordList::RetentionOver).len(), 1);
    agency.done(&custodian(), proposal(&[evidence]));
}

#[test]
fn i8_a_jump_does_not_use_up_grace() {
    let (mut agency, evidence) = sealed_at(time("2027-02-28T12:00:00Z"));
    let over = agency.keeping(evidence).retain_until;
    settle(&mut agency, over);
    let until = agency.approved(&[evidence]).grace_until.expect("approved");
    jump(&mut agency, plus(until, DAY_MS));
    let order_now = || OrderDisposition { disposition: "D1".to_owned() };
    agency.refused(&Actor::system(), order_now(), Rule::I8, "disposition");
    agency.confirm_clock(&auditor()).expect("confirmed");
    agency.refused(&Actor::system(), order_now(), Rule::I8, "disposition");
    agency.confirm_clock(&administrator()).expect("confirmed");
    agency.done(&Actor::system(), order_now());
}

#[test]
fn r3_a_new_jump_makes_the_first_confirmation_void() {
    let mut agency = Agency::new();
    let begun = agency.now;
    jump(&mut agency, plus(begun, 10 * HOUR_MS));
    agency.confirm_clock(&auditor()).expect("confirmed");
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    assert_eq!(agency.clock().confirmed_by, None);
    assert_eq!(agency.clock().unconfirmed_ms, 12 * HOUR_MS);
    agency.confirm_clock(&administrator()).expect("the first again");
    assert_eq!(agency.clock().unconfirmed_ms, 12 * HOUR_MS);
    agency.confirm_clock(&auditor()).expect("the second");
    assert_eq!(agency.clock().unconfirmed_ms, 0);
    // One that the confirmation itself brings is one too.
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    agency.confirm_clock(&auditor()).expect("the first");
    let later = plus(agency.now, 3 * HOUR_MS);
    agency.act_at(later, &administrator(), law(confirm())).expect("the first again");
    let clock = agency.clock();
    assert_eq!(clock.confirmed_by.map(|sign| sign.by), Some(administrator().name));
    assert_eq!(clock.unconfirmed_ms, 5 * HOUR_MS);
}

#[test]
fn r3_there_must_be_a_step_to_confirm() {
    let mut agency = Agency::new();
    agency.refused(&auditor(), confirm(), Rule::R3, "clock");
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    agency.confirm_clock(&auditor()).expect("confirmed");
    agency.confirm_clock(&administrator()).expect("confirmed");
    agency.refused(&administrator(), confirm(), Rule::R3, "clock");
}

#[test]
fn i8_two_persons_of_different_roles_confirm_the_clock() {
    let mut agency = Agency::new();
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    agency.confirm_clock(&auditor()).expect("confirmed");
    for actor in [auditor(), second_auditor(), harbour_auditor()] {
        agency.refused(&actor, confirm(), Rule::I8, "actor");
    }
    // Of whatever agency; the developer's role is one of its own.
    agency.confirm_clock(&harbour_administrator()).expect("confirmed");
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    agency.confirm_clock(&developer()).expect("confirmed");
    agency.refused(&developer(), confirm(), Rule::I8, "actor");
    agency.confirm_clock(&administrator()).expect("confirmed");
}

#[test]
fn r23_r26_who_confirms_the_clock_may_and_says_how_it_was_checked() {
    let mut agency = Agency::new();
    let later = plus(agency.now, 2 * HOUR_MS);
    jump(&mut agency, later);
    for actor in [
        officer(),
        auxiliary(),
        custodian(),
        head(),
        reviewer(),
        station(),
        playback(),
        Actor::system(),
    ] {
        agency.refused(&actor, confirm(), Rule::R23, "role");
    }
    for (rule, reason) in [
        (Rule::R26, String::new()),
        (Rule::R26, "two\nlines".to_owned()),
        (Rule::I10, "x".repeat(513)),
    ] {
        agency.refused(&auditor(), ConfirmClock { reason }, rule, "reason");
    }
}

#[test]
fn r3_machines_whose_clocks_disagree_move_time_only_forward_and_make_no_steps() {
    let mut agency = Agency::new();
    let begun = agency.now;
    let mut latest = begun;
    for second in 1..50 {
        // One is right, one is three hours behind, one is some minutes ahead.
        let right = plus(begun, second * 1000);
        let stamps = [right, plus(right, -3 * HOUR_MS), plus(right, 240_000), plus(right, -1)];
        for stamp in stamps {
            agency.act_at(stamp, &Actor::system(), Command::KeepTime).expect("kept");
            latest = latest.max(stamp);
            let clock = agency.clock();
            assert_eq!((clock.time, clock.settled), (latest, latest));
            assert_eq!(clock.unconfirmed_ms, 0);
        }
    }
}

#[test]
fn i4_an_act_on_a_machine_that_is_behind_is_entered_at_cluster_time() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let now = agency.now;
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let cluster = agency.clock().time;
    let note = custos_core::law::AddNote { evidence, text: "seen".to_owned(), supersedes: None };
    let done = agency.act_at(plus(now, -DAY_MS), &officer(), law(note));
    let Ok(Outcome::LawDone { record: Some(saved), .. }) = done else { panic!("{done:?}") };
    assert_eq!(saved.changed_at, cluster);
    assert_eq!(agency.last_entry().time, cluster);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn r3_settled_time_only_grows_and_is_never_ahead_of_cluster_time(
        stamps in vec((-4 * DAY_MS..4 * DAY_MS, 0u8..4), 1..60),
    ) {
        let mut agency = Agency::new();
        let begun = agency.now;
        let mut before = agency.clock();
        for (offset, act) in stamps {
            let stamp = plus(begun, offset);
            let _ = match act {
                0 => agency.act_at(stamp, &auditor(), law(confirm())),
                1 => agency.act_at(stamp, &administrator(), law(confirm())),
                _ => agency.act_at(stamp, &Actor::system(), Command::KeepTime),
            };
            let clock = agency.clock();
            prop_assert!(clock.time >= before.time && clock.settled >= before.settled);
            prop_assert!(clock.settled <= clock.time);
            let grown = clock.settled.as_millis() - before.settled.as_millis();
            let is_confirmed = before.confirmed_by.is_some() && clock.unconfirmed_ms == 0;
            prop_assert!(grown <= HOUR_MS || is_confirmed, "by {grown} ms at once");
            before = clock;
        }
    }
}
