use custos_core::{Act, EvidenceId, Refusal, Rule, Timestamp};

use super::{is_same_actor, no_such_evidence, not_the_opener, text};
use crate::{
    ABORT_REASON_BYTES_MAX, Envelope, Kv, Outcome,
    custody::{self, NewEntry, Subject},
    stored::{
        evidence::{self, AbortedUpload, Life},
        open_uploads,
    },
};

/// Gives an open upload up; giving it up again changes nothing. Sealed evidence never ends here.
pub(super) fn abort_upload(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    evidence_id: EvidenceId,
    reason: &str,
) -> Result<Outcome, Refusal> {
    text::check_line("reason", reason, ABORT_REASON_BYTES_MAX)?;
    let life = evidence::load(kv, evidence_id).ok_or_else(|| no_such_evidence(evidence_id))?;
    let session = match life {
        Life::Sealed(_) => {
            let reason = "the evidence is sealed: an upload can be given up only before";
            return Err(Refusal::refused(Rule::I3, "evidence_id", reason));
        }
        life if !is_same_actor(life.actor(), &envelope.actor) => {
            return Err(not_the_opener(envelope));
        }
        Life::Ended(_) => {
            let reason = "it was sealed, and has lawfully ended";
            return Err(Refusal::refused(Rule::I3, "evidence_id", reason));
        }
        Life::Aborted(aborted) => return Ok(Outcome::Aborted(aborted.abort_index)),
        Life::Open(session) => session,
    };

    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::UploadAborted,
        evidence_id: Some(evidence_id),
        record: None,
        detail: if reason.is_empty() { "no reason given".to_owned() } else { reason.to_owned() },
        descriptor: None,
    };
    let abort_index = custody::append(kv, &entry, |_| Subject::None);
    open_uploads::remove_one(kv, &session.actor);
    let aborted = AbortedUpload { actor: session.actor, aborted_at: now, abort_index };
    evidence::save(kv, evidence_id, &Life::Aborted(aborted));
    Ok(Outcome::Aborted(abort_index))
}
