//! How long evidence is kept (rule R10). Whatever may one day end sealed evidence asks here; a
//! hold (rule R11) would be judged beside [`retain_until`].

use custos_core::{EvidenceKind, Refusal, Rule, Timestamp};

use crate::{Policy, RETENTION_DAYS_MIN};

/// Refuses a policy that keeps evidence for less than the floor.
pub(super) fn check_policy(policy: &Policy) -> Result<(), Refusal> {
    let periods = [
        ("retention_days_av", policy.retention_days_av),
        ("retention_days_other", policy.retention_days_other),
    ];
    for (field, days) in periods {
        if days < RETENTION_DAYS_MIN {
            let reason = format!("{days} days, evidence is kept for {RETENTION_DAYS_MIN} at least");
            return Err(Refusal::refused(Rule::R10, field, reason));
        }
    }
    Ok(())
}

/// Until when evidence of `kind` must be kept if its retention begins at `from`.
pub(super) fn retain_until(policy: &Policy, kind: EvidenceKind, from: Timestamp) -> Timestamp {
    let days =
        if kind.is_audio_visual() { policy.retention_days_av } else { policy.retention_days_other };
    from.plus_days(days)
}
