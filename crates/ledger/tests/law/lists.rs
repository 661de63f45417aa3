//! What can be asked of the law: records, their histories, the lists that run the day, reports.

use custos_core::{
    Descriptor, ErrorKind, EvidenceId, EvidenceKind, LogIndex, Rule, Stage, Timestamp,
    law::{
        AddNote, CaseName, ClockAsked, EvidenceFilter, EvidenceName, HistoryPage, HoldReason,
        LawAnswer, LawQuery, ListPage, OpenCase, PlaceHold, Record, RecordKind, RecordList,
        RecordName, RecordPage, Recorder, ReleaseHold, ReopenCase, SetRecorder, SetUnit,
        StopDisposition,
    },
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};
use custos_ledger::{MemoryKv, Query, query as ask};

use crate::{
    agency::{
        Agency, DAY_MS, RECORDER, administrator, application, approval, auditor, custodian,
        descriptor_of, disposal, file_under, head, new_case, new_hold, of_case, officer, proposal,
        recorder_of, traffic_custodian, traffic_officer, unit,
    },
    world::{complete, id, other_station, station},
};

pub(crate) fn page_of(list: RecordList) -> ListPage {
    ListPage { list, kind: None, unit: None, prefix: None, after: None, limit: 0 }
}

fn all_of(kind: RecordKind) -> ListPage {
    ListPage { kind: Some(kind), ..page_of(RecordList::All) }
}

fn list(agency: &Agency, page: ListPage) -> RecordPage {
    match agency.law(LawQuery::List(page)) {
        LawAnswer::Records(page) => page,
        other => panic!("{other:?}"),
    }
}

/// Ids of all that is on a list.
pub(crate) fn ids_of(agency: &Agency, of: RecordList) -> Vec<String> {
    let page = list(agency, page_of(of));
    assert_eq!(page.next, None, "one page takes it");
    page.items.iter().map(|it| it.record.id().to_owned()).collect()
}

