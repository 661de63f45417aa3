use custos_core::{MetaId, MetaMember, MetaMemberState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{Envelope, Kv, KvRead, Outcome, stored::meta_member};

/// Takes a metadata node out of the group for good; again, it changes nothing.
pub(super) fn retire_meta(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    id: MetaId,
    reason: &str,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_reason("why the metadata node goes", reason)?;
    let member = meta_member::load(kv, id).ok_or_else(|| {
        let reason = format!("the ledger's group never had a metadata node {id}");
        Refusal::not_found(Rule::R14, "id", reason)
    })?;
    if member.state == MetaMemberState::Retired {
        return Ok(Outcome::MetaRetired(member));
    }
    check_not_last(kv, &member)?;

    let detail = format!("metadata node {id} {:?} retired for good: {reason}", member.name);
    operation::enter_change(kv, envelope, now, detail);
    let retired = MetaMember { state: MetaMemberState::Retired, ..member };
    meta_member::save(kv, &retired);
    Ok(Outcome::MetaRetired(retired))
}

fn check_not_last(kv: &impl KvRead, member: &MetaMember) -> Result<(), Refusal> {
    let is_other = |it: &MetaMember| it.id != member.id && it.state == MetaMemberState::Admitted;
    if meta_member::all(kv).iter().any(is_other) {
        return Ok(());
    }
    let reason = format!(
        "metadata node {} {:?} is the last that keeps the ledger: admit another one first",
        member.id, member.name
    );
    Err(Refusal::refused(Rule::R14, "id", reason))
}
