use custos_core::{Act, Refusal, Timestamp};

use super::operation;
use crate::{
    Envelope, Kv, Outcome,
    custody::{self, NewEntry, Subject},
};

/// Enters that somebody takes a copy of the whole ledger: names, places and cases leave it.
pub(super) fn record_backup(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    let entry = NewEntry {
        envelope,
        time: now,
        act: Act::ClusterChanged,
        evidence_id: None,
        record: None,
        detail: "a backup of the ledger is taken".to_owned(),
        descriptor: None,
    };
    let index = custody::append(kv, &entry, |_| Subject::None);
    Ok(Outcome::BackupRecorded(index))
}
