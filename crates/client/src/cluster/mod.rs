//! Operation of the cluster: what it says of itself, and the orders that change it.

mod backup;
mod convert;
mod damage;
mod meta;
mod orders;
mod status;

use custos_core::{DiskId, Epoch, MetaId, Quarantined};
use custos_wire::v1::{
    AddDiskRequest, ClusterStatusRequest, CreateVaultsRequest, LeadMetaRequest, ListDamageRequest,
    ListMetaRequest, ListQuarantineRequest, ReleaseDiskRequest, RemoveDiskRequest,
    RemoveMetaRequest, SetScrubRequest,
};

pub use backup::{BackupFile, BackupHead, BackupPart, BackupStream};
pub use damage::{DamagePage, DamagedShard};
pub use meta::{MetaGroup, MetaMember, MetaReport, MetaVote};
pub use orders::{DiskRemoval, NewDisk, ScrubChange, VaultOrder, VaultsCreated};
pub use status::{
    ClusterStatus, DiskReport, DiskStatus, LedgerGroup, NodeStatus, ScrubReport, StrangeDisk,
    VaultGroup,
};

use crate::{Client, ClientError};

impl Client {
    /// The whole picture: the map in the ledger beside what each node says of itself now.
    ///
    /// # Errors
    /// A caller who may not see it, or a server that does not answer. A storage node that does not
    /// answer is no error: the status names it.
    pub async fn cluster_status(&self) -> Result<ClusterStatus, ClientError> {
        let response = self.cluster().status(ClusterStatusRequest {}).await;
        let response = response.map_err(|error| self.error_of(error))?;
        convert::cluster_status(response.into_inner())
    }

    /// Plans vaults over the disks in service and creates them.
    ///
    /// # Errors
    /// `Refused` when the cluster has too few failure domains for the profile at that level, or the
    /// caller may not change the cluster; a server that does not answer.
    pub async fn create_vaults(&self, order: VaultOrder) -> Result<VaultsCreated, ClientError> {
        let request = CreateVaultsRequest {
            profile: order.profile.to_string(),
            level: order.level.map(|level| level.to_string()).unwrap_or_default(),
            count: order.count.map_or(0, std::num::NonZeroU32::get),
        };
        let response = self.cluster().create_vaults(request).await;
        let response = response.map_err(|error| self.error_of(error))?.into_inner();
        // Nothing created has no level.
        let level = match response.level.as_str() {
            "" => None,
            level => Some(convert::parsed("level", level)?),
        };
        Ok(VaultsCreated {
            created: response.created,
            level,
            epoch: Epoch(response.epoch),
            left_out: response.left_out,
        })
    }

    /// Takes a disk into service on a running node; gives its id.
    ///
    /// # Errors
    /// `NotFound` for an unknown node, a folder that is no disk or another cluster's, or a node that
    /// does not answer.
    pub async fn add_disk(&self, disk: NewDisk) -> Result<DiskId, ClientError> {
        let NewDisk { node, path, create } = disk;
        let response = self.cluster().add_disk(AddDiskRequest { node, path, create }).await;
        let response = response.map_err(|error| self.error_of(error))?;
        convert::parsed("disk_id", &response.into_inner().disk_id)
    }

    /// Takes a disk out of service. What is on it stays on it.
    ///
    /// # Errors
    /// `NotFound` for an unknown disk, `Refused` for want of permission, or a node that does not
    /// answer.
    pub async fn remove_disk(&self, disk: DiskId, removal: DiskRemoval) -> Result<(), ClientError> {
        let (for_good, reason) = match removal {
            DiskRemoval::UntilRestart => (false, String::new()),
            DiskRemoval::ForGood { reason } => (true, reason),
        };
        let request = RemoveDiskRequest { disk_id: disk.to_string(), for_good, reason };
        self.cluster().remove_disk(request).await.map_err(|error| self.error_of(error))?;
        Ok(())
    }

