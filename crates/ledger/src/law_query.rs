//! Reads of the law: records, their histories, the lists that run the day, and reports.

use custos_core::{
    EvidenceId, EvidenceRecord, Refusal, Rule, Timestamp,
    law::{
        ClockState, LawAnswer, LawQuery, ListPage, Record, RecordKind, RecordList, RecordPage,
        Versioned,
    },
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;

use crate::{
    KvRead, Policy,
    law::{
        acting::{filing_of, find_case, is_within, sealed},
        case_report, keeping, policy,
        reading::{Reader, unit_of_record},
    },
    stored::{
        clock, cluster,
        evidence::{self, Life},
        law_index::{self, Order},
        law_record, listing, recorder_seen,
    },
};

/// Records that are looked at for one page at most, whatever of them belongs on it: a page may then
/// be short, or empty, and have a next one.
pub(crate) const LOOKED_AT_MAX: usize = 10_000;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Answers whoever reads, or whoever may read everything.
pub(crate) fn answer(
    kv: &impl KvRead,
    query: &LawQuery,
    reader: Option<&Reader<'_>>,
) -> Result<LawAnswer, Refusal> {
    let check = |found: Option<&Versioned>| match (found, reader) {
        (Some(found), Some(reader)) => reader.check_record(kv, &found.record),
        _ => Ok(()),
    };
    let Some(cluster) = cluster::load(kv) else {
        return Err(Refusal::not_found(Rule::R10, "cluster", "the cluster has not begun"));
    };
    let genesis = cluster.policy;
    Ok(match query {
        LawQuery::Record(name) => {
            let found = record(kv, &genesis, name.kind, &name.id);
            check(found.as_ref())?;
            LawAnswer::Records(whole(found))
        }
        LawQuery::History(page) => {
            check(record(kv, &genesis, page.kind, &page.id).as_ref())?;
            let limit = page_items(page.limit);
            let mut items = law_record::history(kv, page.kind, &page.id, page.after, limit + 1);
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).map(|last| last.version.to_string());
            LawAnswer::Records(RecordPage { items, next })
        }
        LawQuery::List(page) => LawAnswer::Records(list(kv, &genesis, page, reader)?),
        LawQuery::Keeping(name) => {
            let record = sealed(kv, name.evidence)?;
            reader.map_or(Ok(()), |reader| reader.check_evidence_id(kv, name.evidence))?;
            let filing = filing_of(kv, &record);
            let settled = clock::load(kv).expect("the clock began with the cluster").settled();
            let mut keeping = keeping::report(kv, &genesis, &record, &filing, settled);
            // Other agencies' holds on what belongs to nobody are theirs to know of.
            keeping.holds.retain(|hold| check(Some(hold)).is_ok());
            LawAnswer::Keeping(keeping)
        }
        LawQuery::Case(name) => match find_case(kv, &name.case) {
            Some(case) => {
                check(law_record::load(kv, RecordKind::Case, &name.case).as_ref())?;
                let (_, policy) = policy::current(kv, &genesis);
                LawAnswer::Case(case_report::report(kv, &policy, &case))
            }
            None => {
                let reason = format!("there is no case {:?}", name.case);
                return Err(Refusal::not_found(Rule::R1, "case", reason));
            }
        },
        LawQuery::Clock(_) => {
            let clock = clock::load(kv).expect("the clock began with the cluster");
            LawAnswer::Clock(ClockState {
                time: clock.time,
                settled: clock.settled(),
                unconfirmed_ms: clock.unconfirmed_ms,
                confirmed_by: clock.confirmed_by,
            })
        }
        LawQuery::Tombstone(name) => match evidence::load(kv, name.evidence) {
            Some(Life::Ended(ended)) => LawAnswer::Tombstone(ended.tombstone),
            _ => {
                let reason = format!("{} has not ended", name.evidence);
                return Err(Refusal::not_found(Rule::I3, "evidence", reason));
            }
        },
    })
}

fn page_items(limit: u32) -> usize {
    match usize::try_from(limit) {
        Ok(0) => PAGE_ITEMS_DEFAULT,
        Ok(limit) => limit.min(PAGE_ITEMS_MAX),
        Err(_) => PAGE_ITEMS_MAX,
    }
}

fn whole(found: Option<Versioned>) -> RecordPage {
    RecordPage { items: found.into_iter().collect(), next: None }
}

