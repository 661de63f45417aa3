//! What holds after every sequence.

use std::collections::BTreeSet;

use custos_core::{
    Act, CustodyEntry, EvidenceId, LogIndex,
    law::{
        CaseName, CaseState, ClockAsked, DispositionState, EvidenceName, GrantState, HistoryPage,
        LawAnswer, LawQuery, ListPage, Record, RecordKind, RecordList, RecordName, Versioned,
    },
};
use custos_ledger::{Answer, MemoryKv, Query};

use crate::{
    reference::{Lack, Life, Model},
    run::{Failure, World, ask, ensure},
};

/// Checks all of them.
pub(crate) fn check(world: &World) -> Result<(), Failure> {
    let (kv, model) = (&world.kv, &world.model);
    check_records(kv, model)?;
    check_lists(kv, model)?;
    check_keeping(kv, model)?;
    check_cases(kv, model)?;
    check_clock(kv, model)?;
    let log = log(kv);
    check_trails(kv, &log)?;
    check_complete(kv, &log)?;
    check_ended(kv, model, &log)
}

fn law(kv: &MemoryKv, asked: LawQuery) -> LawAnswer {
    match ask(kv, &Query::Law(asked)) {
        Answer::Law(answer) => *answer,
        other => panic!("{other:?}"),
    }
}

/// A whole list of the ledger.
fn list(kv: &MemoryKv, list: RecordList, kind: Option<RecordKind>) -> Vec<Versioned> {
    let page = ListPage { list, kind, unit: None, prefix: None, after: None, limit: 1000 };
    match law(kv, LawQuery::List(page)) {
        LawAnswer::Records(page) => {
            assert_eq!(page.next, None, "few enough for a page");
            page.items
        }
        other => panic!("{other:?}"),
    }
}

/// Every record is as the model has it.
fn check_records(kv: &MemoryKv, model: &Model) -> Result<(), Failure> {
    let expected = model.records();
    for kind in RecordKind::ALL {
        let mut is: Vec<Record> =
            list(kv, RecordList::All, Some(*kind)).into_iter().map(|it| it.record).collect();
        is.sort_by(|one, other| one.id().cmp(other.id()));
        let expected: Vec<&Record> = expected.iter().filter(|it| it.kind() == *kind).collect();
        for it in &expected {
            let name = RecordName { kind: *kind, id: it.id().to_owned() };
            let LawAnswer::Records(page) = law(kv, LawQuery::Record(name)) else {
                panic!("another answer");
            };
            let one = page.items.first().map(|it| &it.record);
            ensure(one == Some(*it), &format!("record: {kind}"), || {
                format!("ledger: {one:?}\nmodel: {it:?}")
            })?;
            check_history(kv, &page.items[0])?;
        }
        ensure(is.iter().eq(expected.iter().copied()), &format!("records: {kind}"), || {
            let wrong = is.iter().zip(&expected).find(|(is, expected)| is != *expected);
            let counts = (is.len(), expected.len());
            format!("{counts:?}, first that differs: {wrong:?}")
        })?;
    }
    Ok(())
}

/// Every version of a record is kept, from the first on.
fn check_history(kv: &MemoryKv, now: &Versioned) -> Result<(), Failure> {
    let (kind, id) = (now.record.kind(), now.record.id().to_owned());
    let page = HistoryPage { kind, id, after: 0, limit: 1000 };
    let LawAnswer::Records(page) = law(kv, LawQuery::History(page)) else {
        panic!("another answer");
    };
    // A filing that nobody changed since the sealing is not a version yet.
    let is_first = now.version == 0 && now.record.kind() == RecordKind::Filing;
    if is_first && page.items.is_empty() {
        return Ok(());
    }
    let is_whole = (1..).zip(&page.items).all(|(number, it)| it.version == number)
        && page.items.last() == Some(now)
        && page.items.windows(2).all(|pair| pair[0].log_index < pair[1].log_index);
    ensure(is_whole, &format!("history: {kind}"), || format!("{now:?}\n{:?}", page.items))
}

/// The custody log gives the entries about one record or one evidence item, and no others.
fn check_trails(kv: &MemoryKv, log: &[CustodyEntry]) -> Result<(), Failure> {
    let records: BTreeSet<&String> = log.iter().filter_map(|it| it.record.as_ref()).collect();
    for named in records {
        let expected = log.iter().filter(|it| it.record.as_ref() == Some(named));
        let from = LogIndex(0);
        let record = Some(named.clone());
        let asked = Query::Entries { from, limit: 1000, evidence_id: None, record };
        let Answer::Entries { items, next: None } = ask(kv, &asked) else {
            panic!("few enough for a page");
        };
        ensure(items.iter().eq(expected), "log: the entries about a record", || {
            format!("{named}: {items:?}")
        })?;
    }
    let evidence: BTreeSet<EvidenceId> = log.iter().filter_map(|it| it.evidence_id).collect();
    for id in evidence {
        let expected = log.iter().filter(|it| it.evidence_id == Some(id));
        let from = LogIndex(0);
        let asked = Query::Entries { from, limit: 1000, evidence_id: Some(id), record: None };
        let Answer::Entries { items, next: None } = ask(kv, &asked) else {
            panic!("few enough for a page");
        };
        ensure(items.iter().eq(expected), "log: the entries about evidence", || {
            format!("{id}: {items:?}")
        })?;
    }
    Ok(())
}

