use std::collections::BTreeSet;

use custos_core::{DiskRecord, DiskState, NodeId, Refusal, Rule, Timestamp};

use super::operation;
use crate::{
    DISKS_MAX, DISKS_PER_COMMAND_MAX, DiskClaim, Envelope, Kv, KvRead, Outcome,
    stored::{disk, map_epoch, node},
};

/// Takes disks into service; the same again changes nothing. A higher generation alone makes no
/// entry, but an epoch: whoever holds a copy of the disk must see it.
///
/// A copy that was taken while the disk serves has all that the disk has: nothing on it says which
/// of the two it is. So the disk is the one in the node that the map names, until that is released.
pub(super) fn register_disks(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    node_id: NodeId,
    claims: &[DiskClaim],
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_count("disks", claims.len(), DISKS_PER_COMMAND_MAX)?;
    let node = node::load(kv, node_id).ok_or_else(|| {
        let reason = format!("no node {node_id} is registered: the node comes before its disks");
        Refusal::not_found(Rule::R14, "node_id", reason)
    })?;
    let mut claimed = BTreeSet::new();
    let mut changes = Vec::new();
    for claim in claims {
        if !claimed.insert(claim.disk_id) {
            let reason = format!("disk {} is named twice: one of them is a copy", claim.disk_id);
            return Err(Refusal::invalid(Rule::R14, "disks", reason));
        }
        check_fields(claim)?;
        let before = disk::load(kv, claim.disk_id);
        if let Some(before) = &before {
            check_claim(kv, node_id, claim, before)?;
        }
        let after = record(node_id, claim);
        if before.as_ref() != Some(&after) {
            changes.push((before, after));
        }
    }
    check_total(kv, changes.iter().filter(|(before, _)| before.is_none()).count())?;
    if changes.is_empty() {
        return Ok(Outcome::MapChanged(map_epoch::load(kv)));
    }

    let details: Vec<String> =
        changes.iter().filter_map(|(before, after)| detail(kv, before.as_ref(), after)).collect();
    if !details.is_empty() {
        let detail = format!("node {:?}: {}", node.name, details.join("; "));
        operation::enter_change(kv, envelope, now, detail);
    }
    for (_, after) in &changes {
        disk::save(kv, after);
    }
    Ok(Outcome::MapChanged(map_epoch::advance(kv)))
}

fn record(node_id: NodeId, claim: &DiskClaim) -> DiskRecord {
    DiskRecord {
        disk_id: claim.disk_id,
        node_id,
        name: claim.name.clone(),
        weight: claim.weight,
        generation: claim.generation,
        opening: claim.opening,
        state: DiskState::InService,
    }
}

fn check_fields(claim: &DiskClaim) -> Result<(), Refusal> {
    operation::check_name("name", &claim.name)?;
    if claim.weight == 0 {
        let reason = format!("disk {} weighs nothing, 1 (GiB) is the least", claim.disk_id);
        return Err(Refusal::invalid(Rule::R14, "weight", reason));
    }
    if claim.generation.0 == 0 {
        let reason = format!("disk {} claims generation 0, the first is 1", claim.disk_id);
        return Err(Refusal::invalid(Rule::R14, "generation", reason));
    }
    Ok(())
}

/// A claim is good when nothing was opened since the generation that stands on the disk and no other
/// node has the disk, or when it repeats the opening that stands in the map, in the same node: a copy
/// that was taken while the opening was pending carries its name too.
fn check_claim(
    kv: &impl KvRead,
    node_id: NodeId,
    claim: &DiskClaim,
    recorded: &DiskRecord,
) -> Result<(), Refusal> {
    let disk_id = claim.disk_id;
    if recorded.state == DiskState::Removed {
        let reason = format!(
            "disk {disk_id} was removed for good: wipe it, and it joins under a new identity"
        );
        return Err(Refusal::refused(Rule::R14, "disk_id", reason));
    }
    if claim.generation > recorded.generation {
        return check_owner(kv, node_id, recorded);
    }
    if claim.generation == recorded.generation && claim.opening == recorded.opening {
        if node_id == recorded.node_id {
            return Ok(());
        }
        let node = operation::node_name(kv, recorded.node_id);
        let reason = format!(
            "disk {disk_id} was being opened in node {node}, which has it since: this is a copy; \
             a disk that was moved in that moment starts once more in node {node} first"
        );
        return Err(Refusal::refused(Rule::R14, "generation", reason));
    }
    let reason = format!(
        "disk {disk_id} was opened as generation {} since, in node {}; this copy has {}: it is a \
         copy or an old state of that disk, keep it out and use the disk itself",
        recorded.generation,
        operation::node_name(kv, recorded.node_id),
        claim.generation.0 - 1,
    );
    Err(Refusal::refused(Rule::R14, "generation", reason))
}

/// Refuses the disk of another node, unless that has given it up.
fn check_owner(kv: &impl KvRead, node_id: NodeId, recorded: &DiskRecord) -> Result<(), Refusal> {
    if recorded.node_id == node_id || recorded.state == DiskState::Released {
        return Ok(());
    }
    let DiskRecord { disk_id, .. } = recorded;
    let reason = format!(
        "disk {disk_id} is in service in node {}: this is a copy of it, or it was moved without \
         being released; keep the copy out, or, if the disk itself is here now, release it and \
         then add it: `custos disk release {disk_id} --reason TEXT`",
        operation::node_name(kv, recorded.node_id)
    );
    Err(Refusal::refused(Rule::R14, "node_id", reason))
}

fn check_total(kv: &impl KvRead, new: usize) -> Result<(), Refusal> {
    if new == 0 || disk::all(kv).len() + new <= DISKS_MAX {
        return Ok(());
    }
    let reason = format!("{new} more disks would be more than {DISKS_MAX}, the most of a cluster");
    Err(Refusal::refused(Rule::I10, "disks", reason))
}

/// What the entry says of one disk; `None` when it was only opened anew.
fn detail(kv: &impl KvRead, before: Option<&DiskRecord>, after: &DiskRecord) -> Option<String> {
    let DiskRecord { disk_id, name, weight, generation, .. } = after;
    let Some(before) = before else {
        return Some(format!("disk {disk_id} {name:?} of weight {weight} taken into service"));
    };
    if before.node_id != after.node_id {
        let from = operation::node_name(kv, before.node_id);
        return Some(format!("disk {disk_id} {name:?} moved here from node {from}"));
    }
    if before.state == DiskState::Released {
        return Some(format!(
            "disk {disk_id} {name:?} of weight {weight} taken into service again"
        ));
    }
    let opened = DiskRecord { generation: *generation, opening: after.opening, ..before.clone() };
    (opened != *after).then(|| {
        format!(
            "disk {disk_id} is now {name:?} of weight {weight}, before {:?} of weight {}",
            before.name, before.weight
        )
    })
}
