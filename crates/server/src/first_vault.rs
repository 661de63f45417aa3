//! The vaults of a cluster that is one process: made of its own disks, before it serves.

use std::sync::Arc;

use custos_core::{
    Actor, ClusterMap, DiskId, ErasureProfile, ErrorKind, FailureDomain,
    placement::{PlacementRefusal, VaultPlan, plan_vaults},
};
use custos_ledger::{Command, Envelope, NewVault, VAULTS_PER_COMMAND_MAX};
use custos_ports::{Cluster, Entropy, Ledger, LedgerError};

/// Most times that vaults are planned anew because the map changed meanwhile.
const PLANS_MAX: usize = 5;

/// Why a cluster of one process has no vaults.
#[derive(Debug, thiserror::Error)]
pub enum FirstVaultError {
    /// Its disks do not do for the profile.
    #[error(
        "no vault can be made of this process's own disks: {0}; when other storage nodes are to \
         come, say how many with expect_nodes"
    )]
    Placement(PlacementRefusal),
    /// A disk of an earlier version's vault is not in service.
    #[error(
        "disk {disk} (slot {slot}) is not in service, and this folder was written by an earlier \
         version: at the first start of this one, every disk must be there"
    )]
    DiskMissing {
        /// Slot of the vault.
        slot: usize,
        /// The disk.
        disk: DiskId,
    },
    /// The ledger does not take them.
    #[error("vaults could not be made")]
    Ledger(#[source] LedgerError),
}

impl FirstVaultError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Placement(_) => ErrorKind::Invalid,
            Self::DiskMissing { .. } => ErrorKind::Unavailable,
            Self::Ledger(error) => error.kind(),
        }
    }
}

/// Makes the vaults of `profile`, if there are none. `vault_0` is what an earlier version had.
pub(crate) async fn make(
    ledger: &dyn Ledger,
    cluster: &dyn Cluster,
    entropy: &Arc<dyn Entropy>,
    profile: ErasureProfile,
    vault_0: Option<&[DiskId]>,
) -> Result<(), FirstVaultError> {
    let mut plans = 0;
    loop {
        let map = cluster.refresh().await.map_err(FirstVaultError::Ledger)?;
        if map.vaults.iter().any(|vault| vault.profile == profile) {
            return Ok(());
        }
        let VaultPlan { level, slots } = plan(&map, profile, vault_0)?;
        // More of them are an administrator's to make.
        let slots = &slots[..slots.len().min(VAULTS_PER_COMMAND_MAX)];
        let vaults = slots.iter().map(|slots| NewVault { profile, level, slots: slots.clone() });
        let envelope = Envelope {
            request_id: entropy.array(),
            actor: Actor::system(),
            entry_salt: entropy.array(),
            command: Command::CreateVaults { vaults: vaults.collect(), planned_at: map.epoch },
        };
        plans += 1;
        match ledger.submit(envelope).await {
            Ok(_) => tracing::info!(%profile, %level, count = slots.len(), "vaults are created"),
            Err(error) if plans == PLANS_MAX => return Err(FirstVaultError::Ledger(error)),
            Err(error) => tracing::warn!(%error, "vaults could not be made; planning again"),
        }
    }
}

fn plan(
    map: &ClusterMap,
    profile: ErasureProfile,
    vault_0: Option<&[DiskId]>,
) -> Result<VaultPlan, FirstVaultError> {
    let Some(slots) = vault_0 else {
        return plan_vaults(map, profile, None, None).map_err(FirstVaultError::Placement);
    };
    let in_service = |id: DiskId| map.disks_in_service().any(|disk| disk.disk_id == id);
    if let Some((slot, disk)) = slots.iter().enumerate().find(|(_, disk)| !in_service(**disk)) {
        return Err(FirstVaultError::DiskMissing { slot, disk: *disk });
    }
    Ok(VaultPlan { level: FailureDomain::Disk, slots: vec![slots.to_vec()] })
}
