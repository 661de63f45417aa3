use std::collections::BTreeSet;

use crate::{ClusterMap, DiskId, ErrorKind, FailureDomain, VaultId, VaultRecord};

/// A vault of which too few failure domains are in reach: it takes no writes, for nothing of what
/// it has could be read either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{in_reach} of {total} failure domains ({level}) of vault {vault} in reach, {needed} needed"
)]
pub struct OutOfReach {
    /// The vault.
    pub vault: VaultId,
    /// Level at which its slots are apart.
    pub level: FailureDomain,
    /// Failure domains with a disk of the vault in reach.
    pub in_reach: usize,
    /// Failure domains of the vault.
    pub total: usize,
    /// k: the least that gives bytes back.
    pub needed: usize,
}

impl OutOfReach {
    /// How callers should class it: a retry may succeed when disks are back.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Unavailable
    }
}

/// Whether at least k of a vault's failure domains have a home disk that is in reach.
///
/// # Errors
/// [`OutOfReach`], which counts them.
pub fn check_reach(
    map: &ClusterMap,
    vault: &VaultRecord,
    is_in_reach: impl Fn(DiskId) -> bool,
) -> Result<(), OutOfReach> {
    let domains_of = |keep: &dyn Fn(DiskId) -> bool| {
        let disks = vault.slots.iter().filter(|disk| keep(**disk));
        disks.map(|disk| map.domain_of(*disk, vault.level)).collect::<BTreeSet<_>>().len()
    };
    let in_reach = domains_of(&is_in_reach);
    let needed = vault.profile.data();
    if in_reach >= needed {
        return Ok(());
    }
    let total = domains_of(&|_| true);
    Err(OutOfReach { vault: vault.vault_id, level: vault.level, in_reach, total, needed })
}