/// Asserts what a list is, by pages of every size.
fn assert_listed(agency: &Agency, of: &ListPage, expected: &[&str]) {
    for limit in 1..=expected.len() + 1 {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let limit = u32::try_from(limit).expect("few");
            let page = list(agency, ListPage { limit, after, ..of.clone() });
            assert!(page.items.len() <= usize::try_from(limit).expect("few"));
            found.extend(page.items.iter().map(|it| it.record.id().to_owned()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{of:?} by {limit}");
    }
}

fn of_unit(list: RecordList, unit: &str) -> ListPage {
    ListPage { unit: Some(unit.to_owned()), ..page_of(list) }
}

fn east_case(id: &str) -> OpenCase {
    OpenCase { unit: "market-east".to_owned(), ..new_case(id) }
}

fn traffic_case(id: &str) -> OpenCase {
    OpenCase { unit: "traffic".to_owned(), custodian: traffic_custodian().name, ..new_case(id) }
}

#[test]
fn a_record_is_shown_as_it_is_now_or_not_at_all() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let found = agency.record(RecordKind::Case, "C-1").expect("opened");
    assert_eq!((found.version, found.changed_by.as_str()), (1, "chen.jie (officer)"));
    for (kind, id) in [
        (RecordKind::Case, "C-2"),
        (RecordKind::Case, "C"),
        (RecordKind::Case, ""),
        (RecordKind::Person, "C-1"),
        (RecordKind::Filing, "no id"),
        (RecordKind::Filing, "01900000-0000-7000-8000-000000000000"),
        (RecordKind::Policy, "another"),
        (RecordKind::Hold, "H1"),
        (RecordKind::Note, ""),
    ] {
        assert_eq!(agency.record(kind, id), None, "{kind} {id}");
    }
}

#[test]
fn nothing_can_be_asked_before_the_cluster_began() {
    let kv = MemoryKv::new();
    for asked in [
        LawQuery::Clock(ClockAsked { limit: 0 }),
        LawQuery::List(all_of(RecordKind::Unit)),
        LawQuery::Record(RecordName { kind: RecordKind::Unit, id: "city".to_owned() }),
    ] {
        let refusal = ask(&kv, &Query::Law(asked)).expect_err("refused");
        assert_eq!((refusal.kind, refusal.rule), (ErrorKind::NotFound, Rule::R10));
    }
}

#[test]
fn a_history_is_paged_from_the_oldest_version_on() {
    let mut agency = Agency::new();
    for title in ["b", "c", "d", "e"] {
        let unit =
            custos_core::law::Unit { title: title.to_owned(), ..unit("market", Some("city")) };
        agency.done(&administrator(), SetUnit { unit });
    }
    let page = |after, limit| {
        let asked = HistoryPage { kind: RecordKind::Unit, id: "market".to_owned(), after, limit };
        match agency.law(LawQuery::History(asked)) {
            LawAnswer::Records(page) => {
                (page.items.iter().map(|it| it.version).collect::<Vec<_>>(), page.next)
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(page(0, 0), (vec![1, 2, 3, 4, 5], None));
    assert_eq!(page(0, 2), (vec![1, 2], Some("2".to_owned())));
    assert_eq!(page(2, 2), (vec![3, 4], Some("4".to_owned())));
    assert_eq!(page(4, 2), (vec![5], None));
    assert_eq!(page(0, 5), (vec![1, 2, 3, 4, 5], None));
    assert_eq!(page(5, 2), (vec![], None));
    assert_eq!(page(u32::MAX, 2), (vec![], None));
    // What is named like the beginning of another has its own.
    assert_eq!(agency.history(RecordKind::Unit, "market-east").len(), 1);
    let titles: Vec<String> = agency
        .history(RecordKind::Unit, "market")
        .into_iter()
        .map(|it| match it.record {
            Record::Unit(unit) => unit.title,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(titles, ["Office of market", "b", "c", "d", "e"]);
}

#[test]
fn all_records_of_a_kind_are_listed_in_order_of_id_by_page_prefix_and_unit() {
    let mut agency = Agency::new();
    for case in ["C-2", "C-1", "C-11", "D-1"] {
        agency.open_case(case);
    }
    agency.done(&officer(), east_case("C-3"));
    agency.done(&traffic_officer(), traffic_case("C-4"));
    let cases = all_of(RecordKind::Case);
    assert_listed(&agency, &cases, &["C-1", "C-11", "C-2", "C-3", "C-4", "D-1"]);
    let begun = |prefix: &str| ListPage { prefix: Some(prefix.to_owned()), ..cases.clone() };
    assert_listed(&agency, &begun("C-1"), &["C-1", "C-11"]);
    assert_listed(&agency, &begun("C-11"), &["C-11"]);
    assert_listed(&agency, &begun("E"), &[]);
    assert_listed(&agency, &begun(""), &["C-1", "C-11", "C-2", "C-3", "C-4", "D-1"]);
    let within = |unit: &str| ListPage { unit: Some(unit.to_owned()), ..cases.clone() };
    assert_listed(&agency, &within("market"), &["C-1", "C-11", "C-2", "C-3", "D-1"]);
    assert_listed(&agency, &within("market-east"), &["C-3"]);
    assert_listed(&agency, &within("city"), &["C-1", "C-11", "C-2", "C-3", "C-4", "D-1"]);
    assert_listed(&agency, &within("harbour"), &[]);
    assert_listed(&agency, &within("nowhere"), &[]);
    let both = ListPage { prefix: Some("C-1".to_owned()), ..within("market-east") };
    assert_listed(&agency, &both, &[]);
    let units = all_of(RecordKind::Unit);
    let expected = ["city", "harbour", "market", "market-east", "quay", "traffic"];
    assert_listed(&agency, &units, &expected);
    let stations = all_of(RecordKind::Station);
    assert_listed(&agency, &stations, &["station-7"]);
    let persons = ListPage { unit: Some("market-east".to_owned()), ..all_of(RecordKind::Person) };
    assert_listed(&agency, &persons, &["sun.li", "xu.fei"]);
}

#[test]
fn numbered_records_are_listed_in_order_of_their_numbers() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    for _ in 0..11 {
        agency.place_hold(&officer(), HoldReason::Flight, of_case("C-1"));
    }
    let expected: Vec<String> = (1..=11).map(|number| format!("H{number}")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_listed(&agency, &all_of(RecordKind::Hold), &expected);
    let begun =
        |prefix: &str| ListPage { prefix: Some(prefix.to_owned()), ..all_of(RecordKind::Hold) };
    assert_listed(&agency, &begun("H"), &expected);
    assert_listed(&agency, &begun("H1"), &["H1", "H10", "H11"]);
    assert_listed(&agency, &begun("G"), &[]);
}

#[test]
fn every_evidence_item_has_a_filing_in_the_list_of_all() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let filed = agency.sealed_in_case("C-1").evidence_id;
    let nobodys = agency.of_nobody().evidence_id;
    let unfiled = agency.unfiled().evidence_id;
    let [a, b, c] = [filed, nobodys, unfiled].map(|id| id.to_string());
    let filings = all_of(RecordKind::Filing);
    assert_listed(&agency, &filings, &[&a, &b, &c]);
    let begun = ListPage { prefix: Some(b[..8].to_owned()), ..filings.clone() };
    assert_listed(&agency, &begun, &[&b]);
    let market = ListPage { unit: Some("market".to_owned()), ..filings.clone() };
    assert_listed(&agency, &market, &[&a, &c]);
    let after = Some("no position".to_owned());
    let asked = LawQuery::List(ListPage { after, ..filings });
    agency.law_refused(asked, ErrorKind::Invalid, Rule::I10, "after");
}

#[test]
fn notes_of_one_evidence_item_are_listed_by_its_id() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let one = agency.sealed_in_case("C-1").evidence_id;
    let other = agency.sealed_in_case("C-1").evidence_id;
    for evidence in [one, other, one] {
        let note = AddNote { evidence, text: "seen".to_owned(), supersedes: None };
        agency.done(&officer(), note);
    }
    let of_one = ListPage { prefix: Some(format!("{one}/")), ..all_of(RecordKind::Note) };
    let expected = [format!("{one}/0001"), format!("{one}/0002")];
    assert_listed(&agency, &of_one, &[&expected[0], &expected[1]]);
}

#[test]
fn i10_a_page_has_as_many_items_as_asked_for_within_the_limits() {
    let mut agency = Agency::new();
    for number in 0..PAGE_ITEMS_MAX {
        let asked = unit(&format!("u-{number:04}"), Some("city"));
        agency.act(&administrator(), crate::agency::law(SetUnit { unit: asked })).expect("set");
    }
    let units = |limit| list(&agency, ListPage { limit, ..all_of(RecordKind::Unit) });
    assert_eq!(units(0).items.len(), PAGE_ITEMS_DEFAULT);
    assert_eq!(units(7).items.len(), 7);
    let page = units(u32::MAX);
    assert_eq!(page.items.len(), PAGE_ITEMS_MAX);
    let after = page.next;
    let rest = list(&agency, ListPage { after, ..all_of(RecordKind::Unit) });
    assert_eq!((rest.items.len(), rest.next), (6, None));
}

#[test]
fn i10_a_list_of_all_records_names_their_kind_and_a_page_begins_where_one_ended() {
    let agency = Agency::new();
    let no_kind = LawQuery::List(page_of(RecordList::All));
    agency.law_refused(no_kind, ErrorKind::Invalid, Rule::I10, "kind");
    for of in RecordList::ALL {
        if matches!(of, RecordList::All | RecordList::RecordersSilent) {
            continue;
        }
        let after = Some("no position".to_owned());
        let asked = LawQuery::List(ListPage { after, ..page_of(*of) });
        agency.law_refused(asked, ErrorKind::Invalid, Rule::I10, "after");
    }
}

#[test]
fn r4_unfiled_evidence_is_listed_the_oldest_first_until_it_is_filed() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let market = agency.unfiled().evidence_id;
    let traffic = agency.put(&traffic_officer(), complete()).evidence_id;
    let nobodys = agency.of_nobody().evidence_id;
    agency.sealed_in_case("C-1");
    let [a, b, c] = [market, traffic, nobodys].map(|id| id.to_string());
    let unfiled = page_of(RecordList::Unfiled);
    assert_listed(&agency, &unfiled, &[&a, &b, &c]);
    assert_listed(&agency, &of_unit(RecordList::Unfiled, "market"), &[&a]);
    assert_listed(&agency, &of_unit(RecordList::Unfiled, "city"), &[&a, &b]);
    let page = list(&agency, page_of(RecordList::Unfiled));
    let versions: Vec<u32> = page.items.iter().map(|it| it.version).collect();
    assert_eq!(
        versions,
        [1, 1, 0],
        "one that nothing was ever said about is shown as it was sealed"
    );
    agency.done(&officer(), file_under(nobodys, "C-1", Stage::Review));
    agency.done(&officer(), file_under(market, "C-1", Stage::Review));
    assert_listed(&agency, &unfiled, &[&b]);
}

#[test]
fn r13_closed_cases_are_listed_by_the_day_that_they_are_due() {
    let mut agency = Agency::new();
    for case in ["C-1", "C-2", "C-3"] {
        agency.open_case(case);
    }
    agency.done(&officer(), east_case("C-4"));
    agency.close_case("C-2");
    agency.set_policy(|policy| policy.archive_days = 1);
    agency.close_case("C-3");
    agency.close_case("C-4");
    let due = page_of(RecordList::ArchiveDue);
    assert_listed(&agency, &due, &["C-3", "C-4", "C-2"]);
    assert_listed(&agency, &page_of(RecordList::ArchiveOverdue), &[]);
    assert_listed(&agency, &of_unit(RecordList::ArchiveDue, "market-east"), &["C-4"]);
    agency.pass_days(2);
    assert_listed(&agency, &page_of(RecordList::ArchiveOverdue), &["C-3", "C-4"]);
    assert_listed(&agency, &of_unit(RecordList::ArchiveOverdue, "market-east"), &["C-4"]);
    assert_listed(&agency, &due, &["C-3", "C-4", "C-2"]);
    let reason = "a new witness".to_owned();
    let reopen = ReopenCase { case: "C-3".to_owned(), stage: Stage::Review, reason };
    agency.done(&head(), reopen);
    let despite = Some("nothing was filmed".to_owned());
    let archive = custos_core::law::ArchiveCase { case: "C-4".to_owned(), despite };
    agency.done(&custodian(), archive);
    assert_listed(&agency, &due, &["C-2"]);
    assert_listed(&agency, &page_of(RecordList::ArchiveOverdue), &[]);
}

#[test]
fn r11_holds_that_stand_are_listed_by_the_day_of_their_review() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.done(&traffic_officer(), traffic_case("T-1"));
    for (days, actor, case) in
        [(30, officer(), "C-1"), (10, officer(), "C-1"), (20, traffic_officer(), "T-1")]
    {
        let review_at = Some(agency.now.plus_days(days));
        let asked = PlaceHold { review_at, ..new_hold(HoldReason::Attack, of_case(case)) };
        agency.done(&actor, asked);
    }
    let review = page_of(RecordList::HoldsToReview);
    assert_listed(&agency, &review, &["H2", "H3", "H1"]);
    assert_listed(&agency, &of_unit(RecordList::HoldsToReview, "traffic"), &["H3"]);
    let release = || ReleaseHold { hold: "H2".to_owned(), reason: "settled".to_owned() };
    agency.done(&head(), release());
    assert_listed(&agency, &review, &["H2", "H3", "H1"]);
    agency.done(&auditor(), release());
    assert_listed(&agency, &review, &["H3", "H1"]);
}

#[test]
fn r27_applications_wait_by_the_day_of_their_answer() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let evidence = agency.sealed_in_case("C-1").evidence_id;
    let traffics = agency.put(&traffic_officer(), complete()).evidence_id;
    agency.done(&officer(), application(evidence));
    agency.set_policy(|policy| policy.answer_days = 5);
    agency.done(&officer(), application(evidence));
    agency.done(&officer(), application(traffics));
    let waiting = page_of(RecordList::ApplicationsWaiting);
    assert_listed(&agency, &waiting, &["G2", "G3", "G1"]);
    assert_listed(&agency, &of_unit(RecordList::ApplicationsWaiting, "traffic"), &["G3"]);
    agency.done(&head(), approval("G2"));
    assert_listed(&agency, &waiting, &["G3", "G1"]);
    let refused = custos_core::law::DecideGrant { approve: false, ..approval("G1") };
    agency.done(&head(), refused);
    let reason = "no more needed".to_owned();
    let revoke = custos_core::law::RevokeGrant { grant: "G3".to_owned(), reason };
    agency.done(&officer(), revoke);
    assert_listed(&agency, &waiting, &[]);
}

#[test]
fn i8_dispositions_are_pending_until_they_are_done_or_stopped() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let photo =
        || Descriptor { kind: EvidenceKind::Photo, ..descriptor_of("C-1", Stage::Investigation) };
    let ids: Vec<EvidenceId> =
        (0..3).map(|_| agency.put(&station(), photo()).evidence_id).collect();
    agency.pass_days(366);
    agency.ordered(&ids[..1]);
    agency.approved(&ids[1..2]);
    agency.proposed(&ids[2..]);
    let pending = page_of(RecordList::DispositionsPending);
    assert_listed(&agency, &pending, &["D1", "D2", "D3"]);
    assert_listed(&agency, &of_unit(RecordList::DispositionsPending, "traffic"), &[]);
    assert_listed(
        &agency,
        &of_unit(RecordList::DispositionsPending, "market"),
        &["D1", "D2", "D3"],
    );
    agency.done(&custos_core::Actor::system(), disposal("D1", ids[0]));
    let reason = "a complaint came in".to_owned();
    agency.done(&head(), StopDisposition { disposition: "D2".to_owned(), reason });
    assert_listed(&agency, &pending, &["D3"]);
}

