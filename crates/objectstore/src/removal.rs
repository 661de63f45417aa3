//! Removes shards' objects.

use std::collections::{BTreeMap, BTreeSet};

use custos_core::{EvidenceId, VaultId};
use custos_ports::{ShardError, ShardKey};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::bucket_disk::BucketDisk;
use crate::failure::Failure;
use crate::limits::HEADS_IN_FLIGHT_MAX;

impl BucketDisk {
    pub(crate) async fn remove_shards(&self, keys: &[ShardKey]) -> Result<(), ShardError> {
        let _turn = self.removals.lock().await;
        let mut by_evidence: BTreeMap<(VaultId, EvidenceId), BTreeSet<ShardKey>> = BTreeMap::new();
        for key in keys {
            by_evidence.entry((key.vault, key.evidence_id)).or_default().insert(*key);
        }
        for keys in by_evidence.values() {
            // Only for the count: what the listing misses is removed all the same.
            let sizes = self.sizes(keys).await;
            let sizes = self.note("list what is removed", sizes)?;
            let removals = keys.iter().copied().map(|key| async move {
                self.bucket.delete(&self.names.shard(&key)).await.map(|()| key)
            });
            let mut removals = stream::iter(removals).buffer_unordered(HEADS_IN_FLIGHT_MAX);
            while let Some(key) = removals.try_next().await.map_err(|f| self.failed("remove", f))? {
                if let Some(len) = sizes.get(&key) {
                    self.census.lock().removed(&key, *len);
                }
            }
        }
        Ok(())
    }

    /// Sizes of those of the objects that are there; all are of one evidence item.
    async fn sizes(&self, keys: &BTreeSet<ShardKey>) -> Result<BTreeMap<ShardKey, u64>, Failure> {
        let mut sizes = BTreeMap::new();
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(sizes) };
        let prefix = self.names.evidence(first.vault, first.evidence_id);
        let mut after = self.names.shard(first);
        // A listing begins after a name: one that comes just before the first.
        after.pop();
        loop {
            let page = self.bucket.list(&prefix, Some(&after), 1000).await?;
            for (name, len) in &page.objects {
                if let Some(key) = self.names.parse(name).filter(|key| keys.contains(key)) {
                    sizes.insert(key, *len);
                }
            }
            match page.objects.last() {
                Some((name, _)) if page.more && *name < self.names.shard(last) => {
                    after.clone_from(name);
                }
                _ => return Ok(sizes),
            }
        }
    }
}
