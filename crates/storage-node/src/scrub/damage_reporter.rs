use std::sync::Arc;
use std::time::Duration;

use custos_core::{
    Actor, ChunkIndex, DiskId, EvidenceId, Salt, ShardDamage, ShardKey, ShardSlot, VaultId,
};
use custos_ledger::{Answer, Command, Envelope, Query};
use custos_ports::{Entropy, Ledger, LedgerError};

/// Longest line about a damage, in bytes.
const WHAT_BYTES_MAX: usize = 200;
/// Pauses between tries to reach the ledger.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Puts damage on record in the ledger.
#[derive(Clone)]
pub(crate) struct DamageReporter {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) actor: Actor,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    /// It is on record.
    OnRecord,
    /// The ledger refuses it.
    Refused,
}

impl DamageReporter {
    /// Reports until the ledger has decided, with growing pauses: damage that was found is not
    /// forgotten because the ledger is away. The caller may drop the call to stop; its cursor must
    /// then stay before the shard.
    pub(crate) async fn report(&self, disk_id: DiskId, mut damage: ShardDamage) -> Reported {
        damage.what = one_line(&damage.what);
        let envelope = Envelope {
            request_id: self.entropy.array(),
            actor: self.actor.clone(),
            entry_salt: self.entropy.array(),
            command: Command::ReportDamage { disk_id, damage },
        };
        let mut pause = PAUSE_MIN;
        loop {
            match self.ledger.submit(envelope.clone()).await {
                Ok(_) => return Reported::OnRecord,
                Err(LedgerError::Refused(refusal)) => {
                    tracing::error!(%disk_id, %refusal, "damage could not be put on record");
                    return Reported::Refused;
                }
                Err(error) => {
                    tracing::warn!(%disk_id, %error, "damage waits for the ledger");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// A page of the shards of a disk that are on record as damaged, behind `after`; an empty one
    /// is the end.
    pub(crate) async fn on_record(
        &self,
        disk_id: DiskId,
        after: Option<ShardKey>,
    ) -> Result<Vec<ShardKey>, LedgerError> {
        let after = Some((disk_id, after.unwrap_or_else(before_all)));
        match self.ledger.query(Query::ListDamage { after, limit: 0, evidence_id: None }).await? {
            Answer::Damage { items, .. } => Ok(items
                .into_iter()
                .take_while(|item| item.disk_id == disk_id)
                .map(|item| item.damage.key)
                .collect()),
            _ => Err(LedgerError::Fault { reason: "no answer to ListDamage".to_owned() }),
        }
    }

    /// Takes a shard off the record.
    pub(crate) async fn is_whole(&self, disk_id: DiskId, key: ShardKey) -> Result<(), LedgerError> {
        let envelope = Envelope {
            request_id: self.entropy.array(),
            actor: self.actor.clone(),
            entry_salt: self.entropy.array(),
            command: Command::ReportRepair { disk_id, key },
        };
        self.ledger.submit(envelope).await.map(drop)
    }
}

/// Sorts before the key of every shard.
fn before_all() -> ShardKey {
    ShardKey {
        vault: VaultId(0),
        evidence_id: EvidenceId::from_bytes([0; 16]),
        chunk: ChunkIndex(0),
        slot: ShardSlot(0),
        salt: Salt([0; 16]),
    }
}

/// Without line breaks and not longer than the law takes.
fn one_line(text: &str) -> String {
    let mut line: String =
        text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let mut end = line.len().min(WHAT_BYTES_MAX);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported_is_one_line_of_bounded_length() {
        assert_eq!(one_line("a\nb"), "a b");
        let long = one_line(&"é".repeat(200));
        assert_eq!(long, "é".repeat(100));
    }
}
