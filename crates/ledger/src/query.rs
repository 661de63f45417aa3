use custos_core::{
    ClusterMap, DiskId, Epoch, EvidenceId, EvidenceRecord, LogIndex, Refusal, Rule, ShardKey,
    UploadSession,
    limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX},
};

use crate::{
    Answer, ClusterInfo, KvRead, Query, custody,
    law::reading::Reader,
    law_query::LOOKED_AT_MAX,
    stored::{
        clock,
        cluster::{self, Cluster},
        cluster_map, custody_log, damage,
        evidence::{self, Life},
        listing, map_epoch, meta_member,
    },
};

/// Bytes of texts and leaves after which a page ends early: 1 MiB. A page of the largest items
/// stays well under one gRPC message so.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Answers a read from the state, if this group keeps what is asked for. Every answer is bounded, by
/// items and by bytes; a read costs O(items that are looked at for its page, 10,000 at most where the
/// reader may not read them), O(log of the log's size) or O(size of the cluster map).
///
/// # Errors
/// A refusal (invariant I6) of what another group keeps, or of what the reader may not read (rules
/// R19, R23, R26).
///
/// # Panics
/// When a stored value does not decode: the store is not the one that the law wrote.
pub fn query<K: KvRead>(kv: &K, query: &Query) -> Result<Answer, Refusal> {
    match query {
        Query::By { reader, query } => answer(kv, query, Some(&Reader::new(kv, reader)?)),
        _ => answer(kv, query, None),
    }
}

/// Answers whoever reads, or whoever may read everything.
fn answer(kv: &impl KvRead, query: &Query, reader: Option<&Reader<'_>>) -> Result<Answer, Refusal> {
    let cluster = cluster::load(kv);
    if let Some(cluster) = &cluster
        // Whoever is lost asks any group for the table.
        && *query != Query::Cluster
    {
        cluster.routing.check_here(query.scope())?;
    }
    Ok(match query {
        Query::Cluster => Answer::Cluster(cluster.map(|cluster| cluster_info(kv, cluster))),
        Query::Evidence(id) => {
            let found = sealed(kv, *id);
            if let (Some(record), Some(reader)) = (&found, reader) {
                reader.check_evidence(kv, record)?;
            }
            Answer::Evidence(found)
        }
        Query::Upload(id) if reader.is_none() => Answer::Upload(open(kv, *id)),
        Query::Upload(_) | Query::By { .. } => {
            let reason = "is asked for nobody but the store itself";
            return Err(Refusal::refused(Rule::R23, "query", reason));
        }
        Query::ListEvidence { after, limit, case, recording } => {
            if let (Some(reader), Some(case)) = (reader, case) {
                reader.check_case(kv, case)?;
            }
            let page = |after, wanted| match recording {
                Some(recording) => listing::page_of_recording(kv, recording, after, wanted),
                None => listing::page(kv, case.as_deref(), after, wanted),
            };
            list(kv, page, *after, page_items(*limit), reader)
        }
        Query::Checkpoint => Answer::Checkpoint(custody::checkpoint(kv)),
        Query::Entries { from, limit, evidence_id, record } => {
            let limit = page_items(*limit);
            // Zeros after a name would name a range of another one's keys.
            if record.as_ref().is_some_and(|path| path.contains('\0')) {
                return Err(Refusal::invalid(Rule::R26, "record", "holds a control character"));
            }
            // Leaves name no person: which entries are about one is not everybody's to know.
            if let (Some(reader), Some(path)) = (reader, record)
                && let Some(person) = path.strip_prefix("person/")
            {
                reader.check_person(kv, person)?;
            }
            let indexes = match (evidence_id, record) {
                (Some(id), _) => custody_log::indexes_of(kv, *id, *from, limit + 1),
                (None, Some(path)) => custody_log::indexes_of_record(kv, path, *from, limit + 1),
                (None, None) => {
                    let end = custody_log::size(kv).min(from.0.saturating_add(limit as u64 + 1));
                    (from.0..end).map(LogIndex).collect()
                }
            };
            entries(kv, indexes, limit, reader)
        }
        Query::ProveInclusion(index) => {
            Answer::Inclusion(custody::inclusion(kv, *index).map(Box::new))
        }
        Query::ProveConsistency { old } => Answer::Consistency(custody::consistency(kv, *old)),
        Query::ClusterMap { newer_than } => Answer::ClusterMap(map_after(kv, *newer_than)),
        Query::ListDamage { after, limit, evidence_id } => {
            list_damage(kv, after.as_ref(), page_items(*limit), *evidence_id)
        }
        Query::MetaMembers => Answer::MetaMembers(meta_member::all(kv)),
        Query::Law(query) => Answer::Law(Box::new(crate::law_query::answer(kv, query, reader)?)),
    })
}

