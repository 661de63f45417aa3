//! The lawful end of evidence: proposed, agreed to by two, left time, ordered, carried out
//! (rules R10, R11, invariants I3, I5, I8).

use std::collections::BTreeSet;

use custos_core::{
    Act, Actor, Descriptor, ErrorKind, EvidenceId, EvidenceKind, Rule, Stage,
    law::{
        AddNote, AddRelation, Classification, CorrectDescriptor, DispositionState, EvidenceName,
        HoldReason, LawAnswer, LawQuery, OrderDisposition, ProposeDisposition, RecordKind,
        RegisterCopy, RelationKind, ReleaseHold, StopDisposition, Tombstone,
    },
};
use custos_ledger::{Answer, Query};

use crate::{
    agency::{
        Agency, administrator, agreement, auditor, auxiliary, custodian, descriptor_of, disposal,
        disposition_of, east_custodian, harbour_auditor, harbour_custodian, head, law, of_case,
        of_evidence, officer, playback, proposal, reviewer, second_head, traffic_custodian,
        traffic_head, without_log,
    },
    world::{abort, assert_refused, complete, developer, id, parts, query, seal, station},
};

fn stop(disposition: &str) -> StopDisposition {
    let reason = "a complaint came in".to_owned();
    StopDisposition { disposition: disposition.to_owned(), reason }
}

fn order(disposition: &str) -> OrderDisposition {
    OrderDisposition { disposition: disposition.to_owned() }
}

fn system() -> Actor {
    Actor::system()
}

fn photo(case: &str) -> Descriptor {
    Descriptor { kind: EvidenceKind::Photo, ..descriptor_of(case, Stage::Investigation) }
}

/// Photos of one case whose retention is over.
fn over(count: usize) -> (Agency, Vec<EvidenceId>) {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let ids = (0..count).map(|_| agency.put(&station(), photo("C-1")).evidence_id).collect();
    agency.pass_days(366);
    (agency, ids)
}

fn tombstone(agency: &Agency, evidence: EvidenceId) -> Tombstone {
    match agency.law(LawQuery::Tombstone(EvidenceName { evidence })) {
        LawAnswer::Tombstone(tombstone) => tombstone,
        other => panic!("{other:?}"),
    }
}

/// Whether any key or value but the custody log's holds some bytes.
fn holds_bytes(agency: &Agency, bytes: &[u8]) -> bool {
    let has = |text: &[u8]| text.windows(bytes.len()).any(|window| window == bytes);
    without_log(&agency.kv).iter().any(|(key, value)| has(key) || has(value))
}

#[test]
fn a_disposition_is_proposed_for_evidence_of_one_unit() {
    let (mut agency, ids) = over(2);
    let saved = agency.done(&custodian(), proposal(&ids));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::DispositionProposed, None));
    assert_eq!(entry.record.as_deref(), Some("disposition/D1"));
    let detail = "disposition D1 of 2 items: its time is over";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    let it = disposition_of(saved);
    assert_eq!((it.id.as_str(), it.unit.as_deref()), ("D1", Some("market")));
    assert_eq!((it.state, it.evidence), (DispositionState::Proposed, ids));
    assert_eq!((it.proposed.by, it.approvals.len()), (custodian().name, 0));
    assert_eq!((it.grace_until, it.stopped, it.ordered_at), (None, None, None));
}

#[test]
fn i8_a_proposal_names_1_to_256_items_each_once() {
    let (mut agency, ids) = over(1);
    agency.refused(&custodian(), proposal(&[]), Rule::I8, "evidence");
    agency.refused(&custodian(), proposal(&[ids[0], ids[0]]), Rule::I8, "evidence");
    let many: Vec<EvidenceId> =
        (0..257u128).map(|number| EvidenceId::from_bytes(number.to_be_bytes())).collect();
    agency.refused(&custodian(), proposal(&many), Rule::I8, "evidence");
    agency.not_found(&custodian(), proposal(&many[..256]), Rule::R6, "evidence");
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        let asked = ProposeDisposition { reason, ..proposal(&ids) };
        agency.refused(&custodian(), asked, rule, "reason");
    }
}