/// The lists that are looked at every day hold what the model would put on them.
fn check_lists(kv: &MemoryKv, model: &Model) -> Result<(), Failure> {
    let filings = || model.evidence.keys().filter_map(|id| model.sealed(*id));
    let unfiled = filings().filter(|it| it.filing.case.is_none()).map(|it| &it.filing.id);
    let over = filings().filter(|it| model.is_over(it) && it.filing.disposition.is_none());
    let over = over.map(|it| &it.filing.id);
    let closed = || model.cases.values().filter(|it| it.state == CaseState::Closed);
    let overdue = closed().filter(|it| it.archive_due.is_some_and(|due| due < model.now));
    let standing = model.holds.iter().filter(|it| it.released.is_none());
    let waiting = model.grants.iter().filter(|it| it.state == GrantState::Applied);
    let pending = model
        .dispositions
        .iter()
        .filter(|it| !matches!(it.state, DispositionState::Done | DispositionState::Stopped));
    let lists: [(RecordList, BTreeSet<&String>); 7] = [
        (RecordList::Unfiled, unfiled.collect()),
        (RecordList::RetentionOver, over.collect()),
        (RecordList::ArchiveDue, closed().map(|it| &it.id).collect()),
        (RecordList::ArchiveOverdue, overdue.map(|it| &it.id).collect()),
        (RecordList::HoldsToReview, standing.map(|it| &it.id).collect()),
        (RecordList::ApplicationsWaiting, waiting.map(|it| &it.id).collect()),
        (RecordList::DispositionsPending, pending.map(|it| &it.id).collect()),
    ];
    for (which, expected) in lists {
        let items = list(kv, which, None);
        let is: BTreeSet<&str> = items.iter().map(|it| it.record.id()).collect();
        let is_same = is.iter().copied().eq(expected.iter().map(|id| id.as_str()));
        ensure(is_same && is.len() == items.len(), &format!("list: {which}"), || {
            format!("ledger: {is:?}\nmodel: {expected:?}")
        })?;
    }
    Ok(())
}

/// What keeps each evidence item is what the model says.
fn check_keeping(kv: &MemoryKv, model: &Model) -> Result<(), Failure> {
    for evidence in model.evidence.keys().copied() {
        let Some(sealed) = model.sealed(evidence) else { continue };
        let LawAnswer::Keeping(is) = law(kv, LawQuery::Keeping(EvidenceName { evidence })) else {
            panic!("another answer");
        };
        let expected = model.keep_until(sealed);
        ensure(is.retain_until == expected, "keeping: retain_until", || {
            format!("ledger: {is:?}\nmodel: {expected} {sealed:?}")
        })?;
        ensure(is.retention_over == model.is_over(sealed), "keeping: retention_over", || {
            format!("ledger: {is:?}\nmodel: settled {}", model.settled())
        })?;
        let holds: BTreeSet<&str> = is.holds.iter().map(|it| it.record.id()).collect();
        let expected: BTreeSet<&str> = model.holds_on(evidence).map(|it| it.id.as_str()).collect();
        ensure(holds == expected, "keeping: holds", || {
            format!("ledger: {holds:?}\nmodel: {expected:?} of {:?} on {sealed:?}", model.holds)
        })?;
        ensure(is.disposition == sealed.filing.disposition, "keeping: disposition", || {
            format!("ledger: {is:?}\nmodel: {:?}", sealed.filing)
        })?;
    }
    Ok(())
}

/// The report of each case counts what is filed, and misses what the model misses.
fn check_cases(kv: &MemoryKv, model: &Model) -> Result<(), Failure> {
    for case in model.cases.values() {
        let LawAnswer::Case(is) = law(kv, LawQuery::Case(CaseName { case: case.id.clone() }))
        else {
            panic!("another answer");
        };
        let stages = model.stages_of(case.act_type);
        let counts: Vec<_> =
            stages.iter().map(|stage| (*stage, model.filed_under(&case.id, *stage))).collect();
        let counted: Vec<_> =
            is.stages.iter().map(|it| (it.stage, (it.items, it.audio_visual))).collect();
        ensure(counts == counted, "case: what is filed", || {
            format!("ledger: {is:?}\nmodel: {counts:?}")
        })?;
        let lacks = model.lack_of(case) != Lack::Nothing;
        ensure(lacks != is.missing.is_empty(), "case: what is missing", || {
            format!("ledger: {is:?}\nmodel: {:?}", model.lack_of(case))
        })?;
    }
    Ok(())
}

