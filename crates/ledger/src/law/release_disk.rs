use custos_core::{DiskId, DiskRecord, DiskState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{
    Envelope, Kv, Outcome,
    stored::{disk, map_epoch},
};

/// Gives a disk up for the node that has it: the one way by which it comes to another node. Again,
/// it changes nothing. Its slots stay on it, for it is coming back.
pub(super) fn release_disk(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    disk_id: DiskId,
    reason: &str,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_reason("why the disk is given up", reason)?;
    let record = operation::known_disk(kv, disk_id)?;
    match record.state {
        DiskState::InService => {}
        DiskState::Released => return Ok(Outcome::MapChanged(map_epoch::load(kv))),
        DiskState::Removed => {
            let reason = format!("disk {disk_id} was removed for good: no node has it");
            return Err(Refusal::refused(Rule::R14, "disk_id", reason));
        }
    }

    let node = operation::node_name(kv, record.node_id);
    let detail = format!("disk {disk_id} {:?} released by node {node}: {reason}", record.name);
    operation::enter_change(kv, envelope, now, detail);
    disk::save(kv, &DiskRecord { state: DiskState::Released, ..record });
    Ok(Outcome::MapChanged(map_epoch::advance(kv)))
}