/// A record as it is now; what nobody ever changed is there too.
fn record(kv: &impl KvRead, genesis: &Policy, kind: RecordKind, id: &str) -> Option<Versioned> {
    if let Some(found) = law_record::load(kv, kind, id) {
        return Some(found);
    }
    match kind {
        RecordKind::Filing => {
            let record = sealed(kv, id.parse().ok()?).ok()?;
            Some(as_sealed(kv, &record))
        }
        RecordKind::Policy if id == custos_core::law::LawPolicy::ID => {
            let (version, policy) = policy::current(kv, genesis);
            Some(Versioned {
                version,
                changed_at: Timestamp::from_millis(0),
                changed_by: "custosd (system)".to_owned(),
                log_index: custos_core::LogIndex(0),
                record: Record::Policy(policy),
            })
        }
        _ => None,
    }
}

/// The filing of evidence in its latest version; version 0 is as it was sealed.
fn as_sealed(kv: &impl KvRead, record: &EvidenceRecord) -> Versioned {
    let id = record.evidence_id.to_string();
    law_record::load(kv, RecordKind::Filing, &id).unwrap_or_else(|| Versioned {
        version: 0,
        changed_at: record.sealed_at,
        changed_by: format!("{} ({})", record.actor.name, record.actor.role),
        log_index: record.seal_index,
        record: Record::Filing(filing_of(kv, record)),
    })
}

/// Something that may belong on a page, and where the page would go on after it.
struct Candidate {
    position: String,
    record: Option<Versioned>,
}

fn list(
    kv: &impl KvRead,
    genesis: &Policy,
    page: &ListPage,
    reader: Option<&Reader<'_>>,
) -> Result<RecordPage, Refusal> {
    if let Some(reader) = reader {
        reader.check_reads(kv)?;
    }
    let is_shown = |it: &Versioned| {
        is_of_unit(kv, it, page.unit.as_deref())
            && reader.is_none_or(|reader| reader.check_record(kv, &it.record).is_ok())
    };
    let limit = page_items(page.limit);
    let mut items = Vec::new();
    let mut after = page.after.clone();
    let mut looked_at = 0;
    loop {
        let wanted = (limit + 1).min(1000);
        let candidates = candidates(kv, genesis, page, after.as_deref(), wanted)?;
        let is_last = candidates.len() < wanted;
        for Candidate { position, record } in candidates {
            if items.len() == limit || looked_at == LOOKED_AT_MAX {
                return Ok(RecordPage { items, next: after });
            }
            looked_at += 1;
            after = Some(position);
            items.extend(record.filter(is_shown));
        }
        if is_last {
            return Ok(RecordPage { items, next: None });
        }
    }
}

fn candidates(
    kv: &impl KvRead,
    genesis: &Policy,
    page: &ListPage,
    after: Option<&str>,
    wanted: usize,
) -> Result<Vec<Candidate>, Refusal> {
    let clock = clock::load(kv).expect("the clock began with the cluster");
    let indexed = |order: &Order<'_>, kind| by_index(kv, order, kind, after, wanted);
    match page.list {
        RecordList::All => {
            let Some(kind) = page.kind else {
                let reason = "say of which kind all records are to be listed";
                return Err(Refusal::invalid(Rule::I10, "kind", reason));
            };
            let prefix = page.prefix.as_deref().unwrap_or_default();
            if kind == RecordKind::Filing {
                return filings(kv, prefix, after, wanted);
            }
            let found = law_record::page(kv, kind, prefix, after, wanted);
            let candidate =
                |it: Versioned| Candidate { position: it.record.id().to_owned(), record: Some(it) };
            Ok(found.into_iter().map(candidate).collect())
        }
        RecordList::Unfiled => {
            let mut found = indexed(&Order::Unfiled, RecordKind::Filing)?;
            for candidate in &mut found {
                candidate.record = id_at(&candidate.position).and_then(|id| filing(kv, id));
            }
            Ok(found)
        }
        RecordList::ArchiveDue => indexed(&Order::ArchiveDue, RecordKind::Case),
        RecordList::ArchiveOverdue => {
            let mut found = indexed(&Order::ArchiveDue, RecordKind::Case)?;
            for it in &mut found {
                let due = position_of(&it.position).ok().and_then(|at| law_index::time_of(&at));
                if due.is_none_or(|due| due >= clock.time) {
                    it.record = None;
                }
            }
            Ok(found)
        }
        RecordList::HoldsToReview => indexed(&Order::HoldReview, RecordKind::Hold),
        RecordList::ApplicationsWaiting => indexed(&Order::Waiting, RecordKind::Grant),
        RecordList::DispositionsPending => indexed(&Order::Pending, RecordKind::Disposition),
        RecordList::RecordersSilent => {
            let (_, policy) = policy::current(kv, genesis);
            let days = i64::from(policy.recorder_silent_days);
            let since = Timestamp::from_millis(clock.time.as_millis() - days * DAY_MS);
            let found = law_record::page(kv, RecordKind::Recorder, "", after, wanted);
            let candidate = |it: Versioned| Candidate {
                position: it.record.id().to_owned(),
                record: Some(it).filter(|it| is_silent(kv, it, since)),
            };
            Ok(found.into_iter().map(candidate).collect())
        }
        RecordList::RetentionOver => retention_over(kv, genesis, clock.settled(), after, wanted),
    }
}

