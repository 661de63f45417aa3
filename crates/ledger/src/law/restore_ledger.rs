use custos_core::{MetaMember, MetaMemberState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{Envelope, Kv, META_MEMBERS_EVER_MAX, Outcome, stored::meta_member};

/// Lets the ledger go on from a backup with one metadata node, which no other was; the same token
/// again changes nothing.
pub(super) fn restore_ledger(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    token: [u8; 16],
    source: &str,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_reason("from which backup", source)?;
    let members = meta_member::all(kv);
    if let Some(known) = members.iter().find(|member| member.token == token) {
        return Ok(Outcome::MetaAdmitted(known.clone()));
    }
    if members.len() >= META_MEMBERS_EVER_MAX {
        let reason = format!("{} metadata nodes were admitted so far, the most", members.len());
        return Err(Refusal::refused(Rule::I10, "members", reason));
    }
    if members.is_empty() {
        // The one that kept the ledger alone never asked to be admitted: it is node 1.
        meta_member::give_id(kv);
    }
    let id = meta_member::give_id(kv);
    let mut gone = Vec::new();
    for member in members {
        if member.state == MetaMemberState::Admitted {
            gone.push(format!("{} {:?}", member.id, member.name));
            let state = MetaMemberState::Retired;
            meta_member::save(kv, &MetaMember { state, ..member });
        }
    }
    let gone = if gone.is_empty() { "none".to_owned() } else { gone.join(", ") };
    let detail = format!(
        "the ledger goes on from {source}: metadata node {id} keeps it, retired for good: {gone}"
    );
    operation::enter_change(kv, envelope, now, detail);
    let restored = MetaMember {
        id,
        name: format!("restored-{id}"),
        endpoint: String::new(),
        token,
        state: MetaMemberState::Admitted,
        admitted_at: now,
    };
    meta_member::save(kv, &restored);
    Ok(Outcome::MetaAdmitted(restored))
}
