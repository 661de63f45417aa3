use custos_core::{MetaMember, MetaMemberState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{Envelope, Kv, META_MEMBERS_EVER_MAX, META_MEMBERS_MAX, Outcome, stored::meta_member};

/// What `Command::AdmitMeta` asks for.
pub(super) struct AdmitMeta<'a> {
    pub(super) token: [u8; 16],
    pub(super) name: &'a str,
    pub(super) endpoint: &'a str,
}

/// Admits a metadata node under a new id, or finds the member of this token and what it says of
/// itself now; the same again changes nothing.
pub(super) fn admit_meta(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    request: &AdmitMeta<'_>,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_name("name", request.name)?;
    operation::check_endpoint(request.endpoint)?;
    let members = meta_member::all(kv);
    let known = members.iter().find(|member| member.token == request.token);
    if let Some(retired) = known.filter(|member| member.state == MetaMemberState::Retired) {
        let reason = format!(
            "metadata node {} {:?} was removed: empty its folder, and it joins as a new one",
            retired.id, retired.name
        );
        return Err(Refusal::refused(Rule::R14, "token", reason));
    }
    let others: Vec<&MetaMember> = members
        .iter()
        .filter(|it| it.state == MetaMemberState::Admitted && it.token != request.token)
        .collect();
    check_unique(&others, request)?;
    check_reachable(&others, request)?;

    let Some(before) = known else {
        check_count(members.len(), others.len())?;
        let member = MetaMember {
            id: meta_member::give_id(kv),
            name: request.name.to_owned(),
            endpoint: request.endpoint.to_owned(),
            token: request.token,
            state: MetaMemberState::Admitted,
            admitted_at: now,
        };
        let detail = format!("metadata node {} admitted: {}", member.id, place(&member));
        return Ok(admitted(kv, envelope, now, member, detail));
    };
    let after = MetaMember {
        name: request.name.to_owned(),
        endpoint: request.endpoint.to_owned(),
        ..before.clone()
    };
    if after == *before {
        return Ok(Outcome::MetaAdmitted(after));
    }
    let detail =
        format!("metadata node {} is now {}, before {}", after.id, place(&after), place(before));
    Ok(admitted(kv, envelope, now, after, detail))
}

fn admitted(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    member: MetaMember,
    detail: String,
) -> Outcome {
    operation::enter_change(kv, envelope, now, detail);
    meta_member::save(kv, &member);
    Outcome::MetaAdmitted(member)
}

fn check_unique(others: &[&MetaMember], request: &AdmitMeta<'_>) -> Result<(), Refusal> {
    if let Some(other) = others.iter().find(|other| other.name == request.name) {
        let reason = format!(
            "metadata node {} has the name {:?} already: give this one another, or retire that one \
             first",
            other.id, other.name
        );
        return Err(Refusal::refused(Rule::R14, "name", reason));
    }
    let is_reachable = !request.endpoint.is_empty();
    if let Some(other) =
        others.iter().find(|other| is_reachable && other.endpoint == request.endpoint)
    {
        let reason = format!(
            "metadata node {} {:?} is at {} already: give this one another, or retire that one first",
            other.id, other.name, other.endpoint
        );
        return Err(Refusal::refused(Rule::R14, "endpoint", reason));
    }
    Ok(())
}

/// The members of a group must reach each other; only one that is alone may have no endpoint.
fn check_reachable(others: &[&MetaMember], request: &AdmitMeta<'_>) -> Result<(), Refusal> {
    if let Some(other) = others.first().filter(|_| request.endpoint.is_empty()) {
        let reason = format!(
            "empty: metadata node {} {:?} could not reach it, say where it listens",
            other.id, other.name
        );
        return Err(Refusal::invalid(Rule::R14, "endpoint", reason));
    }
    if let Some(other) = others.iter().find(|other| other.endpoint.is_empty()) {
        let reason = format!(
            "metadata node {} {:?} has none, so no other could reach it: give it one, and start it \
             again first",
            other.id, other.name
        );
        return Err(Refusal::refused(Rule::R14, "endpoint", reason));
    }
    Ok(())
}

fn check_count(ever: usize, admitted: usize) -> Result<(), Refusal> {
    if admitted >= META_MEMBERS_MAX {
        let reason = format!(
            "{admitted} metadata nodes are admitted, the most that the group can have: retire one \
             first"
        );
        return Err(Refusal::refused(Rule::I10, "members", reason));
    }
    if ever >= META_MEMBERS_EVER_MAX {
        let reason = format!("{ever} metadata nodes were admitted so far, the most that are kept");
        return Err(Refusal::refused(Rule::I10, "members", reason));
    }
    Ok(())
}

fn place(member: &MetaMember) -> String {
    let endpoint = if member.endpoint.is_empty() { "no endpoint" } else { &member.endpoint };
    format!("{:?} at {endpoint}", member.name)
}
