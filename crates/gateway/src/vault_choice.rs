use std::sync::atomic::Ordering;

use custos_core::{ClusterMap, ErasureProfile, VaultId, placement};

use crate::{Gateway, GatewayError};

impl Gateway {
    /// The vault of a new upload: round robin over those of the profile, such as are all well first.
    pub(crate) async fn choose_vault(
        &self,
        profile: ErasureProfile,
    ) -> Result<VaultId, GatewayError> {
        let cluster = &self.inner.deps.cluster;
        if let Some(vault) = self.next_vault(&cluster.map(), profile) {
            return Ok(vault);
        }
        let map = cluster.refresh().await?;
        self.next_vault(&map, profile).ok_or(GatewayError::NoVault { profile })
    }

    fn next_vault(&self, map: &ClusterMap, profile: ErasureProfile) -> Option<VaultId> {
        let turn = self.inner.vault_turn.fetch_add(1, Ordering::Relaxed);
        let suspects = self.inner.stores.suspects();
        let is_healthy = |disk| !suspects.contains(&disk);
        let ranked = placement::rank_vaults(map, profile, turn, is_healthy);
        ranked.first().copied()
    }
}
