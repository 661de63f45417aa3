//! What all commands about nodes, disks, vaults and damage have in common.

use custos_core::{Act, Actor, DiskId, DiskRecord, NodeId, Refusal, Role, Rule, Timestamp};

use super::text;
use crate::{
    ABORT_REASON_BYTES_MAX, Envelope, Kv, KvRead,
    custody::{self, NewEntry, Subject},
    stored::{disk, node},
};

/// Longest name of a node or disk, and longest label: 64 bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest endpoint of a node: 256 bytes.
const ENDPOINT_BYTES_MAX: usize = 256;

/// Refuses whoever is neither the store itself nor a developer (rule R23).
pub(super) fn check_operator(actor: &Actor) -> Result<(), Refusal> {
    match actor.role {
        Role::System | Role::Developer | Role::Administrator => Ok(()),
        _ => {
            let name = custody::actor_name(actor);
            let reason = format!("{name} may not operate the cluster, its own services may");
            Err(Refusal::refused(Rule::R23, "actor", reason))
        }
    }
}

/// Refuses a name that is empty, longer than 64 bytes or more than one line.
pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), Refusal> {
    if name.is_empty() {
        return Err(Refusal::invalid(Rule::R14, field, "empty: people must be able to name it"));
    }
    check_label(field, name)
}

/// Refuses a label that is longer than 64 bytes or more than one line.
pub(super) fn check_label(field: &'static str, label: &str) -> Result<(), Refusal> {
    text::check_line(field, label, NAME_BYTES_MAX)
}

/// Refuses an endpoint that is longer than 256 bytes or more than one line.
pub(super) fn check_endpoint(endpoint: &str) -> Result<(), Refusal> {
    text::check_line("endpoint", endpoint, ENDPOINT_BYTES_MAX)
}

/// Refuses a reason that says nothing (rule R26), is too long or more than one line. `asked` is
/// what it should say.
pub(super) fn check_reason(asked: &str, reason: &str) -> Result<(), Refusal> {
    if reason.is_empty() {
        return Err(Refusal::invalid(Rule::R26, "reason", format!("empty: say {asked}")));
    }
    text::check_line("reason", reason, ABORT_REASON_BYTES_MAX)
}

/// Refuses a list of no items or of more than `items_max` (invariant I10).
pub(super) fn check_count(
    field: &'static str,
    count: usize,
    items_max: usize,
) -> Result<(), Refusal> {
    if (1..=items_max).contains(&count) {
        return Ok(());
    }
    let reason = format!("{count} items, 1 to {items_max} are allowed");
    Err(Refusal::invalid(Rule::I10, field, reason))
}

/// A disk of the map, or a refusal.
pub(super) fn known_disk(kv: &impl KvRead, disk_id: DiskId) -> Result<DiskRecord, Refusal> {
    disk::load(kv, disk_id).ok_or_else(|| {
        let reason = format!("the cluster has no disk {disk_id}");
        Refusal::not_found(Rule::R14, "disk_id", reason)
    })
}

/// The name of a node for a line of text, quoted; its id if the map does not know it.
pub(super) fn node_name(kv: &impl KvRead, id: NodeId) -> String {
    node::load(kv, id).map_or_else(|| id.to_string(), |node| format!("{:?}", node.name))
}

/// Enters a change of nodes, disks or vaults in the custody log.
pub(super) fn enter_change(kv: &mut impl Kv, envelope: &Envelope, now: Timestamp, detail: String) {
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::ClusterChanged,
        evidence_id: None,
        record: None,
        detail,
        descriptor: None,
    };
    custody::append(kv, &entry, |_| Subject::None);
}