/// Every evidence item has a filing, also where nothing was ever said about it.
fn filings(
    kv: &impl KvRead,
    prefix: &str,
    after: Option<&str>,
    wanted: usize,
) -> Result<Vec<Candidate>, Refusal> {
    let after = after.map(|text| text.parse().map_err(|_| not_a_position())).transpose()?;
    let ids = listing::page(kv, None, after, wanted);
    let candidate = |id: EvidenceId| {
        let position = id.to_string();
        let record = position.starts_with(prefix).then(|| filing(kv, id)).flatten();
        Candidate { position, record }
    };
    Ok(ids.into_iter().map(candidate).collect())
}

fn is_silent(kv: &impl KvRead, recorder: &Versioned, since: Timestamp) -> bool {
    let Record::Recorder(it) = &recorder.record else { return false };
    let last = recorder_seen::load(kv, &it.id).unwrap_or(recorder.changed_at);
    it.active && last < since
}

fn retention_over(
    kv: &impl KvRead,
    genesis: &Policy,
    settled: Timestamp,
    after: Option<&str>,
    wanted: usize,
) -> Result<Vec<Candidate>, Refusal> {
    let after = match after {
        Some(text) => Some(text.parse::<EvidenceId>().map_err(|_| not_a_position())?),
        None => None,
    };
    let ids = listing::page(kv, None, after, wanted);
    let candidate = |id: EvidenceId| {
        let position = id.to_string();
        let Ok(record) = sealed(kv, id) else { return Candidate { position, record: None } };
        let filing = as_sealed(kv, &record);
        let is_over = match &filing.record {
            Record::Filing(it) => {
                it.disposition.is_none()
                    && keeping::retain_until(kv, genesis, &record, it).0 <= settled
            }
            _ => false,
        };
        Candidate { position, record: Some(filing).filter(|_| is_over) }
    };
    Ok(ids.into_iter().map(candidate).collect())
}

fn by_index(
    kv: &impl KvRead,
    order: &Order<'_>,
    kind: RecordKind,
    after: Option<&str>,
    wanted: usize,
) -> Result<Vec<Candidate>, Refusal> {
    let after = after.map(position_of).transpose()?;
    let found = law_index::page(kv, order, after.as_deref(), wanted);
    let candidate = |(position, id): (Vec<u8>, String)| Candidate {
        position: HEX.encode(&position),
        record: law_record::load(kv, kind, &id),
    };
    Ok(found.into_iter().map(candidate).collect())
}

fn position_of(text: &str) -> Result<Vec<u8>, Refusal> {
    HEX.decode(text.as_bytes()).map_err(|_| not_a_position())
}

fn not_a_position() -> Refusal {
    Refusal::invalid(Rule::I10, "after", "is not where a page ended")
}

fn id_at(position: &str) -> Option<EvidenceId> {
    EvidenceId::from_slice(&position_of(position).ok()?)
}

fn filing(kv: &impl KvRead, id: EvidenceId) -> Option<Versioned> {
    Some(as_sealed(kv, &sealed(kv, id).ok()?))
}

fn is_of_unit(kv: &impl KvRead, found: &Versioned, above: Option<&str>) -> bool {
    let Some(above) = above else { return true };
    unit_of_record(&found.record).is_some_and(|unit| is_within(kv, unit, above))
}
