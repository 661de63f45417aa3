use std::collections::BTreeMap;

use crate::{ClusterMap, DiskId, ErasureProfile, VaultId, VaultRecord};

/// The vaults of a profile in the order in which a new upload should try them: those with the
/// fewest unhealthy home disks first, and those that are equal in that round robin, so that each
/// takes its turn as `counter` grows.
#[must_use]
pub fn rank_vaults(
    map: &ClusterMap,
    profile: ErasureProfile,
    counter: u64,
    is_healthy: impl Fn(DiskId) -> bool,
) -> Vec<VaultId> {
    let unhealthy = |vault: &VaultRecord| vault.slots.iter().filter(|id| !is_healthy(**id)).count();
    let mut groups: BTreeMap<usize, Vec<VaultId>> = BTreeMap::new();
    for vault in map.vaults.iter().filter(|vault| vault.profile == profile) {
        groups.entry(unhealthy(vault)).or_default().push(vault.vault_id);
    }
    let turned = groups.into_values().flat_map(|mut vaults| {
        let turn = counter % vaults.len() as u64;
        vaults.rotate_left(usize::try_from(turn).expect("less than the vaults there are"));
        vaults
    });
    turned.collect()
}