#[test]
fn r6_i3_what_is_proposed_to_end_is_sealed_and_stands() {
    let (mut agency, ids) = over(1);
    let (number, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened");
    agency.refused(&custodian(), proposal(&[id(number)]), Rule::R6, "evidence");
    assert_eq!(agency.last_entry().evidence_id, Some(id(number)));
    agency.ended(&ids);
    agency.refused(&custodian(), proposal(&ids), Rule::I3, "evidence");
}

#[test]
fn r26_what_is_proposed_to_end_is_of_one_unit() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let ours = agency.put(&station(), photo("C-1")).evidence_id;
    let nobodys = agency.of_nobody().evidence_id;
    agency.pass_days(731);
    agency.refused(&custodian(), proposal(&[ours, nobodys]), Rule::R26, "evidence");
    // What belongs to nobody is ended by whoever may end anything.
    let it = disposition_of(agency.done(&traffic_custodian(), proposal(&[nobodys])));
    assert_eq!(it.unit, None);
}

#[test]
fn i3_evidence_is_under_one_disposition_at_a_time() {
    let (mut agency, ids) = over(2);
    agency.proposed(&ids[..1]);
    agency.refused(&custodian(), proposal(&ids), Rule::I3, "evidence");
    agency.done(&head(), stop("D1"));
    agency.proposed(&ids);
    agency.done(&head(), agreement("D2"));
    agency.done(&auditor(), agreement("D2"));
    agency.refused(&custodian(), proposal(&ids[1..]), Rule::I3, "evidence");
    agency.pass_days(8);
    agency.done(&system(), order("D2"));
    agency.refused(&custodian(), proposal(&ids[1..]), Rule::I3, "evidence");
}

#[test]
fn r10_evidence_whose_retention_is_not_over_is_not_proposed_to_end() {
    let (mut agency, _) = over(1);
    let young = agency.put(&station(), photo("C-1")).evidence_id;
    let refusal = agency.refused(&custodian(), proposal(&[young]), Rule::R10, "evidence");
    assert!(
        refusal.reason.contains("policy for photo") || refusal.reason.contains("as it was sealed"),
        "{refusal}"
    );
    agency.pass_days(364);
    agency.refused(&custodian(), proposal(&[young]), Rule::R10, "evidence");
    agency.pass_days(1);
    agency.done(&custodian(), proposal(&[young]));
}

#[test]
fn r11_evidence_that_is_held_is_not_proposed_to_end() {
    let (mut agency, ids) = over(1);
    agency.place_hold(&officer(), HoldReason::Objection, of_case("C-1"));
    agency.place_hold(&officer(), HoldReason::Petition, of_evidence(ids[0]));
    for hold in ["H1", "H2"] {
        let refusal = agency.refused(&custodian(), proposal(&ids), Rule::R11, "evidence");
        assert!(refusal.reason.contains(hold), "{refusal}");
        let reason = "withdrawn".to_owned();
        agency.done(&head(), ReleaseHold { hold: hold.to_owned(), reason });
    }
    agency.done(&custodian(), proposal(&ids));
}

#[test]
fn r11_r10_what_is_held_and_retained_is_refused_for_the_hold_with_both_reasons() {
    let (mut agency, _) = over(1);
    let young = agency.put(&station(), photo("C-1")).evidence_id;
    agency.place_hold(&officer(), HoldReason::Objection, of_case("C-1"));
    let refusal = agency.refused(&custodian(), proposal(&[young]), Rule::R11, "evidence");
    assert!(refusal.reason.contains("held by H1, and is kept until"), "{refusal}");
}

