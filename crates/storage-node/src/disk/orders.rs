use std::collections::BTreeSet;
use std::sync::Arc;

use custos_core::{Act, CustodyEntry, EvidenceId, LogIndex, ShardEntry};
use custos_ledger::{Answer, Query};
use custos_ports::{Ledger, RemovalOrder, RemovalReason, ShardError, ShardKey, ShardStore};

/// Checks orders to remove shards against the ledger (invariant I3): whoever asks, nothing goes
/// that the custody log does not allow to go.
#[derive(Clone)]
pub(crate) struct Orders {
    ledger: Arc<dyn Ledger>,
}

impl Orders {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger }
    }

    /// Those of `keys` that may go from `store`.
    ///
    /// # Errors
    /// `NotOrdered` when the order does not allow one of them; `Io` when the ledger does not
    /// answer.
    pub(crate) async fn check(
        &self,
        store: &dyn ShardStore,
        keys: &[ShardKey],
        order: RemovalOrder,
    ) -> Result<Vec<ShardKey>, ShardError> {
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        let evidence_id = first.evidence_id;
        let refused =
            |reason: String| ShardError::NotOrdered { store: store.name().to_owned(), reason };
        if keys.iter().any(|key| key.evidence_id != evidence_id) {
            return Err(refused("one order is about one evidence item only".to_owned()));
        }
        match order.reason {
            RemovalReason::Moved | RemovalReason::Disposition => {
                let reason = order.reason.name();
                Err(refused(format!("no entry of the custody log can order {reason} yet")))
            }
            RemovalReason::AbortedUpload => {
                let index = order.ledger_index;
                let entry = self.entry(store, index).await?;
                expect(&entry, index, Act::UploadAborted, evidence_id).map_err(refused)?;
                Ok(keys.to_vec())
            }
            RemovalReason::SupersededAttempt => {
                let index = order.ledger_index;
                let entry = self.entry(store, index).await?;
                expect(&entry, index, Act::Sealed, evidence_id).map_err(refused)?;
                self.refuse_head(store, keys, evidence_id).await?;
                superseded(store, keys).await
            }
        }
    }

    /// Refuses to remove the attempt that the seal names.
    async fn refuse_head(
        &self,
        store: &dyn ShardStore,
        keys: &[ShardKey],
        evidence_id: EvidenceId,
    ) -> Result<(), ShardError> {
        let answer = self.ask(store, Query::Evidence(evidence_id)).await?;
        let refused =
            |reason: String| ShardError::NotOrdered { store: store.name().to_owned(), reason };
        let Answer::Evidence(Some(record)) = answer else {
            return Err(refused(format!("evidence {evidence_id} is not sealed")));
        };
        match keys.iter().find(|key| Some(key.salt) == record.parts.head_salt) {
            Some(key) => Err(refused(format!("the seal names this attempt ({key})"))),
            None => Ok(()),
        }
    }

    async fn entry(
        &self,
        store: &dyn ShardStore,
        index: LogIndex,
    ) -> Result<Option<CustodyEntry>, ShardError> {
        let query = Query::Entries { from: index, limit: 1, evidence_id: None, record: None };
        match self.ask(store, query).await? {
            Answer::Entries { items, .. } => {
                Ok(items.into_iter().next().filter(|entry| entry.index == index))
            }
            _ => Err(unexpected(store)),
        }
    }

    async fn ask(&self, store: &dyn ShardStore, query: Query) -> Result<Answer, ShardError> {
        self.ledger.query(query).await.map_err(|error| ShardError::Io {
            store: store.name().to_owned(),
            operation: "checking the order in the ledger",
            reason: error.to_string(),
        })
    }

    /// The index of the newest entry of the custody log.
    pub(crate) async fn newest_entry(
        &self,
        store: &dyn ShardStore,
    ) -> Result<LogIndex, ShardError> {
        match self.ask(store, Query::Checkpoint).await? {
            Answer::Checkpoint(checkpoint) => Ok(LogIndex(checkpoint.size.saturating_sub(1))),
            _ => Err(unexpected(store)),
        }
    }
}

fn unexpected(store: &dyn ShardStore) -> ShardError {
    ShardError::Io {
        store: store.name().to_owned(),
        operation: "checking the order in the ledger",
        reason: "it answered something else".to_owned(),
    }
}

fn expect(
    entry: &Option<CustodyEntry>,
    index: LogIndex,
    act: Act,
    evidence_id: EvidenceId,
) -> Result<(), String> {
    let Some(entry) = entry else { return Err(format!("the custody log has no entry {index}")) };
    if entry.act != act {
        return Err(format!("entry {index} of the custody log says {}, not {act}", entry.act));
    }
    if entry.evidence_id != Some(evidence_id) {
        return Err(format!("entry {index} of the custody log is not about {evidence_id}"));
    }
    Ok(())
}

/// Those keys beside which this store holds another attempt that stays. The seal of evidence of
/// several chunks names the attempt of its crown only, so of the others one is always kept.
async fn superseded(
    store: &dyn ShardStore,
    keys: &[ShardKey],
) -> Result<Vec<ShardKey>, ShardError> {
    let doomed: BTreeSet<ShardKey> = keys.iter().copied().collect();
    let mut allowed = Vec::new();
    let mut listed: Option<(ShardKey, Vec<ShardEntry>)> = None;
    for key in &doomed {
        let same = |other: &ShardKey| {
            (other.vault, other.evidence_id, other.chunk) == (key.vault, key.evidence_id, key.chunk)
        };
        // Keys come in order, so those of one chunk are neighbours and it is listed once.
        let held = match listed.take().filter(|(of, _)| same(of)) {
            Some((_, held)) => held,
            None => store.list_chunk(key.vault, key.evidence_id, key.chunk).await?,
        };
        let stays =
            held.iter().any(|entry| entry.key.slot == key.slot && !doomed.contains(&entry.key));
        match stays {
            true => allowed.push(*key),
            false => tracing::info!(store = store.name(), %key, "kept: no other attempt is here"),
        }
        listed = Some((*key, held));
    }
    Ok(allowed)
}
