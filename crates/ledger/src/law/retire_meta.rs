use custos_core::{Actor, MetaId, MetaMember, MetaMemberState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{Envelope, Kv, Outcome, stored::meta_member};

/// Takes a metadata node out of the group for good; again, it changes nothing.
pub(super) fn retire_meta(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    id: MetaId,
    reason: &str,
) -> Result<Outcome, Refusal> {
    let members = meta_member::all(kv);
    let member = check_retire_meta(&members, &envelope.actor, id, reason)?.clone();
    if member.state == MetaMemberState::Retired {
        return Ok(Outcome::MetaRetired(member));
    }

    let detail = format!("metadata node {id} {:?} retired for good: {reason}", member.name);
    operation::enter_change(kv, envelope, now, detail);
    let retired = MetaMember { state: MetaMemberState::Retired, ..member };
    meta_member::save(kv, &retired);
    Ok(Outcome::MetaRetired(retired))
}

/// Says what [`Command::RetireMeta`](crate::Command) would be refused for while these are the
/// metadata nodes, without doing it; gives the one that it is about. Who must act elsewhere first
/// asks here.
///
/// # Errors
/// The refusal of the law.
pub fn check_retire_meta<'m>(
    members: &'m [MetaMember],
    actor: &Actor,
    id: MetaId,
    reason: &str,
) -> Result<&'m MetaMember, Refusal> {
    operation::check_operator(actor)?;
    operation::check_reason("why the metadata node goes", reason)?;
    let member = members.iter().find(|member| member.id == id).ok_or_else(|| {
        let reason = format!("the ledger's group never had a metadata node {id}");
        Refusal::not_found(Rule::R14, "id", reason)
    })?;
    if member.state == MetaMemberState::Admitted {
        check_not_last(members, member)?;
    }
    Ok(member)
}

fn check_not_last(members: &[MetaMember], member: &MetaMember) -> Result<(), Refusal> {
    let is_other = |it: &MetaMember| it.id != member.id && it.state == MetaMemberState::Admitted;
    if members.iter().any(is_other) {
        return Ok(());
    }
    let reason = format!(
        "metadata node {} {:?} is the last that keeps the ledger: admit another one first",
        member.id, member.name
    );
    Err(Refusal::refused(Rule::R14, "id", reason))
}