#[test]
fn r19_nobody_proposes_or_agrees_to_end_what_is_above_the_own_clearance() {
    let (mut agency, ids) = over(1);
    let classify = |to| custos_core::law::ClassifyEvidence {
        evidence: ids[0],
        to,
        reason: "by decree".to_owned(),
    };
    agency.proposed(&ids);
    agency.done(&head(), classify(Classification::StateSecret));
    agency.refused(&second_head(), agreement("D1"), Rule::R19, "clearance");
    agency.done(&head(), stop("D1"));
    agency.pass_days(4000);
    agency.refused(&custodian(), proposal(&ids), Rule::R19, "clearance");
    agency.done(&developer(), proposal(&ids));
    agency.refused(&second_head(), agreement("D2"), Rule::R19, "clearance");
    agency.done(&head(), agreement("D2"));
    agency.done(&auditor(), agreement("D2"));
    agency.pass_days(8);
    agency.refused(&second_head(), order("D2"), Rule::R19, "clearance");
    agency.done(&head(), order("D2"));
}

#[test]
fn r23_a_custodian_proposes_and_who_may_agree_stops_or_orders_within_reach() {
    let (mut agency, ids) = over(1);
    for actor in [
        officer(),
        auxiliary(),
        head(),
        reviewer(),
        auditor(),
        administrator(),
        station(),
        playback(),
        system(),
    ] {
        agency.refused(&actor, proposal(&ids), Rule::R23, "role");
    }
    for actor in [traffic_custodian(), east_custodian(), harbour_custodian()] {
        agency.refused(&actor, proposal(&ids), Rule::R23, "unit");
    }
    agency.proposed(&ids);
    for actor in [officer(), auxiliary(), custodian(), reviewer(), administrator(), system()] {
        agency.refused(&actor, agreement("D1"), Rule::R23, "role");
    }
    for actor in [traffic_head(), harbour_auditor()] {
        agency.refused(&actor, agreement("D1"), Rule::R23, "unit");
        agency.refused(&actor, stop("D1"), Rule::R23, "unit");
        agency.refused(&actor, order("D1"), Rule::R23, "unit");
    }
    for actor in [officer(), auxiliary(), administrator(), system()] {
        agency.refused(&actor, stop("D1"), Rule::R23, "role");
    }
    for actor in [officer(), auxiliary(), custodian(), reviewer(), administrator(), playback()] {
        agency.refused(&actor, order("D1"), Rule::R23, "role");
    }
    for actor in [officer(), custodian(), head(), auditor(), administrator(), developer()] {
        agency.refused(&actor, disposal("D1", ids[0]), Rule::R23, "role");
    }
}

#[test]
fn i8_two_of_different_roles_agree_neither_of_them_the_proposer() {
    let (mut agency, ids) = over(1);
    agency.proposed(&ids);
    let it = disposition_of(agency.done(&head(), agreement("D1")));
    assert_eq!((it.state, it.grace_until), (DispositionState::Proposed, None));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::DispositionApproved, Some(ids[0])));
    assert_eq!(entry.record.as_deref(), Some("disposition/D1"));
    let detail = "disposition D1 agreed to: looked through";
    assert_eq!(entry.detail.as_deref(), Some(detail));
    agency.refused(&head(), agreement("D1"), Rule::I8, "actor");
    agency.refused(&second_head(), agreement("D1"), Rule::I8, "actor");
    let it = disposition_of(agency.done(&auditor(), agreement("D1")));
    let until = agency.clock().settled.plus_days(7);
    assert_eq!((it.state, it.grace_until), (DispositionState::Approved, Some(until)));
    let signs: Vec<&str> = it.approvals.iter().map(|sign| sign.by.as_str()).collect();
    assert_eq!(signs, [head().name, auditor().name]);
    let detail = agency.last_entry().detail.expect("stands");
    assert!(detail.ends_with(&format!("; may be stopped until {until}")), "{detail}");
}

