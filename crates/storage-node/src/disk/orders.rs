use std::collections::BTreeSet;
use std::sync::Arc;

use custos_core::law::{EvidenceName, LawAnswer, LawQuery, Record, RecordKind, RecordName};
use custos_core::{Act, CustodyEntry, EvidenceId, LogIndex, ShardEntry};
use custos_ledger::{Answer, Query};
use custos_ports::{
    Clock, Ledger, LedgerError, RemovalOrder, RemovalReason, ShardError, ShardKey, ShardStore,
};

/// Checks orders to remove shards against the ledger (invariant I3): whoever asks, nothing goes
/// that the custody log does not allow to go.
#[derive(Clone)]
pub(crate) struct Orders {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

impl Orders {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>) -> Self {
        Self { ledger, clock }
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
            RemovalReason::Disposition => {
                let index = order.ledger_index;
                let entry = self.entry(store, index).await?;
                expect(&entry, index, Act::DispositionOrdered, evidence_id).map_err(refused)?;
                self.expect_order(store, evidence_id, index).await?;
                self.refuse_early(store, keys).await?;
                Ok(keys.to_vec())
            }
            RemovalReason::Moved => {
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

    /// The end that the entry orders is the one that stands in the ledger now, or that was carried
    /// out already.
    async fn expect_order(
        &self,
        store: &dyn ShardStore,
        evidence_id: EvidenceId,
        index: LogIndex,
    ) -> Result<(), ShardError> {
        let refused =
            |reason: String| ShardError::NotOrdered { store: store.name().to_owned(), reason };
        let kind = RecordKind::Filing;
        let filing = LawQuery::Record(RecordName { kind, id: evidence_id.to_string() });
        if let LawAnswer::Records(page) = self.ask_law(store, filing).await?
            && let Some(Record::Filing(filing)) = page.items.first().map(|found| &found.record)
        {
            return match filing.ordered_at {
                Some(at) if at == index && filing.disposition.is_some() => Ok(()),
                Some(at) => Err(refused(format!("the order that stands is entry {at}"))),
                None => Err(refused(format!("no order to end {evidence_id} stands"))),
            };
        }
        let tombstone = LawQuery::Tombstone(EvidenceName { evidence: evidence_id });
        match self.ask_law(store, tombstone).await? {
            LawAnswer::Tombstone(tombstone) if tombstone.order_index == index => Ok(()),
            _ => Err(refused(format!("entry {index} did not end {evidence_id}"))),
        }
    }

    /// Refuses while what stands on this disk says that a shard must be kept: this machine's own
    /// clock and record, whatever anybody else says.
    async fn refuse_early(
        &self,
        store: &dyn ShardStore,
        keys: &[ShardKey],
    ) -> Result<(), ShardError> {
        let now = self.clock.now();
        let mut chunks: Vec<_> =
            keys.iter().map(|key| (key.vault, key.evidence_id, key.chunk)).collect();
        chunks.sort_unstable();
        chunks.dedup();
        for (vault, evidence_id, chunk) in chunks {
            let held = store.list_chunk(vault, evidence_id, chunk).await?;
            let kept =
                held.iter().find(|entry| keys.contains(&entry.key) && entry.retain_until > now);
            if let Some(entry) = kept {
                let reason = format!(
                    "this disk keeps it until {}, and here it is {now} ({})",
                    entry.retain_until, entry.key
                );
                return Err(ShardError::NotOrdered { store: store.name().to_owned(), reason });
            }
        }
        Ok(())
    }

    async fn ask_law(
        &self,
        store: &dyn ShardStore,
        query: LawQuery,
    ) -> Result<LawAnswer, ShardError> {
        match self.ledger.query(Query::Law(query)).await {
            Ok(Answer::Law(answer)) => Ok(*answer),
            Ok(_) => Err(unexpected(store)),
            Err(LedgerError::Refused(refusal)) => Err(ShardError::NotOrdered {
                store: store.name().to_owned(),
                reason: refusal.to_string(),
            }),
            Err(error) => Err(unanswered(store, &error)),
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
        self.ledger.query(query).await.map_err(|error| unanswered(store, &error))
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

fn unanswered(store: &dyn ShardStore, error: &LedgerError) -> ShardError {
    ShardError::Io {
        store: store.name().to_owned(),
        operation: "checking the order in the ledger",
        reason: error.to_string(),
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