#[test]
fn r17_recorders_in_use_that_nothing_came_from_are_listed() {
    let mut agency = Agency::new();
    let recorder = |id: &str, unit: &str, active| SetRecorder {
        recorder: Recorder { id: id.to_owned(), active, ..recorder_of(unit) },
    };
    agency.done(&administrator(), recorder("BWC-0043", "traffic", true));
    agency.done(&administrator(), recorder("BWC-0044", "market", false));
    let silent = page_of(RecordList::RecordersSilent);
    assert_listed(&agency, &silent, &[]);
    agency.put(&station(), complete());
    let until = agency.now;
    agency.pass_days(6);
    assert_listed(&agency, &silent, &[]);
    agency.put(&station(), complete());
    agency.pass_days(2);
    assert_listed(&agency, &silent, &["BWC-0043"]);
    assert_listed(&agency, &of_unit(RecordList::RecordersSilent, "market"), &[]);
    agency.pass_days(6);
    assert_listed(&agency, &silent, &[RECORDER, "BWC-0043"]);
    agency.put(&station(), complete());
    assert_listed(&agency, &silent, &["BWC-0043"]);
    assert!(agency.now.as_millis() - until.as_millis() > 14 * DAY_MS);
}

#[test]
fn r10_evidence_whose_retention_is_over_is_listed_until_its_end_is_ordered() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let first = agency.sealed_in_case("C-1").evidence_id;
    let kind = EvidenceKind::Photo;
    let photo = Descriptor { kind, ..descriptor_of("C-1", Stage::Investigation) };
    let second = agency.put(&station(), photo).evidence_id;
    let third = agency.of_nobody().evidence_id;
    let over = page_of(RecordList::RetentionOver);
    assert_listed(&agency, &over, &[]);
    let [a, b, c] = [first, second, third].map(|id| id.to_string());
    agency.pass_days(366);
    assert_listed(&agency, &over, &[&b]);
    agency.pass_days(365);
    assert_listed(&agency, &over, &[&a, &b, &c]);
    assert_listed(&agency, &of_unit(RecordList::RetentionOver, "market"), &[&a, &b]);
    agency.ordered(&[first]);
    assert_listed(&agency, &over, &[&b, &c]);
    agency.done(&custos_core::Actor::system(), disposal("D1", first));
    assert_listed(&agency, &over, &[&b, &c]);
    agency.done(&custodian(), proposal(&[second]));
}

