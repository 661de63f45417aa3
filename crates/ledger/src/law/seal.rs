use custos_core::{
    Act, Blake3Hash, EvidenceId, EvidenceRecord, LogIndex, Refusal, Role, Rule, SealedParts,
    Sha256Hash, Stage, Timestamp, UploadSession,
    law::{Case, CaseState, LawPolicy, Record},
    limits::EVIDENCE_BYTES_MAX,
};

use super::{
    acting::{self, find_case, find_person, find_recorder, find_station, top_of},
    is_same_actor, no_such_evidence, not_the_opener, retention,
};
use crate::{
    Envelope, Kv, Outcome,
    custody::{self, NewEntry, SealedSubject, Subject},
    stored::{
        custody_log,
        evidence::{self, Life},
        law_index, law_record, listing, open_uploads, recorder_seen,
    },
};

/// BLAKE3 of no bytes.
const EMPTY_BLAKE3: Blake3Hash = Blake3Hash([
    0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc, 0xc9, 0x49,
    0x9b, 0xcb, 0x25, 0xc9, 0xad, 0xc1, 0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f, 0x32, 0x62,
]);

/// SHA-256 of no bytes.
const EMPTY_SHA256: Sha256Hash = Sha256Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Seals an open upload for ever; sealing again with the same parts changes nothing.
pub(super) fn seal(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    policy: &LawPolicy,
    evidence_id: EvidenceId,
    parts: &SealedParts,
) -> Result<Outcome, Refusal> {
    let life = evidence::load(kv, evidence_id).ok_or_else(|| no_such_evidence(evidence_id))?;
    if !is_same_actor(life.actor(), &envelope.actor) {
        return Err(not_the_opener(envelope));
    }
    let session = match life {
        Life::Open(session) => *session,
        Life::Sealed(record) if record.parts == *parts => return Ok(Outcome::Sealed(record)),
        Life::Sealed(_) => {
            let reason = "the evidence is sealed with other parts and never changes";
            return Err(Refusal::refused(Rule::I3, "parts", reason));
        }
        Life::Ended(ended) => {
            let reason = format!("it has lawfully ended at {}", ended.tombstone.ended_at);
            return Err(Refusal::refused(Rule::I3, "evidence_id", reason));
        }
        Life::Aborted(aborted) => {
            let reason = format!("the upload was given up at {}", aborted.aborted_at);
            return Err(Refusal::refused(Rule::I3, "evidence_id", reason));
        }
    };
    check_parts(parts)?;

    let seal_index = LogIndex(custody_log::size(kv));
    let record = record(session, now, policy, seal_index, parts);
    let entered = enter(kv, envelope, &record);
    assert_eq!(entered, seal_index, "the log grows by one entry per act");
    let listed = listing::Listed {
        case: record.descriptor.case.clone(),
        recording: record.descriptor.recording.clone(),
    };
    listing::enter(kv, evidence_id, &listed);
    file(kv, policy, &record);
    open_uploads::remove_one(kv, &record.actor);
    Ok(Outcome::Sealed(evidence::save_sealed(kv, record)))
}

fn check_parts(parts: &SealedParts) -> Result<(), Refusal> {
    if parts.size > EVIDENCE_BYTES_MAX {
        let reason = format!("{} bytes, at most {EVIDENCE_BYTES_MAX} are allowed", parts.size);
        return Err(Refusal::invalid(Rule::I10, "size", reason));
    }
    match (parts.size, parts.head_salt) {
        (0, Some(_)) => {
            let reason = "given for empty evidence, which has no chunk";
            return Err(Refusal::invalid(Rule::R6, "head_salt", reason));
        }
        (1.., None) => {
            let reason = "not given: it says which write attempt counts";
            return Err(Refusal::invalid(Rule::R6, "head_salt", reason));
        }
        (0, None) | (1.., Some(_)) => {}
    }
    if parts.size == 0 && parts.blake3 != EMPTY_BLAKE3 {
        return Err(Refusal::invalid(Rule::R6, "blake3", "not the hash of empty evidence"));
    }
    if parts.size == 0 && parts.sha256 != EMPTY_SHA256 {
        return Err(Refusal::invalid(Rule::R6, "sha256", "not the hash of empty evidence"));
    }
    Ok(())
}