#[test]
fn i8_who_proposed_does_not_agree_in_development_either() {
    let (mut agency, ids) = over(1);
    agency.done(&developer(), proposal(&ids));
    agency.refused(&developer(), agreement("D1"), Rule::I8, "actor");
    agency.done(&head(), agreement("D1"));
    agency.refused(&developer(), agreement("D1"), Rule::I8, "actor");
    agency.done(&auditor(), agreement("D1"));
    let mut agency = over(1).0;
    let ids = vec![id(1)];
    agency.proposed(&ids);
    agency.done(&developer(), agreement("D1"));
    agency.refused(&developer(), agreement("D1"), Rule::I8, "actor");
    // A role of its own.
    agency.done(&head(), agreement("D1"));
}

#[test]
fn i3_only_a_disposition_in_its_place_is_agreed_to_stopped_or_ordered() {
    let (mut agency, ids) = over(1);
    for command in [law(agreement("D1")), law(stop("D1")), law(order("D1"))] {
        let kind = ErrorKind::NotFound;
        agency.fails(&auditor(), command, kind, Rule::I3, "disposition");
    }
    agency.not_found(&system(), disposal("D1", ids[0]), Rule::I3, "disposition");
    agency.proposed(&ids);
    agency.refused(&system(), order("D1"), Rule::I3, "disposition");
    agency.refused(&system(), disposal("D1", ids[0]), Rule::I3, "disposition");
    agency.done(&head(), agreement("D1"));
    agency.refused(&system(), order("D1"), Rule::I3, "disposition");
    agency.done(&auditor(), agreement("D1"));
    agency.refused(&developer(), agreement("D1"), Rule::I3, "disposition");
    agency.refused(&system(), disposal("D1", ids[0]), Rule::I3, "disposition");
    agency.pass_days(8);
    agency.done(&system(), order("D1"));
    agency.refused(&developer(), agreement("D1"), Rule::I3, "disposition");
    agency.refused(&head(), stop("D1"), Rule::I3, "disposition");
    agency.refused(&system(), order("D1"), Rule::I3, "disposition");
    agency.done(&system(), disposal("D1", ids[0]));
    agency.refused(&head(), stop("D1"), Rule::I3, "disposition");
    agency.refused(&system(), order("D1"), Rule::I3, "disposition");
    agency.refused(&system(), disposal("D1", ids[0]), Rule::I3, "disposition");
}

#[test]
fn r26_who_agrees_or_stops_says_why() {
    let (mut agency, ids) = over(1);
    agency.proposed(&ids);
    for (rule, reason) in [(Rule::R26, String::new()), (Rule::I10, "x".repeat(513))] {
        let mut asked = agreement("D1");
        asked.reason.clone_from(&reason);
        agency.refused(&head(), asked, rule, "reason");
        agency.refused(&head(), StopDisposition { reason, ..stop("D1") }, rule, "reason");
    }
}

#[test]
fn i8_a_disposition_is_stopped_until_it_is_ordered_by_whoever_may() {
    for (actor, is_approved) in
        [(custodian(), false), (head(), true), (reviewer(), false), (auditor(), true)]
    {
        let (mut agency, ids) = over(1);
        if is_approved {
            agency.approved(&ids);
        } else {
            agency.proposed(&ids);
        }
        let it = disposition_of(agency.done(&actor, stop("D1")));
        assert_eq!(it.state, DispositionState::Stopped);
        assert_eq!(it.stopped.expect("stopped").by, actor.name);
        let entry = agency.last_entry();
        assert_eq!((entry.act, entry.evidence_id), (Act::DispositionStopped, Some(ids[0])));
        assert_eq!(entry.record.as_deref(), Some("disposition/D1"));
        let detail = "disposition D1 stopped: a complaint came in";
        assert_eq!(entry.detail.as_deref(), Some(detail));
        agency.refused(&actor, stop("D1"), Rule::I3, "disposition");
        agency.refused(&auditor(), order("D1"), Rule::I3, "disposition");
        agency.proposed(&ids);
    }
}

