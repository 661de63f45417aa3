use custos_core::{DiskId, DiskRecord, DiskState, Refusal, Rule, Timestamp};

use super::operation;
use crate::{
    Envelope, Kv, KvRead, Outcome,
    stored::{disk, map_epoch, vault},
};

/// Takes a disk out for good; again, it changes nothing.
pub(super) fn remove_disk(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    disk_id: DiskId,
    reason: &str,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_reason(reason, "say why the disk goes")?;
    let record = operation::known_disk(kv, disk_id)?;
    if record.state == DiskState::Removed {
        return Ok(Outcome::MapChanged(map_epoch::load(kv)));
    }
    check_unused(kv, disk_id)?;

    let detail = format!("disk {disk_id} {:?} removed for good: {reason}", record.name);
    operation::enter_change(kv, envelope, now, detail);
    disk::save(kv, &DiskRecord { state: DiskState::Removed, ..record });
    Ok(Outcome::MapChanged(map_epoch::advance(kv)))
}

fn check_unused(kv: &impl KvRead, disk_id: DiskId) -> Result<(), Refusal> {
    let used = vault::all(kv).iter().filter(|vault| vault.slots.contains(&disk_id)).count();
    if used == 0 {
        return Ok(());
    }
    let reason =
        format!("{used} vaults have a slot on disk {disk_id}: their slots must move first");
    Err(Refusal::refused(Rule::I1, "disk_id", reason))
}
