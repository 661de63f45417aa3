use custos_core::{
    Act, Blake3Hash, EvidenceId, EvidenceRecord, LogIndex, Refusal, Rule, SealedParts, Sha256Hash,
    Timestamp, UploadSession, limits::EVIDENCE_BYTES_MAX,
};

use super::{is_same_actor, no_such_evidence, not_the_opener, retention};
use crate::{
    Envelope, Kv, Outcome, Policy,
    custody::{self, NewEntry, SealedSubject, Subject},
    stored::{
        custody_log,
        evidence::{self, Life},
        listing, open_uploads,
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
    policy: &Policy,
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
    listing::enter(kv, evidence_id, record.descriptor.case.as_deref());
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
    policy: &Policy,
    seal_index: LogIndex,
    parts: &SealedParts,
) -> EvidenceRecord {
    // Shard records carry the session's time already: the seal may only lengthen it.
    let retain_until = retention::retain_until(policy, session.descriptor.kind, now);
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