#[test]
fn what_keeps_evidence_is_told_whole() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let evidence = record.evidence_id;
    agency.place_hold(&officer(), HoldReason::Flight, of_case("C-1"));
    let place = EvidenceFilter {
        place: Some("Century Avenue 100".to_owned()),
        ..EvidenceFilter::default()
    };
    agency.place_hold(&officer(), HoldReason::Flight, place);
    let keeping = agency.keeping(evidence);
    assert_eq!((keeping.evidence, keeping.retain_until), (evidence, record.retain_until));
    assert!(!keeping.retention_over);
    let held: Vec<&str> = keeping.holds.iter().map(|it| it.record.id()).collect();
    assert_eq!(held, ["H1", "H2"]);
    assert_eq!(keeping.disposition, None);
    let name = |evidence| LawQuery::Keeping(EvidenceName { evidence });
    agency.law_refused(name(id(0xee)), ErrorKind::NotFound, Rule::R6, "evidence");
    let (number, open) = agency.next_upload(complete());
    agency.act(&other_station(), open).expect("opened");
    agency.law_refused(name(id(number)), ErrorKind::Refused, Rule::R6, "evidence");
}

#[test]
fn what_is_not_there_has_no_report_and_no_tombstone() {
    let mut agency = Agency::new();
    let case = LawQuery::Case(CaseName { case: "C-9".to_owned() });
    agency.law_refused(case, ErrorKind::NotFound, Rule::R1, "case");
    let evidence = agency.unfiled().evidence_id;
    for evidence in [evidence, id(0xee)] {
        let asked = LawQuery::Tombstone(EvidenceName { evidence });
        agency.law_refused(asked, ErrorKind::NotFound, Rule::I3, "evidence");
    }
}

