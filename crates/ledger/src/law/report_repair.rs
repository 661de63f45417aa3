use custos_core::{Act, DiskId, Refusal, ShardKey, Timestamp};

use super::operation;
use crate::{
    Envelope, Kv, Outcome,
    custody::{self, NewEntry, Subject},
    stored::damage,
};

/// Takes a damaged shard off the record; of one that is not on it, nothing changes.
pub(super) fn report_repair(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    disk_id: DiskId,
    key: &ShardKey,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    let Some(record) = damage::load(kv, disk_id, key) else {
        return Ok(Outcome::DamageNoted);
    };
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::DamageRepaired,
        evidence_id: Some(key.evidence_id),
        record: None,
        detail: format!("{key} on disk {disk_id}, found in entry {}", record.log_index),
        descriptor: None,
    };
    custody::append(kv, &entry, |_| Subject::None);
    damage::remove(kv, disk_id, key);
    Ok(Outcome::DamageNoted)
}