fn page_items(limit: usize) -> usize {
    if limit == 0 { PAGE_ITEMS_DEFAULT } else { limit.min(PAGE_ITEMS_MAX) }
}

fn cluster_info(kv: &impl KvRead, cluster: Cluster) -> ClusterInfo {
    let time = clock::load(kv).expect("the clock was stored with the cluster").time;
    let Cluster { origin, policy, routing } = cluster;
    ClusterInfo { origin, policy, time, routing }
}

fn map_after(kv: &impl KvRead, known: Epoch) -> Option<Box<ClusterMap>> {
    (map_epoch::load(kv) > known).then(|| Box::new(cluster_map::load(kv)))
}

fn list_damage(
    kv: &impl KvRead,
    after: Option<&(DiskId, ShardKey)>,
    limit: usize,
    evidence_id: Option<EvidenceId>,
) -> Answer {
    let mut items = match evidence_id {
        Some(id) => damage::page_of(kv, id, after, limit + 1),
        None => damage::page(kv, after, limit + 1),
    };
    let more = items.len() > limit;
    items.truncate(limit);
    Answer::Damage { items, total: damage::count(kv), more }
}

fn sealed(kv: &impl KvRead, id: EvidenceId) -> Option<Box<EvidenceRecord>> {
    match evidence::load(kv, id)? {
        Life::Sealed(record) => Some(record),
        Life::Open(_) | Life::Aborted(_) | Life::Ended(_) => None,
    }
}

fn open(kv: &impl KvRead, id: EvidenceId) -> Option<Box<UploadSession>> {
    match evidence::load(kv, id)? {
        Life::Open(session) => Some(session),
        Life::Sealed(_) | Life::Aborted(_) | Life::Ended(_) => None,
    }
}

/// A page of what `page` lists after an id, up to as many as it is asked for.
fn list(
    kv: &impl KvRead,
    page: impl Fn(Option<EvidenceId>, usize) -> Vec<EvidenceId>,
    mut after: Option<EvidenceId>,
    limit: usize,
    reader: Option<&Reader<'_>>,
) -> Answer {
    let mut items: Vec<EvidenceRecord> = Vec::new();
    let (mut bytes, mut looked_at) = (0, 0);
    loop {
        let ids = page(after, limit + 1);
        let is_last = ids.len() <= limit;
        for id in ids {
            if items.len() == limit || bytes >= PAGE_BYTES_MAX || looked_at == LOOKED_AT_MAX {
                return Answer::List { items, resume_after: after };
            }
            looked_at += 1;
            after = Some(id);
            let record = sealed(kv, id).expect("listed evidence is sealed");
            if reader.is_none_or(|reader| reader.check_evidence(kv, &record).is_ok()) {
                bytes += record_bytes(&record);
                items.push(*record);
            }
        }
        if is_last {
            return Answer::List { items, resume_after: None };
        }
    }
}

/// About what a record takes in a message: its variable texts and a round sum for the rest.
fn record_bytes(record: &EvidenceRecord) -> usize {
    let descriptor = &record.descriptor;
    let texts = [
        &descriptor.recorder,
        &descriptor.case,
        &descriptor.place,
        &descriptor.note,
        &descriptor.file_name,
        &descriptor.media_type,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let officers: usize = descriptor.officers.iter().map(|officer| officer.len() + 4).sum();
    texts + officers + record.wrapped_key.len() + 400
}

fn entries(
    kv: &impl KvRead,
    indexes: Vec<LogIndex>,
    limit: usize,
    reader: Option<&Reader<'_>>,
) -> Answer {
    let mut items = Vec::new();
    let mut bytes = 0;
    let mut next = None;
    for index in indexes {
        if items.len() == limit || bytes >= PAGE_BYTES_MAX {
            next = Some(index);
            break;
        }
        let mut entry = custody::entry_at(kv, index).expect("the log has no holes");
        if let Some(reader) = reader {
            reader.redact(kv, &mut entry);
        }
        bytes += entry.leaf.len() + entry.detail.as_ref().map_or(0, String::len) + 100;
        items.push(entry);
    }
    Answer::Entries { items, next }
}
