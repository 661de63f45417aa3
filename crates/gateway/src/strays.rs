use custos_core::{ChunkIndex, DiskId, EvidenceId, VaultId};
use custos_ports::ShardEntry;
use futures::{StreamExt, stream};
use tracing::debug;

use crate::{Gateway, homes::Homes};

/// Disks that are asked at once for shards that are not at home.
pub(crate) const DISKS_ASKED_MAX: usize = 16;

/// A shard that a disk shows and that is not at home there.
#[derive(Debug, Clone)]
pub(crate) struct Stray {
    pub(crate) disk: DiskId,
    pub(crate) entry: ShardEntry,
}

impl Gateway {
    /// Asks every disk that is no home for shards of a chunk, a few disks at a time, until
    /// `is_enough` says so. Disks that do not answer are passed over.
    pub(crate) async fn find_strays(
        &self,
        homes: &Homes,
        (vault, evidence_id, chunk): (VaultId, EvidenceId, ChunkIndex),
        mut is_enough: impl FnMut(&[Stray]) -> bool,
    ) -> Vec<Stray> {
        let mut stores: Vec<_> = homes.others().into_iter().map(|disk| self.store(disk)).collect();
        // Those that are in trouble last: the others may know enough.
        stores.sort_by_key(|store| store.suspicion().is_some());
        let asked = stores.into_iter().map(|store| async move {
            (store.disk(), store.list_chunk(vault, evidence_id, chunk).await)
        });
        let mut answers = stream::iter(asked).buffer_unordered(DISKS_ASKED_MAX);
        let mut strays = Vec::new();
        while let Some((disk, answer)) = answers.next().await {
            match answer {
                Ok(entries) if entries.is_empty() => continue,
                Ok(entries) => {
                    strays.extend(entries.into_iter().map(|entry| Stray { disk, entry }));
                }
                Err(error) => {
                    debug!(evidence = %evidence_id, %chunk, %error, "disk not asked for strays");
                    continue;
                }
            }
            if is_enough(&strays) {
                break;
            }
        }
        strays
    }
}
