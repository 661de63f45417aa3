use std::ops::Range;

use custos_core::{
    Act, EvidenceId, EvidenceRecord, Refusal, Rule, Timestamp, limits::VIEW_PURPOSE_BYTES_MAX,
};
use prost::Message;
use sha2::{Digest, Sha256};

use super::{no_such_evidence, text};
use crate::{
    Envelope, Kv, KvRead, Outcome,
    custody::{self, NewEntry, Subject},
    proto,
    stored::{
        evidence::{self, Life},
        view_retry::{self, ViewRetry},
    },
};

/// Enters a view in the custody log; the same request again finds its entry.
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
    let request_digest = request_digest(envelope);
    if let Some(entered) = view_retry::load(kv, &envelope.request_id) {
        if entered.request_digest == request_digest {
            return Ok(Outcome::ViewRecorded(entered.log_index));
        }
        let reason = "names another view already: make a new one for every request";
        return Err(Refusal::invalid(Rule::R26, "request_id", reason));
    }

    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::Viewed,
        evidence_id: Some(evidence_id),
        detail: detail(&range, record.parts.size, purpose),
        descriptor: None,
    };
    let log_index = custody::append(kv, &entry, |_| Subject::None);
    view_retry::save(kv, &envelope.request_id, &ViewRetry { log_index, request_digest });
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

/// What makes a request the same: who asks, and for what.
fn request_digest(envelope: &Envelope) -> [u8; 32] {
    let asked = proto::Envelope {
        version: 0,
        request_id: Vec::new(),
        entry_salt: Vec::new(),
        ..envelope.into()
    };
    Sha256::digest(asked.encode_to_vec()).into()
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
