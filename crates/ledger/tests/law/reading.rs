//! Who reads what is on record: the right to, how far it reaches, clearance (rules R19, R23, R26).

use custos_core::{
    Act, Actor, Descriptor, EvidenceId, EvidenceKind, EvidenceRecord, LogIndex, Refusal, Role,
    Rule, Stage,
    law::{
        AddNote, CaseName, Classification, ClassifyEvidence, EvidenceName, HistoryPage, HoldReason,
        LawAnswer, LawQuery, ListPage, OpenCase, Person, Record, RecordKind, RecordList,
        RecordName, SetPerson,
    },
};
use custos_ledger::{Answer, Query, query};

use crate::{
    agency::{
        Agency, administrator, auditor, auxiliary, custodian, descriptor_of, east_officer,
        file_under, harbour_administrator, harbour_auditor, harbour_custodian, harbour_head,
        harbour_officer, head, new_case, of_case, officer, person, playback, reviewer,
        second_officer, station_of, traffic_officer,
    },
    world::{complete, developer, id, open, other_station, station},
};

fn ask(agency: &Agency, reader: &Actor, asked: Query) -> Result<Answer, Refusal> {
    query(&agency.kv, &Query::By { reader: reader.clone(), query: Box::new(asked) })
}

fn law(agency: &Agency, reader: &Actor, asked: LawQuery) -> Result<LawAnswer, Refusal> {
    match ask(agency, reader, Query::Law(asked))? {
        Answer::Law(answer) => Ok(*answer),
        other => panic!("{other:?}"),
    }
}

fn record_of(kind: RecordKind, id: &str) -> LawQuery {
    LawQuery::Record(RecordName { kind, id: id.to_owned() })
}

fn all_of(kind: RecordKind) -> ListPage {
    ListPage {
        list: RecordList::All,
        kind: Some(kind),
        unit: None,
        prefix: None,
        after: None,
        limit: 1000,
    }
}

/// Ids of a list, over all of its pages of `limit`.
fn listed(agency: &Agency, reader: &Actor, asked: ListPage, limit: u32) -> Vec<String> {
    let mut ids = Vec::new();
    let mut asked = ListPage { limit, ..asked };
    loop {
        let page = match law(agency, reader, LawQuery::List(asked.clone())) {
            Ok(LawAnswer::Records(page)) => page,
            other => panic!("{other:?}"),
        };
        ids.extend(page.items.iter().map(|it| it.record.id().to_owned()));
        asked.after = page.next;
        if asked.after.is_none() {
            return ids;
        }
    }
}

/// Evidence that a reader's catalogue shows, over all of its pages of `limit`.
fn catalogue(agency: &Agency, reader: &Actor, limit: usize) -> Vec<EvidenceId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let asked = Query::ListEvidence { after, limit, case: None, recording: None };
        match ask(agency, reader, asked).expect("a page") {
            Answer::List { items, resume_after } => {
                ids.extend(items.iter().map(|it| it.evidence_id));
                after = resume_after;
            }
            other => panic!("{other:?}"),
        }
        if after.is_none() {
            return ids;
        }
    }
}

#[track_caller]
fn reads(agency: &Agency, reader: &Actor, record: &EvidenceRecord) {
    let asked = Query::Evidence(record.evidence_id);
    let answer = ask(agency, reader, asked);
    assert_eq!(answer, Ok(Answer::Evidence(Some(Box::new(record.clone())))), "{reader:?}");
}

#[track_caller]
fn no<T: std::fmt::Debug>(answer: Result<T, Refusal>, rule: Rule, field: &str) {
    let refusal = answer.expect_err("is not for them to read");
    assert_eq!((refusal.rule, refusal.field.as_str()), (rule, field), "{refusal}");
}

