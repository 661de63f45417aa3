use std::collections::HashSet;

use custos_codec::CrownEntry;
use custos_core::{EvidenceId, EvidenceRecord, LogIndex, Salt};
use custos_ports::{RemovalOrder, RemovalReason, ShardKey, ShardStore};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::{Gateway, context::VAULT, error::no_answer};

/// Shards removed with one call.
const BATCH_ITEMS: usize = 256;

/// Removes, in the background, the shards of attempts that the seal does not name.
pub(super) fn spawn(gateway: Gateway, record: EvidenceRecord, crown: Vec<CrownEntry>) {
    tokio::spawn(async move {
        let mut kept: HashSet<Salt> = crown.into_iter().map(|entry| entry.salt).collect();
        kept.extend(record.parts.head_salt);
        let order = RemovalOrder {
            reason: RemovalReason::SupersededAttempt,
            ledger_index: record.seal_index,
        };
        remove_unless(&gateway, record.evidence_id, order, &kept).await;
    });
}

/// Removes, in the background, every shard of an upload that was given up.
pub(super) fn spawn_aborted(gateway: Gateway, evidence_id: EvidenceId, index: LogIndex) {
    let order = RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: index };
    tokio::spawn(async move {
        remove_unless(&gateway, evidence_id, order, &HashSet::new()).await;
    });
}

async fn remove_unless(
    gateway: &Gateway,
    evidence_id: EvidenceId,
    order: RemovalOrder,
    kept: &HashSet<Salt>,
) {
    for store in &gateway.inner.deps.stores {
        let removal = remove_from(store.as_ref(), evidence_id, order, kept);
        let outcome = timeout(gateway.inner.options.write_deadline, removal).await;
        let outcome = outcome.unwrap_or_else(|_| Err(no_answer(store.as_ref(), "remove")));
        if let Err(error) = outcome {
            // They stay as garbage that a later scrub finds; nothing is lost.
            warn!(evidence = %evidence_id, %error, "stale shards were not removed");
        }
    }
}

async fn remove_from(
    store: &dyn ShardStore,
    evidence_id: EvidenceId,
    order: RemovalOrder,
    kept: &HashSet<Salt>,
) -> Result<(), custos_ports::ShardError> {
    let mut after: Option<ShardKey> = None;
    loop {
        let page = store.list(VAULT, evidence_id, after, BATCH_ITEMS).await?;
        after = page.items.last().map(|entry| entry.key);
        let stale: Vec<_> = page
            .items
            .into_iter()
            .map(|entry| entry.key)
            .filter(|key| !kept.contains(&key.salt))
            .collect();
        if !stale.is_empty() {
            debug!(evidence = %evidence_id, shards = stale.len(), "removing stale shards");
            store.remove(&stale, order).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}