#[test]
fn an_order_is_one_entry_and_one_for_each_item_that_is_to_end() {
    for actor in [system(), developer(), head(), auditor()] {
        let (mut agency, ids) = over(3);
        agency.approved(&ids);
        agency.pass_days(8);
        let size = agency.checkpoint().size;
        let it = disposition_of(agency.done(&actor, order("D1")));
        assert_eq!(it.state, DispositionState::Ordered);
        assert_eq!(it.ordered_at.map(|at| at.0), Some(size));
        assert_eq!(agency.checkpoint().size, size + 4);
        let entries = agency.log().split_off(usize::try_from(size).expect("few"));
        assert_eq!(entries[0].evidence_id, None);
        let detail = "disposition D1: 3 items to end, 0 kept";
        assert_eq!(entries[0].detail.as_deref(), Some(detail));
        for (entry, evidence) in entries[1..].iter().zip(&ids) {
            assert_eq!(entry.evidence_id, Some(*evidence));
            assert_eq!(entry.detail.as_deref(), Some("to end, by disposition D1"));
            let filing = agency.filing(*evidence);
            assert_eq!(filing.disposition.as_deref(), Some("D1"));
            assert_eq!(filing.ordered_at, Some(entry.index));
            assert_eq!(agency.keeping(*evidence).disposition.as_deref(), Some("D1"));
        }
        for entry in &entries {
            assert_eq!(entry.act, Act::DispositionOrdered);
            assert_eq!(entry.record.as_deref(), Some("disposition/D1"));
            assert_eq!(entry.actor, Some(format!("{} ({})", actor.name, actor.role)));
        }
        let mut commitments: Vec<&[u8]> =
            entries.iter().map(|it| &it.leaf[it.leaf.len() - 32..]).collect();
        commitments.sort_unstable();
        commitments.dedup();
        assert_eq!(commitments.len(), 4, "each has a salt of its own");
    }
}

#[test]
fn r11_r10_what_is_held_or_kept_longer_by_then_is_struck_off() {
    let (mut agency, ids) = over(4);
    agency.approved(&ids);
    agency.place_hold(&officer(), HoldReason::Complaint, of_evidence(ids[1]));
    let until = agency.now.plus_days(30);
    let reason = "a suit is likely".to_owned();
    let longer = custos_core::law::ExtendRetention { evidence: ids[2], until, reason };
    agency.done(&custodian(), longer);
    agency.pass_days(8);
    let it = disposition_of(agency.done(&system(), order("D1")));
    assert_eq!(it.state, DispositionState::Ordered);
    let struck: Vec<(EvidenceId, &str)> =
        it.struck.iter().map(|one| (one.evidence, one.why.as_str())).collect();
    let kept = format!("is kept until {until} (extended)");
    assert_eq!(struck, [(ids[1], "is held by H1"), (ids[2], kept.as_str())]);
    assert_eq!(agency.filing(ids[1]).disposition, None);
    agency.refused(&system(), disposal("D1", ids[1]), Rule::I3, "evidence");
    agency.act(&custodian(), crate::world::view(ids[1].as_bytes()[0], 0, 1)).expect("it stands");
    // It may be proposed again once nothing keeps it.
    agency.refused(&custodian(), proposal(&ids[1..2]), Rule::R11, "evidence");
    let reason = "withdrawn".to_owned();
    agency.done(&head(), ReleaseHold { hold: "H1".to_owned(), reason });
    agency.done(&custodian(), proposal(&ids[1..2]));
    let it = disposition_of(agency.done(&system(), disposal("D1", ids[0])));
    assert_eq!(it.state, DispositionState::Ordered);
    let it = disposition_of(agency.done(&system(), disposal("D1", ids[3])));
    assert_eq!((it.state, it.ended), (DispositionState::Done, vec![ids[0], ids[3]]));
}