/// Everything that is asked about one item of evidence.
fn about(evidence: EvidenceId) -> Vec<Query> {
    let name = evidence.to_string();
    let history = HistoryPage { kind: RecordKind::Filing, id: name.clone(), after: 0, limit: 0 };
    vec![
        Query::Evidence(evidence),
        Query::Law(record_of(RecordKind::Filing, &name)),
        Query::Law(record_of(RecordKind::Note, &format!("{name}/0001"))),
        Query::Law(LawQuery::History(history)),
        Query::Law(LawQuery::Keeping(EvidenceName { evidence })),
    ]
}

fn note(agency: &mut Agency, evidence: EvidenceId) {
    let note = AddNote { evidence, text: "a child is seen".to_owned(), supersedes: None };
    agency.done(&developer(), note);
}

#[test]
fn r23_the_records_of_another_agency_are_not_read() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    note(&mut agency, record.evidence_id);
    let hold = agency.place_hold(&officer(), HoldReason::Complaint, of_case("C-1")).id;
    let ours =
        [officer(), second_officer(), auxiliary(), custodian(), head(), reviewer(), auditor()];
    let elsewhere = [traffic_officer(), administrator(), harbour_administrator(), playback()];
    for reader in ours.iter().chain(&elsewhere).chain([&developer(), &Actor::system()]) {
        for asked in about(record.evidence_id) {
            ask(&agency, reader, asked).unwrap_or_else(|refusal| panic!("{reader:?}: {refusal}"));
        }
        assert_eq!(catalogue(&agency, reader, 0), [record.evidence_id], "{reader:?}");
        for (kind, id) in [(RecordKind::Case, "C-1"), (RecordKind::Hold, hold.as_str())] {
            law(&agency, reader, record_of(kind, id)).expect("is read");
        }
    }
    for reader in [harbour_officer(), harbour_custodian(), harbour_head(), harbour_auditor()] {
        for asked in about(record.evidence_id) {
            no(ask(&agency, &reader, asked), Rule::R23, "unit");
        }
        for (kind, id) in [
            (RecordKind::Case, "C-1"),
            (RecordKind::Hold, hold.as_str()),
            (RecordKind::Unit, "market"),
            (RecordKind::Person, officer().name.as_str()),
            (RecordKind::Station, station().name.as_str()),
            (RecordKind::Recorder, crate::agency::RECORDER),
        ] {
            no(law(&agency, &reader, record_of(kind, id)), Rule::R23, "unit");
        }
        let case = CaseName { case: "C-1".to_owned() };
        no(law(&agency, &reader, LawQuery::Case(case)), Rule::R23, "unit");
        assert_eq!(catalogue(&agency, &reader, 0), [], "{reader:?}");
        assert_eq!(listed(&agency, &reader, all_of(RecordKind::Case), 0), [""; 0]);
        let units = listed(&agency, &reader, all_of(RecordKind::Unit), 0);
        assert_eq!(units, ["harbour", "quay"], "{reader:?}");
        // What binds everybody is read by everybody.
        law(&agency, &reader, record_of(RecordKind::Policy, "policy")).expect("is read");
    }
}

#[test]
fn r23_an_auxiliary_reads_what_is_of_the_own_unit_and_of_the_own_work() {
    let mut agency = Agency::new();
    agency.done(
        &developer(),
        OpenCase {
            unit: "traffic".to_owned(),
            officers: vec![],
            custodian: crate::agency::traffic_custodian().name,
            ..new_case("T-1")
        },
    );
    let theirs = agency.put(&developer(), descriptor_of("T-1", Stage::Investigation));
    for asked in about(theirs.evidence_id).into_iter().take(2) {
        no(ask(&agency, &auxiliary(), asked), Rule::R23, "unit");
    }
    reads(&agency, &officer(), &theirs);
    let own = agency.put(&auxiliary(), Descriptor::of_kind(EvidenceKind::Photo));
    let evidence = own.evidence_id;
    agency.done(&developer(), file_under(evidence, "T-1", Stage::Investigation));
    assert_eq!(agency.filing(evidence).unit.as_deref(), Some("traffic"));
    reads(&agency, &auxiliary(), &own);
}

