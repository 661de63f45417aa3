use std::collections::HashSet;

use custos_codec::CrownEntry;
use custos_core::{EvidenceId, EvidenceRecord, LogIndex, Salt, VaultId};
use custos_ports::{RemovalOrder, RemovalReason, ShardError, ShardKey};
use futures::{StreamExt, stream};
use tracing::{debug, warn};

use crate::{Gateway, stores::StoreAccess, strays::DISKS_ASKED_MAX};

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
        remove_unless(&gateway, (record.vault, record.evidence_id), order, &kept).await;
    });
}

/// Removes, in the background, every shard of an upload that was given up.
pub(super) fn spawn_aborted(gateway: Gateway, upload: (VaultId, EvidenceId), index: LogIndex) {
    let order = RemovalOrder { reason: RemovalReason::AbortedUpload, ledger_index: index };
    tokio::spawn(async move {
        remove_unless(&gateway, upload, order, &HashSet::new()).await;
    });
}

/// Asks every disk in service: any of them may hold a shard that strayed from its home.
async fn remove_unless(
    gateway: &Gateway,
    upload: (VaultId, EvidenceId),
    order: RemovalOrder,
    kept: &HashSet<Salt>,
) {
    let map = gateway.inner.deps.cluster.map();
    let disks: Vec<_> = map.disks_in_service().map(|disk| disk.disk_id).collect();
    let removals = stream::iter(disks).for_each_concurrent(DISKS_ASKED_MAX, |disk| async move {
        if let Err(error) = remove_from(&gateway.store(disk), upload, order, kept).await {
            // They stay as garbage that a later scrub finds; nothing is lost.
            warn!(evidence = %upload.1, %error, "stale shards were not removed");
        }
    });
    removals.await;
}

/// Removes, page by page, what a store lists of an upload, but for the attempts that are kept.
pub(crate) async fn remove_from(
    store: &StoreAccess,
    (vault, evidence_id): (VaultId, EvidenceId),
    order: RemovalOrder,
    kept: &HashSet<Salt>,
) -> Result<(), ShardError> {
    let mut after: Option<ShardKey> = None;
    loop {
        let page = store.list(vault, evidence_id, after, BATCH_ITEMS).await?;
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
