//! Acts of the law that arrive more than once (invariant I6): after a while, after other acts, and
//! after the evidence has ended.

use custos_core::{
    Act, Actor, ErrorKind, Rule, Stage,
    law::{
        AddNote, ConfirmClock, HoldReason, OrderDisposition, RecordKind, ReleaseHold, SetStation,
    },
};
use custos_ledger::{Command, Outcome};

use crate::{
    agency::{
        Agency, administrator, agreement, application, approval, auditor, custodian, disposal,
        file_under, head, law, move_case, new_case, new_hold, of_case, of_evidence, officer,
        proposal, station_of,
    },
    world::{assert_refused, station},
};

fn log_index(outcome: &Outcome) -> custos_core::LogIndex {
    match outcome {
        Outcome::LawDone { log_index, .. } => *log_index,
        other => panic!("{other:?}"),
    }
}

#[test]
fn i6_an_act_of_each_sort_is_done_once_however_often_it_arrives() {
    let mut agency = Agency::new();
    let mut sent = Vec::new();
    let mut send = |agency: &mut Agency, actor: Actor, command: Command| {
        let (envelope, outcome) = agency.twice(&actor, command);
        sent.push((envelope, outcome));
    };
    let set = SetStation { station: station_of("market") };
    send(&mut agency, administrator(), law(set));
    let (policy, based_on) = agency.policy();
    send(&mut agency, administrator(), law(custos_core::law::SetPolicy { policy, based_on }));
    send(&mut agency, officer(), law(new_case("C-1")));
    send(&mut agency, officer(), law(move_case("C-1", Stage::Investigation)));
    let evidence = agency.unfiled().evidence_id;
    send(&mut agency, officer(), law(file_under(evidence, "C-1", Stage::Investigation)));
    let note = AddNote { evidence, text: "seen".to_owned(), supersedes: None };
    send(&mut agency, officer(), law(note));
    send(&mut agency, officer(), law(new_hold(HoldReason::Flight, of_case("C-1"))));
    let release = ReleaseHold { hold: "H1".to_owned(), reason: "settled".to_owned() };
    send(&mut agency, head(), law(release));
    send(&mut agency, officer(), law(application(evidence)));
    send(&mut agency, head(), law(approval("G1")));
    for number in ["H2", "G2", "D2", "X2"] {
        let kind = match &number[..1] {
            "H" => RecordKind::Hold,
            "G" => RecordKind::Grant,
            "D" => RecordKind::Disposition,
            _ => RecordKind::Copy,
        };
        assert_eq!(agency.record(kind, number), None, "no number is used up by a repeat");
    }
    // All of them again, the first ones long overtaken.
    for (envelope, outcome) in sent {
        agency.repeats(&envelope, &Ok(outcome));
    }
}

#[test]
fn i6_a_confirmation_of_the_clock_that_arrives_twice_is_one() {
    let mut agency = Agency::new();
    agency.now = agency.now.plus_days(1);
    agency.act(&Actor::system(), Command::KeepTime).expect("kept");
    let reason = "by radio clock".to_owned();
    let (first, outcome) = agency.twice(&auditor(), law(ConfirmClock { reason: reason.clone() }));
    assert!(agency.clock().unconfirmed_ms > 0);
    let (second, _) = agency.twice(&administrator(), law(ConfirmClock { reason }));
    assert_eq!(agency.clock().unconfirmed_ms, 0);
    agency.repeats(&first, &Ok(outcome));
    let done = agency.apply(&second);
    assert!(matches!(done, Ok(Outcome::LawDone { record: None, .. })), "{done:?}");
}

#[test]
fn i6_what_is_refused_is_refused_again_and_entered_once() {
    let mut agency = Agency::new();
    let envelope = agency.envelope(&officer(), law(move_case("C-1", Stage::Review)));
    let size = agency.checkpoint().size;
    let first = agency.apply(&envelope);
    assert!(first.is_err());
    agency.open_case("C-1");
    agency.move_to("C-1", Stage::Investigation);
    agency.repeats(&envelope, &first);
    let refused = agency.log().split_off(usize::try_from(size).expect("few"));
    assert_eq!(refused.iter().filter(|it| it.act == Act::Refused).count(), 1);
    // Under another request id it is another one.
    agency.done(&officer(), move_case("C-1", Stage::Review));
}

#[test]
fn r26_a_request_id_is_that_of_one_act_of_one_person() {
    let mut agency = Agency::new();
    let (mut envelope, _) = agency.twice(&officer(), law(new_case("C-1")));
    let refuses = |agency: &mut Agency, envelope: &custos_ledger::Envelope| {
        let done = agency.apply(envelope);
        assert_refused(done, ErrorKind::Invalid, Rule::R26, "request_id");
    };
    envelope.command = law(new_case("C-2"));
    refuses(&mut agency, &envelope);
    envelope.command = law(new_case("C-1"));
    envelope.actor = custodian();
    refuses(&mut agency, &envelope);
    assert_eq!(agency.record(RecordKind::Case, "C-2"), None);
}

#[test]
fn i6_the_end_of_evidence_is_ordered_and_recorded_once() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    agency.twice(&custodian(), law(proposal(&[evidence])));
    agency.twice(&head(), law(agreement("D1")));
    agency.twice(&auditor(), law(agreement("D1")));
    agency.pass_days(8);
    let order = OrderDisposition { disposition: "D1".to_owned() };
    let (ordered, first) = agency.twice(&Actor::system(), law(order));
    let (ended, last) = agency.twice(&Actor::system(), law(disposal("D1", evidence)));
    agency.repeats(&ordered, &Ok(first));
    agency.repeats(&ended, &Ok(last));
    assert_eq!(
        agency.entries_of("disposition/D1").iter().filter(|it| it.act == Act::Disposed).count(),
        1
    );
}

#[test]
fn i6_a_repeat_after_the_evidence_has_ended_is_told_its_entry_and_not_what_ended() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    let disposition = agency.approved(&[evidence]).id;
    agency.pass_days(8);
    let note = AddNote { evidence, text: "looked at once more".to_owned(), supersedes: None };
    let (noted, first) = agency.twice(&officer(), law(note));
    let hold = new_hold(HoldReason::Other, of_evidence(evidence));
    let (held, place) = agency.twice(&officer(), law(hold));
    let release = ReleaseHold { hold: "H1".to_owned(), reason: "settled".to_owned() };
    agency.done(&head(), release);
    agency.done(&Actor::system(), OrderDisposition { disposition: disposition.clone() });
    agency.done(&Actor::system(), disposal(&disposition, evidence));
    let gone = Outcome::LawDone { log_index: log_index(&first), record: None };
    agency.repeats(&noted, &Ok(gone));
    // What was not of the evidence itself is told as it was.
    agency.repeats(&held, &Ok(place));
    assert!(agency.act(&station(), crate::world::view(1, 0, 1)).is_err());
}