#[test]
fn r19_what_is_above_ones_clearance_is_not_read() {
    let mut agency = Agency::new();
    let to = Classification::TradeSecret;
    agency.open_case("C-1");
    let secret = OpenCase { classification: to, ..new_case("C-2") };
    agency.done(&head(), secret);
    // By its case, and by itself.
    let of_case = agency.sealed_in_case("C-2");
    let raised = agency.sealed_in_case("C-1");
    note(&mut agency, of_case.evidence_id);
    note(&mut agency, raised.evidence_id);
    let plain = agency.sealed_in_case("C-1");
    let evidence = raised.evidence_id;
    let reason = "what the firm makes is seen".to_owned();
    agency.done(&head(), ClassifyEvidence { evidence, to, reason });
    for reader in [head(), custodian(), reviewer(), auditor(), playback(), developer()] {
        reads(&agency, &reader, &of_case);
        reads(&agency, &reader, &raised);
    }
    // Also of one's own work, and whoever keeps the registers.
    for reader in [officer(), auxiliary(), traffic_officer(), administrator()] {
        for record in [&of_case, &raised] {
            for asked in about(record.evidence_id) {
                no(ask(&agency, &reader, asked), Rule::R19, "clearance");
            }
        }
        no(law(&agency, &reader, record_of(RecordKind::Case, "C-2")), Rule::R19, "clearance");
        let case = CaseName { case: "C-2".to_owned() };
        no(law(&agency, &reader, LawQuery::Case(case)), Rule::R19, "clearance");
        // Pages pass over what is not shown, whatever their size.
        for limit in [0, 1, 2, 3] {
            let limit_of_list = u32::try_from(limit).expect("small");
            assert_eq!(catalogue(&agency, &reader, limit), [plain.evidence_id], "{reader:?}");
            let cases = listed(&agency, &reader, all_of(RecordKind::Case), limit_of_list);
            assert_eq!(cases, ["C-1"], "{reader:?}");
            let filings = listed(&agency, &reader, all_of(RecordKind::Filing), limit_of_list);
            assert_eq!(filings, [plain.evidence_id.to_string()], "{reader:?}");
        }
    }
}

#[test]
fn r19_a_page_ends_with_what_is_shown_and_names_nothing_that_is_hidden() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let secret = OpenCase { classification: Classification::StateSecret, ..new_case("C-2") };
    agency.done(&head(), secret);
    let shown = agency.sealed_in_case("C-1").evidence_id;
    let hidden = agency.sealed_in_case("C-2").evidence_id;
    let asked = |after| Query::ListEvidence { after, limit: 1, case: None, recording: None };
    let page = ask(&agency, &officer(), asked(None)).expect("a page");
    let Answer::List { items, resume_after } = page else { panic!("{page:?}") };
    assert_eq!((items[0].evidence_id, resume_after), (shown, Some(shown)));
    let page = ask(&agency, &officer(), asked(resume_after)).expect("a page");
    assert_eq!(page, Answer::List { items: Vec::new(), resume_after: None });
    let asked = LawQuery::List(ListPage { limit: 1, ..all_of(RecordKind::Case) });
    let Ok(LawAnswer::Records(page)) = law(&agency, &officer(), asked) else { panic!("a page") };
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("C-1")));
    assert_eq!(catalogue(&agency, &head(), 1), [shown, hidden]);
}

#[test]
fn r23_a_station_reads_what_it_put_and_nothing_else() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let own = agency.sealed_in_case("C-1");
    let other = agency.put(&other_station(), complete());
    reads(&agency, &station(), &own);
    reads(&agency, &other_station(), &other);
    no(ask(&agency, &station(), Query::Evidence(other.evidence_id)), Rule::R23, "role");
    assert_eq!(catalogue(&agency, &station(), 1), [own.evidence_id]);
    note(&mut agency, own.evidence_id);
    for asked in about(own.evidence_id).into_iter().skip(1) {
        no(ask(&agency, &station(), asked), Rule::R23, "role");
    }
    for (kind, id) in [(RecordKind::Case, "C-1"), (RecordKind::Person, "chen.jie")] {
        no(law(&agency, &station(), record_of(kind, id)), Rule::R23, "role");
    }
    let people = LawQuery::List(all_of(RecordKind::Person));
    no(law(&agency, &station(), people), Rule::R23, "role");
}

