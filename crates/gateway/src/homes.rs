use std::sync::Arc;

use custos_core::{
    ClusterMap, DiskId, DomainName, ErasureProfile, ShardSlot, VaultId, VaultRecord,
};

use crate::{Gateway, GatewayError};

/// Where the shards of a vault belong, as one map says.
#[derive(Debug, Clone)]
pub(crate) struct Homes {
    map: Arc<ClusterMap>,
    vault: Arc<VaultRecord>,
}

impl Homes {
    /// The vault of this id, if the map knows it.
    pub(crate) fn of(map: Arc<ClusterMap>, vault: VaultId) -> Option<Self> {
        let vault = Arc::new(map.vault(vault)?.clone());
        Some(Self { map, vault })
    }

    pub(crate) fn map(&self) -> &ClusterMap {
        &self.map
    }

    pub(crate) fn vault(&self) -> &VaultRecord {
        &self.vault
    }

    /// The home disk of a slot.
    ///
    /// # Panics
    /// When the profile of the vault has no such slot; `Gateway::homes` checked the profile.
    pub(crate) fn disk(&self, slot: ShardSlot) -> DiskId {
        self.vault.disk(slot).expect("a vault has a disk for each slot of its profile")
    }

    /// Every slot and its home disk, in order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (ShardSlot, DiskId)> + '_ {
        (0..).map(ShardSlot).zip(self.vault.slots.iter().copied())
    }

    /// What fails together with a disk, at the level of the vault.
    pub(crate) fn domain(&self, disk: DiskId) -> DomainName {
        self.map.domain_of(disk, self.vault.level)
    }

    /// Every disk in service that is no home: where shards may have strayed to.
    pub(crate) fn others(&self) -> Vec<DiskId> {
        self.map
            .disks_in_service()
            .map(|disk| disk.disk_id)
            .filter(|disk| !self.vault.slots.contains(disk))
            .collect()
    }
}

impl Gateway {
    /// Where the shards of something of this profile in a vault belong. A vault that the map at hand
    /// does not know yet is looked for once in the ledger.
    pub(crate) async fn homes(
        &self,
        vault: VaultId,
        profile: ErasureProfile,
    ) -> Result<Homes, GatewayError> {
        let cluster = &self.inner.deps.cluster;
        let homes = match Homes::of(cluster.map(), vault) {
            Some(homes) => homes,
            None => Homes::of(cluster.refresh().await?, vault)
                .ok_or(GatewayError::UnknownVault { vault })?,
        };
        let found = homes.vault.profile;
        if found != profile || homes.vault.slots.len() != profile.total() {
            let slots = homes.vault.slots.len();
            let reason =
                format!("vault {vault} is of {found} with {slots} slots, {profile} expected");
            return Err(GatewayError::Internal { reason });
        }
        Ok(homes)
    }
}
