use custos_core::{Act, DiskId, Refusal, Rule, ShardDamage, Timestamp};

use super::{operation, text};
use crate::{
    DAMAGE_ITEMS_MAX, DAMAGE_TEXT_BYTES_MAX, DamageRecord, Envelope, Kv, Outcome,
    custody::{self, NewEntry, Subject},
    stored::damage,
};

/// Puts a damaged shard on record; the same shard again changes nothing.
pub(super) fn report_damage(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    disk_id: DiskId,
    found: &ShardDamage,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    text::check_line("what", &found.what, DAMAGE_TEXT_BYTES_MAX)?;
    let disk = operation::known_disk(kv, disk_id)?;
    if damage::load(kv, disk_id, &found.key).is_some() {
        damage::list_by_evidence(kv, disk_id, &found.key);
        return Ok(Outcome::DamageNoted);
    }
    if damage::count(kv) >= DAMAGE_ITEMS_MAX {
        let reason = format!(
            "{DAMAGE_ITEMS_MAX} damaged shards are on record, the most that are kept: repair some"
        );
        return Err(Refusal::refused(Rule::I10, "damage", reason));
    }

    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::DamageFound,
        evidence_id: Some(found.key.evidence_id),
        record: None,
        detail: format!("{} on disk {disk_id} {:?}: {}", found.key, disk.name, found.what),
        descriptor: None,
    };
    let log_index = custody::append(kv, &entry, |_| Subject::None);
    let record = DamageRecord { disk_id, damage: found.clone(), reported_at: now, log_index };
    damage::enter(kv, &record);
    Ok(Outcome::DamageNoted)
}
