use std::sync::Arc;

use custos_core::{Epoch, VaultId};
use custos_peers::convert::ShardTarget;
use custos_peers::failure::{shard_error_to_status, wrong_target};
use custos_ports::ShardError;
use tokio::time::{Instant, timeout};
use tonic::Status;

use super::{Node, ServingDisk};
use crate::limits::REFRESH_TIMEOUT;

impl Node {
    /// The disk that a request of another process is for, if this node, the disk's generation and
    /// the caller's knowledge of `vault` are right.
    ///
    /// # Errors
    /// `Stale` when the vault has changed since the caller's map; a wrong target when node, disk
    /// or generation is not what stands here; `Offline` when the disk is out of service.
    pub(crate) async fn aim(
        &self,
        target: ShardTarget,
        vault: Option<VaultId>,
    ) -> Result<Arc<ServingDisk>, Status> {
        if let Some(failure) = &*self.failure.borrow() {
            return Err(wrong_target(&failure.to_string()));
        }
        if target.node_id != self.own.node_id {
            return Err(wrong_target(&format!(
                "node {} was asked for, this is node {} ({})",
                target.node_id, self.own.node_id, self.options.name
            )));
        }
        self.catch_up(target.epoch).await;
        let Some(disk) = self.serving_disk(target.disk_id) else {
            return Err(self.not_serving(target));
        };
        let generation = disk.store.generation();
        if target.generation != generation {
            return Err(wrong_target(&format!(
                "disk {} is in service here as generation {generation}, generation {} was asked \
                 for",
                target.disk_id, target.generation
            )));
        }
        self.check_vault(&disk, target.epoch, vault)?;
        Ok(disk)
    }

    fn not_serving(&self, target: ShardTarget) -> Status {
        match self.out_reason(target.disk_id) {
            Some((store, reason)) => shard_error_to_status(&ShardError::Offline { store, reason }),
            None => wrong_target(&format!(
                "node {} ({}) has no disk {}",
                self.own.node_id, self.options.name, target.disk_id
            )),
        }
    }

    fn check_vault(
        &self,
        disk: &ServingDisk,
        given: Epoch,
        vault: Option<VaultId>,
    ) -> Result<(), Status> {
        use custos_ports::ShardStore as _;

        let Some(vault) = vault else { return Ok(()) };
        let map = self.deps.cluster.map();
        match map.vault(vault) {
            Some(record) if given < record.epoch => {
                let store = disk.store.name().to_owned();
                Err(shard_error_to_status(&ShardError::Stale { store, given, current: map.epoch }))
            }
            // A caller that knows more may know a vault that the ledger could not tell us of.
            None if given <= map.epoch => {
                Err(wrong_target(&format!("no vault {vault} in the map of epoch {}", map.epoch)))
            }
            _ => Ok(()),
        }
    }

    /// Reads the map anew when a caller knows a newer one. Going on with the older one is safe:
    /// who is in service is told by generations, and a vault changed after our map is known to
    /// the caller. So this is bounded in time and number, whatever epochs callers name.
    async fn catch_up(&self, known: Epoch) {
        if self.deps.cluster.map().epoch >= known {
            return;
        }
        let mut asked = self.asked_map.lock().await;
        let just_asked = asked.is_some_and(|asked| asked.elapsed() < REFRESH_TIMEOUT);
        if self.deps.cluster.map().epoch >= known || just_asked {
            return;
        }
        let refreshed = timeout(REFRESH_TIMEOUT, self.deps.cluster.refresh()).await;
        let epoch = self.deps.cluster.map().epoch;
        *asked = (epoch < known).then(Instant::now);
        drop(asked);
        match refreshed {
            Ok(Ok(_)) if epoch >= known => {}
            Ok(Ok(_)) => tracing::warn!(%known, %epoch, "a caller names an epoch that is not yet"),
            Ok(Err(error)) => tracing::warn!(%error, "the cluster map could not be read anew"),
            Err(_) => tracing::warn!("the cluster map could not be read anew in time"),
        }
        self.supervise();
    }
}