/// The ledger counts time as the model does.
fn check_clock(kv: &MemoryKv, model: &Model) -> Result<(), Failure> {
    let LawAnswer::Clock(is) = law(kv, LawQuery::Clock(ClockAsked { limit: 0 })) else {
        panic!("another answer");
    };
    let is_same = is.time == model.now
        && is.settled == model.settled()
        && is.unconfirmed_ms == model.unconfirmed_ms
        && is.confirmed_by == model.confirmed_by;
    ensure(is_same, "clock: the state", || {
        let model = (model.now, model.settled(), model.unconfirmed_ms, &model.confirmed_by);
        format!("ledger: {is:?}\nmodel: {model:?}")
    })
}

/// The whole custody log.
fn log(kv: &MemoryKv) -> Vec<CustodyEntry> {
    let mut all = Vec::new();
    let mut from = LogIndex(0);
    loop {
        let asked = Query::Entries { from, limit: 1000, evidence_id: None, record: None };
        let Answer::Entries { items, next } = ask(kv, &asked) else { panic!("another answer") };
        all.extend(items);
        match next {
            Some(next) => from = next,
            None => return all,
        }
    }
}

/// Accepted − lawfully disposed = present (invariant I5), by the custody log alone.
fn check_complete(kv: &MemoryKv, log: &[CustodyEntry]) -> Result<(), Failure> {
    let about = |act: Act| -> BTreeSet<EvidenceId> {
        log.iter().filter(|entry| entry.act == act).filter_map(|entry| entry.evidence_id).collect()
    };
    let (accepted, disposed) = (about(Act::Sealed), about(Act::Disposed));
    let asked = Query::ListEvidence { after: None, limit: 1000, case: None, recording: None };
    let Answer::List { items, resume_after: None } = ask(kv, &asked) else {
        panic!("few enough for a page");
    };
    let present: BTreeSet<EvidenceId> = items.iter().map(|it| it.evidence_id).collect();
    ensure(disposed.is_subset(&accepted), "I5: more ended than was accepted", || {
        format!("{disposed:?} of {accepted:?}")
    })?;
    let rest: BTreeSet<EvidenceId> = accepted.difference(&disposed).copied().collect();
    ensure(rest == present, "I5: the log and the listing differ", || {
        format!("log: {rest:?}\nlisting: {present:?}")
    })
}

/// Nothing ended before its retention (invariant I3) or by less than three persons (I8).
fn check_ended(kv: &MemoryKv, model: &Model, log: &[CustodyEntry]) -> Result<(), Failure> {
    for evidence in model.evidence.values() {
        let Life::Ended(ended) = &evidence.life else { continue };
        let asked = LawQuery::Tombstone(EvidenceName { evidence: evidence.id });
        let LawAnswer::Tombstone(stone) = law(kv, asked) else { panic!("another answer") };
        let of = |index: LogIndex| &log[usize::try_from(index.0).expect("small")];
        let is_right = stone.disposition == ended.disposition
            && stone.sealed_at == ended.record.sealed_at
            && stone.seal_index == ended.record.seal_index
            && stone.blake3 == ended.record.parts.blake3
            && stone.size == ended.record.parts.size
            && Some(stone.order_index) == ended.ordered_at
            && of(stone.order_index).act == Act::DispositionOrdered
            && of(stone.end_index).act == Act::Disposed
            && of(stone.end_index).time == stone.ended_at;
        ensure(is_right, "tombstone", || format!("{stone:?}\nmodel: {ended:?}"))?;
        ensure(
            of(stone.order_index).time >= ended.kept_until && stone.ended_at >= ended.kept_until,
            "I3: ended before its retention",
            || format!("{stone:?}\nmodel: {ended:?}"),
        )?;
        let name = RecordName { kind: RecordKind::Disposition, id: stone.disposition.clone() };
        let LawAnswer::Records(page) = law(kv, LawQuery::Record(name)) else {
            panic!("another answer");
        };
        let Some(Record::Disposition(it)) = page.items.into_iter().map(|it| it.record).next()
        else {
            panic!("no disposition {}", stone.disposition);
        };
        let persons: BTreeSet<&str> =
            it.approvals.iter().chain([&it.proposed]).map(|sign| sign.by.as_str()).collect();
        let roles: BTreeSet<_> = it.approvals.iter().map(|sign| sign.role).collect();
        ensure(
            persons.len() == 3 && roles.len() == 2 && it.approvals.len() == 2,
            "I8: ended by less than three persons of two roles",
            || format!("{it:?}"),
        )?;
    }
    Ok(())
}
