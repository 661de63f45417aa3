//! How long evidence is kept at least, as its seal says (rule R10).

use custos_core::{Descriptor, Refusal, Rule, Timestamp, law::LawPolicy};

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

/// Until when evidence must be kept at least if its retention begins at `from`; what else keeps it
/// is `keeping.rs`'s to say.
pub(super) fn least(policy: &LawPolicy, descriptor: &Descriptor, from: Timestamp) -> Timestamp {
    let of_kind = policy.days_of_kind(descriptor.kind);
    let classification =
        descriptor.classification.map_or(0, |it| policy.days_of_classification(it));
    from.plus_days(of_kind.max(classification))
}