#[test]
fn r11_a_disposition_of_which_everything_is_struck_off_is_done() {
    let (mut agency, ids) = over(2);
    agency.approved(&ids);
    agency.place_hold(&officer(), HoldReason::Emergency, of_case("C-1"));
    agency.pass_days(8);
    let it = disposition_of(agency.done(&system(), order("D1")));
    assert_eq!((it.state, it.struck.len()), (DispositionState::Done, 2));
    assert!(ids.iter().all(|it| agency.evidence(it.as_bytes()[0]).is_some()));
}

#[test]
fn i3_the_key_and_the_descriptor_end_and_a_tombstone_stays() {
    let (mut agency, ids) = over(2);
    let evidence = ids[0];
    let record = agency.evidence(1).expect("sealed");
    let text = "A text that was written on it".to_owned();
    agency.done(&officer(), AddNote { evidence, text: text.clone(), supersedes: None });
    let place = "A place that it was described by".to_owned();
    let descriptor = Descriptor { place: Some(place.clone()), ..record.descriptor.clone() };
    let reason = "misspelt".to_owned();
    agency.done(&officer(), CorrectDescriptor { evidence, descriptor, reason });
    let relation = RelationKind::DerivedFrom;
    agency.done(&officer(), AddRelation { evidence, relation, to: ids[1] });
    let order_index = {
        agency.ordered(&ids);
        agency.filing(evidence).ordered_at.expect("ordered")
    };
    assert!(holds_bytes(&agency, text.as_bytes()));
    let saved = agency.done(&system(), disposal("D1", evidence));
    let entry = agency.last_entry();
    assert_eq!((entry.act, entry.evidence_id), (Act::Disposed, Some(evidence)));
    assert_eq!(entry.record.as_deref(), Some("disposition/D1"));
    let detail = format!("ended, by disposition D1 and its order in entry {order_index}");
    assert_eq!(entry.detail, Some(detail));
    let it = disposition_of(saved);
    assert_eq!((it.state, it.ended), (DispositionState::Ordered, vec![evidence]));

    let expected = Tombstone {
        evidence,
        size: 1000,
        blake3: record.parts.blake3,
        sha256: record.parts.sha256,
        sealed_at: record.sealed_at,
        seal_index: record.seal_index,
        disposition: "D1".to_owned(),
        order_index,
        ended_at: agency.now,
        end_index: entry.index,
    };
    assert_eq!(tombstone(&agency, evidence), expected);
    assert_eq!(agency.evidence(1), None);
    assert_eq!(agency.record(RecordKind::Filing, &evidence.to_string()), None);
    assert!(agency.history(RecordKind::Filing, &evidence.to_string()).is_empty());
    for gone in [text, place, format!("{evidence}/")] {
        assert!(!holds_bytes(&agency, gone.as_bytes()), "{gone}");
    }
    // The other one stands, and is not listed less.
    assert!(agency.evidence(2).is_some());
    for case in [None, Some("C-1".to_owned())] {
        let asked = Query::ListEvidence { after: None, limit: 10, case, recording: None };
        let Answer::List { items, .. } = query(&agency.kv, &asked) else { panic!("a list") };
        let listed: Vec<EvidenceId> = items.iter().map(|it| it.evidence_id).collect();
        assert_eq!(listed, ids[1..]);
    }
    agency.law_refused(
        LawQuery::Keeping(EvidenceName { evidence }),
        ErrorKind::Refused,
        Rule::I3,
        "evidence",
    );
    agency.law_refused(
        LawQuery::Tombstone(EvidenceName { evidence: ids[1] }),
        ErrorKind::NotFound,
        Rule::I3,
        "evidence",
    );
}

