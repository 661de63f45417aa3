use custos_core::{Actor, DiskId, Quarantined};
use custos_ledger::Command;
use custos_wire::internal_v1::AddDiskRequest;
use tracing::{info, warn};

use super::{find_node, node_of, within_deadline};
use crate::{Gateway, GatewayError};

/// How a disk goes.
#[derive(Debug, Clone)]
pub enum DiskRemoval {
    /// Its node lets go of it; it comes back when the node is started again.
    UntilNodeRestarts,
    /// It never comes back under its id.
    ForGood {
        /// Why; goes on the custody log.
        reason: String,
    },
}

impl Gateway {
    /// Takes a disk into service on a running node; `node` is a name or an id.
    ///
    /// # Errors
    /// `NotFound`, a node that does not answer, and what node or law refuse.
    pub async fn add_disk(
        &self,
        actor: &Actor,
        node: &str,
        request: AddDiskRequest,
    ) -> Result<DiskId, GatewayError> {
        let map = self.inner.deps.cluster.refresh().await?;
        let found = find_node(&map, node)?;
        let path = request.path.clone();
        let add = self.inner.deps.node_admin.add_disk(found.node_id, request);
        let disk_id = within_deadline(&found.name, add).await?;
        info!(actor = %actor.name, node = %found.name, path, disk = %disk_id, "disk added");
        self.inner.deps.cluster.refresh().await?;
        Ok(disk_id)
    }

    /// Takes a disk out of service.
    ///
    /// # Errors
    /// `NotFound`; what the law refuses; a node that does not answer, unless the disk goes for good.
    pub async fn remove_disk(
        &self,
        actor: &Actor,
        disk_id: DiskId,
        removal: DiskRemoval,
    ) -> Result<(), GatewayError> {
        let map = self.inner.deps.cluster.refresh().await?;
        let node = node_of(&map, disk_id)?;
        // The law first: what it refuses must leave the disk in service.
        let for_good = matches!(removal, DiskRemoval::ForGood { .. });
        if let DiskRemoval::ForGood { reason } = removal {
            self.submit(actor, Command::RemoveDisk { disk_id, reason }).await?;
        }
        let detach = self.inner.deps.node_admin.detach_disk(node.node_id, disk_id);
        match within_deadline(&node.name, detach).await {
            Ok(()) => {}
            // The map says that it is gone; its node will read that when it is back.
            Err(error) if for_good => {
                warn!(node = %node.name, disk = %disk_id, %error, "not detached")
            }
            Err(error) => return Err(error),
        }
        info!(actor = %actor.name, node = %node.name, disk = %disk_id, for_good, "disk removed");
        self.inner.deps.cluster.refresh().await?;
        Ok(())
    }

    /// Gives a disk up for its node, so that any node may take it into service.
    ///
    /// # Errors
    /// `NotFound`, and what the law refuses. A node that does not answer is none: it reads in the
    /// map that the disk is released, and stops serving it.
    pub async fn release_disk(
        &self,
        actor: &Actor,
        disk_id: DiskId,
        reason: String,
    ) -> Result<(), GatewayError> {
        let map = self.inner.deps.cluster.refresh().await?;
        let node = node_of(&map, disk_id)?;
        // The law first: what it refuses must leave the disk in service.
        self.submit(actor, Command::ReleaseDisk { disk_id, reason }).await?;
        let detach = self.inner.deps.node_admin.detach_disk(node.node_id, disk_id);
        if let Err(error) = within_deadline(&node.name, detach).await {
            warn!(node = %node.name, disk = %disk_id, %error, "not detached");
        }
        info!(actor = %actor.name, node = %node.name, disk = %disk_id, "disk released");
        self.inner.deps.cluster.refresh().await?;
        Ok(())
    }

    /// What lies on a disk that it does not know, at most `limit` items.
    ///
    /// # Errors
    /// `NotFound`, or a disk that does not answer.
    pub async fn quarantine(
        &self,
        disk: DiskId,
        limit: usize,
    ) -> Result<Vec<Quarantined>, GatewayError> {
        let map = self.inner.deps.cluster.refresh().await?;
        node_of(&map, disk)?;
        Ok(self.store(disk).quarantine(limit).await?)
    }
}