    /// Gives a disk up for its node, so that any node may take it into service.
    ///
    /// # Errors
    /// `NotFound` for an unknown disk, `Refused` for want of permission, of a reason, or because the
    /// disk was removed for good. A node that does not answer is no error.
    pub async fn release_disk(&self, disk: DiskId, reason: String) -> Result<(), ClientError> {
        let request = ReleaseDiskRequest { disk_id: disk.to_string(), reason };
        self.cluster().release_disk(request).await.map_err(|error| self.error_of(error))?;
        Ok(())
    }

    /// Changes the scrub of one disk, or of all with `None`; gives the number of disks that follow.
    ///
    /// # Errors
    /// `NotFound` for an unknown disk, `Refused` for want of permission, or a node that does not
    /// answer.
    pub async fn set_scrub(
        &self,
        disk: Option<DiskId>,
        change: ScrubChange,
    ) -> Result<u32, ClientError> {
        let request = SetScrubRequest {
            disk_id: disk.map(|disk| disk.to_string()).unwrap_or_default(),
            bytes_per_second: change.bytes_per_second,
            period_days: change.period_days,
            paused: change.paused,
            start: change.start,
        };
        let response = self.cluster().set_scrub(request).await;
        Ok(response.map_err(|error| self.error_of(error))?.into_inner().disks)
    }

    /// A page of the damaged shards on record; `page_items` of 0 lets the server choose.
    ///
    /// # Errors
    /// A token that the server did not give, or a server that does not answer.
    pub async fn list_damage(
        &self,
        token: Option<Vec<u8>>,
        page_items: u32,
    ) -> Result<DamagePage, ClientError> {
        let request =
            ListDamageRequest { page_token: token.unwrap_or_default(), limit: page_items };
        let response = self.cluster().list_damage(request).await;
        convert::damage_page(response.map_err(|error| self.error_of(error))?.into_inner())
    }

    /// What lies on a disk that nobody knows, at most `items_max` of it; 0 lets the server choose.
    ///
    /// # Errors
    /// `NotFound` for an unknown disk, or a node that does not answer.
    pub async fn list_quarantine(
        &self,
        disk: DiskId,
        items_max: u32,
    ) -> Result<Vec<Quarantined>, ClientError> {
        let request = ListQuarantineRequest { disk_id: disk.to_string(), limit: items_max };
        let response = self.cluster().list_quarantine(request).await;
        let items = response.map_err(|error| self.error_of(error))?.into_inner().items;
        Ok(items.into_iter().map(convert::quarantined).collect())
    }

    /// The group that keeps the ledger, each member asked how it is; also while it has no leader.
    ///
    /// # Errors
    /// When no meta node answers. A member that does not answer is no error: it is named.
    pub async fn list_meta(&self) -> Result<MetaGroup, ClientError> {
        let response = self.cluster().list_meta(ListMetaRequest {}).await;
        let members = response.map_err(|error| self.error_of(error))?.into_inner().members;
        Ok(MetaGroup { members: convert::meta_members(members)?, unreachable: None })
    }

    /// Takes a member out of that group for good. Asked again, it finishes what was begun.
    ///
    /// # Errors
    /// `NotFound` for an unknown member, `Refused` for want of permission, of a reason, or because
    /// those who stay would be no quorum.
    pub async fn remove_meta(&self, member: MetaId, reason: String) -> Result<(), ClientError> {
        let request = RemoveMetaRequest { id: member.0, reason };
        self.cluster().remove_meta(request).await.map_err(|error| self.error_of(error))?;
        Ok(())
    }

    /// Makes a member of that group its leader; no command is taken for about a second.
    ///
    /// # Errors
    /// `NotFound` for an unknown member, `Refused` for one without a vote or for want of permission.
    pub async fn lead_meta(&self, member: MetaId) -> Result<(), ClientError> {
        let request = LeadMetaRequest { id: member.0 };
        self.cluster().lead_meta(request).await.map_err(|error| self.error_of(error))?;
        Ok(())
    }
}
