use std::ops::Range;

use custos_core::{
    Act, EvidenceId, EvidenceRecord, Refusal, Rule, Timestamp, limits::VIEW_PURPOSE_BYTES_MAX,
};

use super::{no_such_evidence, text};
use crate::{
    Envelope, Kv, KvRead, Outcome,
    custody::{self, NewEntry, Subject},
    stored::evidence::{self, Life},
};

/// Enters a view in the custody log: every view is an entry of its own.
pub(super) fn record_view(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    evidence_id: EvidenceId,
    range: Range<u64>,
    purpose: Option<&str>,
) -> Result<Outcome, Refusal> {
    text::check_line("purpose", purpose.unwrap_or_default(), VIEW_PURPOSE_BYTES_MAX)?;
    let record = sealed(kv, evidence_id)?;
    check_range(&range, record.parts.size)?;
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::Viewed,
        evidence_id: Some(evidence_id),
        detail: detail(&range, record.parts.size, purpose),
        descriptor: None,
    };
    let log_index = custody::append(kv, &entry, |_| Subject::None);
    Ok(Outcome::ViewRecorded(log_index))
}

fn sealed(kv: &impl KvRead, evidence_id: EvidenceId) -> Result<EvidenceRecord, Refusal> {
    match evidence::load(kv, evidence_id) {
        Some(Life::Sealed(record)) => Ok(*record),
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