#[test]
fn r26_who_is_not_on_the_register_or_may_not_act_reads_nothing() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let stranger = Actor { name: "no.body".to_owned(), role: Role::Auditor, fingerprint: [1; 32] };
    let impostor = Actor { role: Role::Auditor, ..officer() };
    agency.done(
        &administrator(),
        SetPerson { person: Person { active: false, ..person(&reviewer()) } },
    );
    let idle = custos_core::law::SetStation {
        station: custos_core::law::Station { active: false, ..station_of("market") },
    };
    agency.done(&administrator(), idle);
    for reader in [stranger, impostor, reviewer(), station()] {
        for asked in about(record.evidence_id) {
            no(ask(&agency, &reader, asked), Rule::R26, "actor");
        }
        let asked = Query::Entries { from: LogIndex(0), limit: 0, evidence_id: None, record: None };
        no(ask(&agency, &reader, asked), Rule::R26, "actor");
    }
}

/// The whole custody log as somebody reads it.
fn log_of(agency: &Agency, reader: &Actor) -> Vec<custos_core::CustodyEntry> {
    let asked = Query::Entries { from: LogIndex(0), limit: 1000, evidence_id: None, record: None };
    match ask(agency, reader, asked).expect("entries") {
        Answer::Entries { items, next: None } => items,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r19_r23_the_log_proves_everything_to_everybody_and_tells_what_may_be_read() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    let record = agency.sealed_in_case("C-1");
    let evidence = record.evidence_id;
    let (to, reason) = (Classification::StateSecret, "by decree".to_owned());
    agency.done(&officer(), AddNote { evidence, text: "mine".to_owned(), supersedes: None });
    agency.done(&head(), ClassifyEvidence { evidence, to, reason });
    agency.place_hold(&head(), HoldReason::Complaint, of_case("C-1"));
    let whole = agency.log();
    for reader in [developer(), playback(), Actor::system()] {
        assert!(log_of(&agency, &reader) == whole, "{reader:?}");
    }
    let of_evidence = |log: Vec<custos_core::CustodyEntry>| {
        log.into_iter().filter(|it| it.evidence_id.is_some()).collect::<Vec<_>>()
    };
    for reader in [auditor(), head()] {
        let shown = of_evidence(log_of(&agency, &reader));
        assert!(shown == of_evidence(whole.clone()), "{reader:?}");
    }
    for reader in [officer(), custodian(), harbour_auditor(), station(), traffic_officer()] {
        let shown = log_of(&agency, &reader);
        assert_eq!(shown.len(), whole.len());
        let name = format!("{} ({})", reader.name, reader.role);
        let reads_cases = [officer(), custodian(), traffic_officer()].contains(&reader);
        for (shown, whole) in shown.iter().zip(&whole) {
            assert_eq!(
                (shown.index, &shown.leaf, shown.act),
                (whole.index, &whole.leaf, whole.act)
            );
            assert_eq!((shown.evidence_id, &shown.record), (whole.evidence_id, &whole.record));
            let is_told = whole.actor.as_ref() == Some(&name)
                || (whole.evidence_id.is_none()
                    && reads_cases
                    && whole.record.as_deref().is_some_and(|it| it.starts_with("case/")));
            let is_secret = whole.evidence_id == Some(evidence) && !is_told;
            if is_told {
                assert_eq!((&shown.actor, &shown.detail), (&whole.actor, &whole.detail));
            }
            if is_secret {
                assert_eq!((&shown.actor, &shown.detail), (&None, &None), "{reader:?}: {whole:?}");
            }
        }
        let about = |it: &&custos_core::CustodyEntry| it.record.as_deref() == Some("case/C-1");
        let case = shown.iter().find(about).expect("an entry");
        assert_eq!(case.detail.is_some(), reads_cases, "{reader:?}");
    }
}

#[test]
fn r19_what_is_said_of_evidence_that_has_ended_is_as_secret_as_it_was() {
    let mut agency = Agency::new();
    let evidence = agency.over("C-1").evidence_id;
    let (to, reason) = (Classification::Privacy, "a minor is seen".to_owned());
    agency.done(&head(), ClassifyEvidence { evidence, to, reason });
    agency.pass_days(731);
    agency.ended(&[evidence]);
    let said = |reader: &Actor| {
        let entries = log_of(&agency, reader);
        let mut of = entries.into_iter().filter(|it| it.evidence_id == Some(evidence));
        of.find(|it| it.act == Act::Classified).expect("an entry").detail
    };
    for reader in [officer(), custodian(), traffic_officer(), auditor()] {
        assert!(said(&reader).is_some(), "{reader:?}");
    }
    for reader in [east_officer(), administrator(), harbour_auditor(), other_station()] {
        assert_eq!(said(&reader), None, "{reader:?}");
    }
    // What proves the lawful end is everybody's.
    let asked = LawQuery::Tombstone(EvidenceName { evidence });
    law(&agency, &harbour_auditor(), asked).expect("is read");
}

#[test]
fn r23_the_history_of_a_record_is_asked_for_by_its_own_id() {
    let mut agency = Agency::new();
    let secret = OpenCase { classification: Classification::TradeSecret, ..new_case("C-2") };
    agency.done(&head(), secret);
    for number in 1..4 {
        let update = crate::cases::update("C-2");
        let title = Some(format!("stall {number}"));
        agency.done(&head(), custos_core::law::UpdateCase { title, ..update });
    }
    // Zeros after an id are the first bytes of a version's number.
    for id in ["C-2\0\0\0", "C-2\0", "C-2\0\0\0\0", "C-2\0\0\0\0\u{1}"] {
        let asked =
            || HistoryPage { kind: RecordKind::Case, id: id.to_owned(), after: 0, limit: 0 };
        for reader in [harbour_officer(), officer(), station(), developer()] {
            let found = law(&agency, &reader, LawQuery::History(asked()));
            let Ok(LawAnswer::Records(page)) = found else { panic!("{found:?}") };
            assert!(page.items.is_empty(), "{reader:?}");
        }
    }
}

#[test]
fn r23_what_the_log_says_of_persons_and_attempts_is_of_their_agency() {
    let mut agency = Agency::new();
    let newcomer = Person { id: "new.comer".to_owned(), ..person(&reviewer()) };
    agency.done(&administrator(), SetPerson { person: newcomer });
    let told = |agency: &Agency, reader: &Actor, index: LogIndex| {
        let log = log_of(agency, reader);
        log.into_iter().find(|it| it.index == index).expect("an entry").detail.is_some()
    };
    let index = agency.last_entry().index;
    // Refused, about what is not there.
    let unknown = custos_core::law::CloseCase { case: "C-9".to_owned(), reason: "r".to_owned() };
    agency.not_found(&officer(), unknown, Rule::R1, "case");
    let attempt = agency.last_entry().index;
    let absent = AddNote { evidence: id(99), text: "n".to_owned(), supersedes: None };
    agency.not_found(&officer(), absent, Rule::R6, "evidence");
    let on_evidence = agency.last_entry().index;
    for index in [index, attempt, on_evidence] {
        for reader in [auditor(), custodian(), traffic_officer(), administrator(), developer()] {
            assert!(told(&agency, &reader, index), "{reader:?}");
        }
        for reader in [harbour_auditor(), harbour_officer(), station()] {
            assert!(!told(&agency, &reader, index), "{reader:?}");
        }
    }
    // Which entries are about a person is told to who may read of the person.
    let of = |name: String| Query::Entries {
        from: LogIndex(0),
        limit: 0,
        evidence_id: None,
        record: Some(format!("person/{name}")),
    };
    let found = ask(&agency, &auditor(), of(officer().name)).expect("is read");
    assert!(matches!(found, Answer::Entries { items, .. } if items.len() == 1));
    no(ask(&agency, &harbour_auditor(), of(officer().name)), Rule::R23, "unit");
    no(ask(&agency, &station(), of(officer().name)), Rule::R23, "role");
    no(ask(&agency, &harbour_auditor(), of("who.ever".to_owned())), Rule::R23, "unit");
    no(ask(&agency, &station(), of(format!("{}\0", officer().name))), Rule::R26, "record");
}

#[test]
fn r23_who_opened_an_upload_is_told_in_the_agency() {
    let mut agency = Agency::new();
    agency.act(&station(), open(1, complete())).expect("opened");
    let opened = agency.last_entry().index;
    agency.act(&station(), open(2, complete())).expect("opened");
    let reason = "no such clip".to_owned();
    let abort = custos_ledger::Command::AbortUpload { evidence_id: id(2), reason };
    agency.act(&station(), abort).expect("given up");
    let given_up = agency.last_entry().index;
    for index in [opened, given_up] {
        let told = |reader: &Actor| {
            let log = log_of(&agency, reader);
            log.into_iter().find(|it| it.index == index).expect("an entry").actor.is_some()
        };
        for reader in [station(), officer(), auditor()] {
            assert!(told(&reader), "{reader:?}");
        }
        for reader in [harbour_officer(), harbour_auditor(), other_station()] {
            assert!(!told(&reader), "{reader:?}");
        }
    }
}

#[test]
fn r23_a_hold_is_shown_in_its_agency_also_where_it_is_over_what_belongs_to_nobody() {
    let mut agency = Agency::new();
    let evidence = agency.of_nobody().evidence_id;
    let filter =
        custos_core::law::EvidenceFilter { kind: Some(EvidenceKind::Photo), ..Default::default() };
    agency.place_hold(&auditor(), HoldReason::Complaint, filter);
    let holds = |reader: &Actor| {
        let asked = LawQuery::Keeping(EvidenceName { evidence });
        match law(&agency, reader, asked) {
            Ok(LawAnswer::Keeping(keeping)) => keeping.holds.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((holds(&officer()), holds(&harbour_officer())), (1, 0));
}

#[test]
fn r23_the_evidence_of_a_case_is_listed_to_who_may_read_the_case() {
    let mut agency = Agency::new();
    agency.open_case("C-1");
    agency.sealed_in_case("C-1");
    let asked = || Query::ListEvidence {
        after: None,
        limit: 1,
        case: Some("C-1".to_owned()),
        recording: None,
    };
    ask(&agency, &officer(), asked()).expect("is read");
    no(ask(&agency, &harbour_officer(), asked()), Rule::R23, "unit");
    no(ask(&agency, &station(), asked()), Rule::R23, "role");
}

#[test]
fn r23_an_upload_is_asked_for_by_nobody_but_the_store() {
    let mut agency = Agency::new();
    agency.act(&station(), open(1, complete())).expect("opened");
    for reader in [station(), developer(), auditor()] {
        no(ask(&agency, &reader, Query::Upload(id(1))), Rule::R23, "query");
        let twice = Query::By { reader: developer(), query: Box::new(Query::Checkpoint) };
        no(ask(&agency, &reader, twice), Rule::R23, "query");
        ask(&agency, &reader, Query::Checkpoint).expect("everybody's");
    }
}

#[test]
fn r23_who_keeps_the_registers_reads_them_everywhere() {
    let agency = Agency::new();
    for reader in [administrator(), harbour_administrator(), developer()] {
        let units = listed(&agency, &reader, all_of(RecordKind::Unit), 2);
        assert_eq!(units.len(), crate::agency::UNITS.len(), "{reader:?}");
        let people = listed(&agency, &reader, all_of(RecordKind::Person), 7);
        assert_eq!(people.len(), crate::agency::people().len(), "{reader:?}");
        let found = law(&agency, &reader, record_of(RecordKind::Person, "deng.chao"));
        let Ok(LawAnswer::Records(page)) = found else { panic!("{found:?}") };
        assert!(matches!(page.items[0].record, Record::Person(_)));
    }
}