fn record(
    session: UploadSession,
    now: Timestamp,
    policy: &LawPolicy,
    seal_index: LogIndex,
    parts: &SealedParts,
) -> EvidenceRecord {
    // Shard records carry the session's time already: the seal may only lengthen it.
    let retain_until = retention::least(policy, &session.descriptor, now);
    EvidenceRecord {
        evidence_id: session.evidence_id,
        actor: session.actor,
        descriptor: session.descriptor,
        opened_at: session.opened_at,
        sealed_at: now,
        seal_index,
        parts: parts.clone(),
        profile: session.profile,
        chunk_size: session.chunk_size,
        vault: session.vault,
        wrapped_key: session.wrapped_key,
        retain_until: retain_until.max(session.retain_until),
    }
}

/// Files what is sealed under the case and stage that it names, if that is on the register and not
/// archived; else it is unfiled, and belongs to the unit that it came from, if one is known.
fn file(kv: &mut impl Kv, policy: &LawPolicy, record: &EvidenceRecord) {
    let descriptor = &record.descriptor;
    let recorder = descriptor.recorder.as_deref().and_then(|it| find_recorder(kv, it));
    if let Some(recorder) = &recorder {
        recorder_seen::save(kv, &recorder.id, record.sealed_at);
    }
    let mut filing = acting::unfiled(record);
    let by = &record.actor;
    let from = match by.role {
        Role::Station => find_station(kv, &by.name).map(|station| station.unit),
        role if role.is_person() => find_person(kv, &by.name).map(|person| person.unit),
        _ => None,
    };
    let case = descriptor.case.as_deref().and_then(|it| find_case(kv, it));
    let takes = |case: &Case, stage: Stage| {
        let is_of_agency =
            from.as_ref().is_none_or(|unit| top_of(kv, unit) == top_of(kv, &case.unit));
        is_of_agency
            && case.state != CaseState::Archived
            && policy.stages_of(case.act_type).contains(&stage)
    };
    match (case, descriptor.stage) {
        (Some(case), Some(stage)) if takes(&case, stage) => {
            filing.unit = Some(case.unit);
            filing.case = Some(case.id);
            filing.stage = Some(stage);
        }
        _ => {
            filing.unit = from.or(recorder.map(|recorder| recorder.unit));
            law_index::set_unfiled(kv, record.evidence_id, true);
        }
    }
    if filing.unit.is_some() {
        let by = custody::actor_name(&record.actor);
        law_record::save(kv, Record::Filing(filing), record.sealed_at, by, record.seal_index);
    }
}

fn enter(kv: &mut impl Kv, envelope: &Envelope, record: &EvidenceRecord) -> LogIndex {
    let parts = &record.parts;
    let mut detail = format!("{} bytes, kept until {}", parts.size, record.retain_until);
    if parts.missing_shards > 0 {
        detail.push_str(&format!(", {} shards missing", parts.missing_shards));
    }
    let missing = record.descriptor.missing_fields();
    if !missing.is_empty() {
        detail.push_str(&format!(", unfiled: lacks {}", missing.join(", ")));
    }
    let entry = NewEntry {
        envelope,
        time: record.sealed_at,
        act: Act::Sealed,
        evidence_id: Some(record.evidence_id),
        record: None,
        detail,
        descriptor: Some(&record.descriptor),
    };
    custody::append(kv, &entry, |descriptor_digest| {
        Subject::Sealed(SealedSubject {
            size: parts.size,
            blake3: parts.blake3,
            sha256: parts.sha256,
            descriptor_digest,
            retain_until: record.retain_until,
        })
    })
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_hashes_of_empty_evidence_are_those_of_no_bytes() {
        assert_eq!(EMPTY_BLAKE3.as_bytes(), blake3::hash(b"").as_bytes());
        assert_eq!(EMPTY_SHA256.0, <[u8; 32]>::from(Sha256::digest(b"")));
    }
}