#[test]
fn the_clock_is_told_with_what_of_it_is_not_confirmed() {
    let mut agency = Agency::new();
    let clock = agency.clock();
    assert_eq!((clock.time, clock.settled, clock.unconfirmed_ms), (agency.now, agency.now, 0));
    assert_eq!(clock.confirmed_by, None);
    let before = agency.now;
    agency.now = Timestamp::from_millis(before.as_millis() + DAY_MS);
    agency.confirm_clock(&auditor()).expect("the first");
    let clock = agency.clock();
    assert_eq!((clock.time, clock.settled), (agency.now, before));
    assert_eq!(clock.unconfirmed_ms, DAY_MS + 1000);
    assert_eq!(clock.confirmed_by.map(|sign| sign.by), Some(auditor().name));
}

#[test]
fn i4_the_entries_about_a_record_are_found_by_its_name() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.open_case("C-11");
    agency.close_case("C-1");
    agency.refused(&officer(), crate::agency::move_case("C-1", Stage::Review), Rule::R13, "case");
    let acts: Vec<String> =
        agency.entries_of("case/C-1").iter().map(|it| it.act.to_string()).collect();
    assert_eq!(acts, ["case-opened", "case-closed", "refused"]);
    assert_eq!(agency.entries_of("case/C-11").len(), 1);
    assert!(agency.entries_of("case/C").is_empty());
    assert!(agency.entries_of("").is_empty());
    let first = agency.entries_of("case/C-1")[0].index;
    let asked = Query::Entries {
        from: LogIndex(first.0 + 1),
        limit: 1,
        evidence_id: None,
        record: Some("case/C-1".to_owned()),
    };
    let custos_ledger::Answer::Entries { items, next } = crate::world::query(&agency.kv, &asked)
    else {
        panic!("entries");
    };
    assert_eq!(items[0].act.to_string(), "case-closed");
    assert_eq!(next, Some(agency.last_entry().index));
}
