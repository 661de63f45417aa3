use custos_core::{Act, Refusal, Rule, Timestamp};

use super::{retention, text};
use crate::{
    Envelope, Kv, ORIGIN_BYTES_MAX, Outcome,
    custody::{self, NewEntry, Subject},
    stored::cluster::{self, Cluster},
};

/// Begins the cluster and its custody log; beginning again in the same way changes nothing.
pub(super) fn init_cluster(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    asked: Cluster,
    begun: Option<Cluster>,
) -> Result<Outcome, Refusal> {
    if let Some(begun) = begun {
        return check_same(&begun, &asked).map(|()| Outcome::Initialised);
    }
    check_origin(&asked.origin)?;
    retention::check_policy(&asked.policy)?;

    cluster::save(kv, &asked);
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::Genesis,
        evidence_id: None,
        record: None,
        detail: format!(
            "cluster {} began, audio-visual evidence kept {} days, other {} days",
            asked.origin, asked.policy.retention_days_av, asked.policy.retention_days_other
        ),
        descriptor: None,
    };
    let Cluster { origin, policy, routing: _ } = asked;
    custody::append(kv, &entry, |_| Subject::Genesis { origin, policy });
    Ok(Outcome::Initialised)
}

fn check_same(begun: &Cluster, asked: &Cluster) -> Result<(), Refusal> {
    if begun.origin != asked.origin {
        let reason = format!("the cluster has begun as {}", begun.origin);
        return Err(Refusal::refused(Rule::I3, "origin", reason));
    }
    if begun.policy != asked.policy {
        let reason = "the cluster has begun under another policy";
        return Err(Refusal::refused(Rule::I3, "policy", reason));
    }
    Ok(())
}

/// The origin is the key name of signed notes (C2SP signed-note): not empty, no blanks, no `+`.
fn check_origin(origin: &str) -> Result<(), Refusal> {
    text::check_line("origin", origin, ORIGIN_BYTES_MAX)?;
    if origin.is_empty() || origin.chars().any(|c| c.is_whitespace() || c == '+') {
        let reason = "names the custody log: not empty, without blanks and plus signs";
        return Err(Refusal::invalid(Rule::R26, "origin", reason));
    }
    Ok(())
}
