//! What keeps evidence: retention (rule R10) and holds (rule R11). Whatever may end evidence asks
//! here, and nowhere else.

use custos_core::{
    EvidenceRecord, Timestamp,
    law::{
        ActType, Classification, EvidenceFilter, Filing, Keeping, Record, RecordKind, Versioned,
    },
};

use super::{
    acting::{filings_of, is_within, top_of},
    policy,
};
use crate::{
    KvRead, Policy,
    stored::{
        law_index::{self, Order},
        law_record,
    },
};

/// Most holds that stand and name neither an item, nor a recording, nor a case: each of them is
/// looked at for every item that may end.
pub(super) const FILTER_HOLDS_MAX: usize = 1000;

/// Until when evidence must be kept, and for what.
pub(crate) fn retain_until(
    kv: &impl KvRead,
    genesis: &Policy,
    record: &EvidenceRecord,
    filing: &Filing,
) -> (Timestamp, String) {
    let mut longest = (record.retain_until, "as it was sealed".to_owned());
    let mut consider = |until: Timestamp, why: String| {
        if until > longest.0 {
            longest = (until, why);
        }
    };
    consider(filing.retain_until, "extended".to_owned());
    let (classifications, act_types) = ever_of(kv, record);
    for policy in policy::since(kv, genesis, record.seal_index) {
        let kind = record.descriptor.kind;
        let from = record.sealed_at;
        consider(from.plus_days(policy.days_of_kind(kind)), format!("policy for {kind}"));
        for classification in &classifications {
            let days = policy.days_of_classification(*classification);
            consider(from.plus_days(days), "policy for its classification".to_owned());
        }
        for act_type in &act_types {
            let days = policy.days_of_act_type(*act_type);
            consider(from.plus_days(days), format!("policy for a {act_type}"));
        }
        if filing.case.is_none() {
            let days = policy.days_unfiled();
            consider(from.plus_days(days), "policy for unfiled evidence".to_owned());
        }
    }
    longest
}

/// Every classification that evidence, or a case that it was filed under, ever had, and the act types
/// of those cases: what was promised once is not taken back by filing it elsewhere or by classifying
/// it anew.
fn ever_of(kv: &impl KvRead, record: &EvidenceRecord) -> (Vec<Classification>, Vec<ActType>) {
    let filings = filings_of(kv, record);
    let mut classifications: Vec<_> = filings.iter().map(|filing| filing.classification).collect();
    let mut cases: Vec<&String> = filings.iter().filter_map(|it| it.case.as_ref()).collect();
    cases.sort_unstable();
    cases.dedup();
    let mut act_types = Vec::new();
    for case in cases {
        for version in law_record::history(kv, RecordKind::Case, case, 0, usize::MAX) {
            if let Record::Case(case) = version.record {
                classifications.push(case.classification);
                act_types.push(case.act_type);
            }
        }
    }
    classifications.sort_unstable();
    classifications.dedup();
    act_types.sort_unstable();
    act_types.dedup();
    (classifications, act_types)
}

/// Holds that stand over evidence.
pub(crate) fn holds(kv: &impl KvRead, record: &EvidenceRecord) -> Vec<Versioned> {
    let filings = filings_of(kv, record);
    let mut ids = law_index::all(kv, &Order::HoldsOfEvidence(record.evidence_id));
    if let Some(recording) = &record.descriptor.recording {
        ids.extend(law_index::all(kv, &Order::HoldsOfRecording(recording)));
    }
    let mut cases: Vec<&String> =
        filings.iter().filter_map(|filing| filing.case.as_ref()).collect();
    cases.extend(&record.descriptor.case);
    cases.sort_unstable();
    cases.dedup();
    for case in cases {
        ids.extend(law_index::all(kv, &Order::HoldsOfCase(case)));
    }
    ids.extend(law_index::all(kv, &Order::HoldsByFilter));
    let covers = |versioned: &Versioned| match &versioned.record {
        Record::Hold(hold) => {
            hold.released.is_none()
                && is_of_agency(kv, hold.unit.as_deref(), &filings)
                && fits(kv, &hold.target, record, &filings)
        }
        _ => false,
    };
    let found = ids.iter().filter_map(|id| law_record::load(kv, RecordKind::Hold, id));
    found.filter(covers).collect()
}

/// A hold is over what its agency has, and over what belongs to nobody yet.
fn is_of_agency(kv: &impl KvRead, unit: Option<&str>, filings: &[Filing]) -> bool {
    let Some(top) = unit.map(|unit| top_of(kv, unit)) else { return true };
    let units = filings.iter().map(|filing| filing.unit.as_deref());
    units.into_iter().any(|unit| unit.is_none_or(|unit| top_of(kv, unit) == top))
}

/// Whether every field that a filter gives fits the evidence as it was sealed or filed or described
/// at any time.
pub(super) fn fits(
    kv: &impl KvRead,
    filter: &EvidenceFilter,
    record: &EvidenceRecord,
    filings: &[Filing],
) -> bool {
    let descriptors: Vec<_> = std::iter::once(&record.descriptor)
        .chain(filings.iter().filter_map(|filing| filing.descriptor.as_ref()))
        .collect();
    let any = |given: bool, test: &dyn Fn() -> bool| !given || test();
    let time_fits = |at: Option<Timestamp>| {
        let at = at.unwrap_or(record.sealed_at);
        filter.from.is_none_or(|from| at >= from) && filter.until.is_none_or(|until| at < until)
    };
    filter.evidence.is_none_or(|id| id == record.evidence_id)
        && any(filter.recording.is_some(), &|| record.descriptor.recording == filter.recording)
        && any(filter.case.is_some(), &|| {
            record.descriptor.case == filter.case
                || filings.iter().any(|filing| filing.case == filter.case)
        })
        && any(filter.stage.is_some(), &|| {
            record.descriptor.stage == filter.stage
                || filings.iter().any(|filing| filing.stage == filter.stage)
        })
        && filter.unit.as_ref().is_none_or(|above| {
            let units = filings.iter().filter_map(|filing| filing.unit.as_ref());
            units.into_iter().any(|unit| is_within(kv, unit, above))
        })
        && any(filter.recorder.is_some(), &|| {
            descriptors.iter().any(|it| it.recorder == filter.recorder)
        })
        && filter
            .officer
            .as_ref()
            .is_none_or(|officer| descriptors.iter().any(|it| it.officers.contains(officer)))
        && any(filter.place.is_some(), &|| descriptors.iter().any(|it| it.place == filter.place))
        && filter.kind.is_none_or(|kind| kind == record.descriptor.kind)
        && any(filter.from.is_some() || filter.until.is_some(), &|| {
            descriptors.iter().any(|it| time_fits(it.captured_at))
        })
}

/// All that keeps evidence, as whoever asks is told.
pub(crate) fn report(
    kv: &impl KvRead,
    genesis: &Policy,
    record: &EvidenceRecord,
    filing: &Filing,
    settled: Timestamp,
) -> Keeping {
    let (until, why) = retain_until(kv, genesis, record, filing);
    Keeping {
        evidence: record.evidence_id,
        retain_until: until,
        retained_for: why,
        retention_over: settled >= until,
        holds: holds(kv, record),
        disposition: filing.disposition.clone(),
    }
}