#[test]
fn i3_what_has_ended_leaves_every_listing_and_its_key_is_used_no_more() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let recording = Some("R-1".to_owned());
    let claim = Descriptor { recording: recording.clone(), stage: None, ..photo("C-1") };
    let evidence = agency.put(&station(), claim.clone()).evidence_id;
    agency.pass_days(731);
    let copy = RegisterCopy {
        evidence,
        blake3: parts(1000).blake3,
        medium: "disc 2026-014".to_owned(),
        place: "safe 2".to_owned(),
        reason: "for the court".to_owned(),
    };
    agency.done(&custodian(), copy);
    agency.ended(&[evidence]);
    let asked = Query::ListEvidence { after: None, limit: 10, case: None, recording };
    let Answer::List { items, .. } = query(&agency.kv, &asked) else { panic!("a list") };
    assert!(items.is_empty());
    let listings = |key: &&Vec<u8>| {
        matches!(key[0], 0x20..=0x22) || key.starts_with(&[0x72, 11]) || key[0] == 0x12
    };
    assert_eq!(agency.kv.keys().filter(listings).count(), 0);
    assert!(agency.record(RecordKind::Copy, "X1").is_some(), "where the copy lies stays known");

    let open = crate::world::open(1, claim);
    let done = agency.act(&station(), open);
    assert_refused(done, ErrorKind::Refused, Rule::I3, "upload_key");
    for command in [seal(1, parts(1000)), abort(1)] {
        agency.fails(&station(), command, ErrorKind::Refused, Rule::I3, "evidence_id");
    }
}

#[test]
fn i5_what_was_accepted_and_not_lawfully_ended_is_there_by_the_log_alone() {
    let (mut agency, ids) = over(4);
    agency.of_nobody();
    let (_, open) = agency.next_upload(complete());
    agency.act(&station(), open).expect("opened, and never sealed");
    agency.ended(&ids[..2]);
    agency.ordered(&ids[2..3]);
    let log = agency.log();
    let about = |act: Act| -> BTreeSet<EvidenceId> {
        log.iter().filter(|it| it.act == act).filter_map(|it| it.evidence_id).collect()
    };
    let (accepted, disposed) = (about(Act::Sealed), about(Act::Disposed));
    assert_eq!((accepted.len(), disposed.len()), (5, 2));
    assert!(disposed.is_subset(&accepted) && disposed.is_subset(&about(Act::DispositionOrdered)));
    let asked = Query::ListEvidence { after: None, limit: 100, case: None, recording: None };
    let Answer::List { items, .. } = query(&agency.kv, &asked) else { panic!("a list") };
    let present: BTreeSet<EvidenceId> = items.iter().map(|it| it.evidence_id).collect();
    assert_eq!(present, &accepted - &disposed);
    assert!(disposed.iter().all(|it| tombstone(&agency, *it).evidence == *it));
}

#[test]
fn i3_only_what_its_disposition_ordered_is_ended() {
    let (mut agency, ids) = over(2);
    agency.ordered(&ids[..1]);
    agency.approved(&ids[1..]);
    agency.refused(&system(), disposal("D1", ids[1]), Rule::I3, "evidence");
    agency.not_found(&system(), disposal("D1", id(0xee)), Rule::R6, "evidence");
    agency.pass_days(8);
    agency.done(&system(), order("D2"));
    agency.refused(&system(), disposal("D2", ids[0]), Rule::I3, "evidence");
    agency.done(&system(), disposal("D1", ids[0]));
    agency.refused(&system(), disposal("D2", ids[0]), Rule::I3, "evidence");
    agency.done(&system(), disposal("D2", ids[1]));
}

#[test]
fn r23_nobody_alone_ends_evidence_in_development() {
    let (mut agency, ids) = over(1);
    agency.done(&developer(), proposal(&ids));
    agency.refused(&developer(), order("D1"), Rule::I3, "disposition");
    agency.refused(&developer(), disposal("D1", ids[0]), Rule::R23, "role");
}
