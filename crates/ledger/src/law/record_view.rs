use std::ops::Range;

use custos_core::{
    Act, EvidenceId, EvidenceRecord, Refusal, Rule,
    law::{GrantScope, RecordKind, RecordName},
    limits::VIEW_PURPOSE_BYTES_MAX,
};

use super::{
    acting::Acting,
    grants::{self, Use},
    no_such_evidence, text,
};
use crate::{
    Kv, KvRead, Outcome,
    stored::evidence::{self, Life},
};

/// Enters a view in the custody log, or a copy or the taking out of the original: every one is an
/// entry of its own.
pub(super) fn record_view(
    kv: &mut impl Kv,
    acting: &Acting<'_>,
    evidence_id: EvidenceId,
    asked: &Use<'_>,
    purpose: Option<&str>,
) -> Result<Outcome, Refusal> {
    text::check_line("purpose", purpose.unwrap_or_default(), VIEW_PURPOSE_BYTES_MAX)?;
    let record = sealed(kv, evidence_id)?;
    check_range(asked.range, record.parts.size)?;
    grants::check_use(kv, acting, &record, asked)?;
    let mut detail = detail(asked.range, record.parts.size, purpose);
    if let Some(grant) = asked.grant {
        detail.push_str(&format!(" (grant {grant})"));
    }
    let act = match asked.scope {
        GrantScope::View => Act::Viewed,
        GrantScope::Copy => Act::Copied,
        GrantScope::Original => Act::TakenOut,
    };
    let grant = asked.grant.map(|id| RecordName { kind: RecordKind::Grant, id: id.to_owned() });
    let log_index = acting.enter(kv, act, Some(evidence_id), grant, detail, 0);
    Ok(Outcome::ViewRecorded(log_index))
}

fn sealed(kv: &impl KvRead, evidence_id: EvidenceId) -> Result<EvidenceRecord, Refusal> {
    match evidence::load(kv, evidence_id) {
        Some(Life::Sealed(record)) => Ok(*record),
        Some(Life::Ended(ended)) => {
            let ended = ended.tombstone;
            let reason = format!("it has lawfully ended by disposition {}", ended.disposition);
            Err(Refusal::refused(Rule::I3, "evidence_id", reason))
        }
        Some(Life::Open(_) | Life::Aborted(_)) | None => Err(no_such_evidence(evidence_id)),
    }
}

fn check_range(range: &Range<u64>, size: u64) -> Result<(), Refusal> {
    if range.start <= range.end && range.end <= size {
        return Ok(());
    }
    let reason = format!("{}..{} is not within {size} bytes", range.start, range.end);
    Err(Refusal::invalid(Rule::R6, "range", reason))
}

fn detail(range: &Range<u64>, size: u64, purpose: Option<&str>) -> String {
    // As people and HTTP write ranges: the second number is the last byte itself.
    let bytes = match range.end.checked_sub(1) {
        Some(last) if last >= range.start => format!("bytes {}-{last} of {size}", range.start),
        _ => format!("no bytes of {size}"),
    };
    match purpose {
        Some(purpose) => format!("{bytes}: {purpose}"),
        None => bytes,
    }
}
