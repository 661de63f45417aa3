use std::collections::HashMap;

use super::mix::mix;
use crate::{ClusterMap, DiskId, DiskRecord, DomainName, VaultRecord};

/// Where a shard goes when its home disk does not take it: a disk in service that no slot of the
/// vault is on and that is not in `used`, in a failure domain with as few shards of the chunk as
/// possible; among those by weight, as `seed` falls. `None` when there is no such disk.
///
/// `used` are the disks that a shard of this chunk is on, or is being written to.
#[must_use]
pub fn choose_spare(
    map: &ClusterMap,
    vault: &VaultRecord,
    used: &[DiskId],
    is_usable: impl Fn(DiskId) -> bool,
    seed: u64,
) -> Option<DiskId> {
    let domain_of = |disk: DiskId| map.domain_of(disk, vault.level);
    let mut shards_in: HashMap<DomainName, usize> = HashMap::new();
    for disk in used {
        *shards_in.entry(domain_of(*disk)).or_default() += 1;
    }
    let shards_beside =
        |disk: &DiskRecord| shards_in.get(&domain_of(disk.disk_id)).copied().unwrap_or_default();
    let is_free = |id: DiskId| !used.contains(&id) && !vault.slots.contains(&id) && is_usable(id);
    let free: Vec<(usize, &DiskRecord)> = map
        .disks_in_service()
        .filter(|disk| is_free(disk.disk_id))
        .map(|disk| (shards_beside(disk), disk))
        .collect();
    let fewest = free.iter().map(|(shards, _)| *shards).min()?;
    let best: Vec<&DiskRecord> =
        free.into_iter().filter(|(shards, _)| *shards == fewest).map(|(_, disk)| disk).collect();
    by_weight(&best, seed)
}

fn by_weight(disks: &[&DiskRecord], seed: u64) -> Option<DiskId> {
    // The law lets no disk weigh nothing; a map from elsewhere is not trusted to divide by.
    let weight_of = |disk: &DiskRecord| u64::from(disk.weight.max(1));
    let total: u64 = disks.iter().map(|disk| weight_of(disk)).sum();
    let mut point = mix(&[&seed.to_be_bytes()]).checked_rem(total)?;
    for disk in disks {
        match point.checked_sub(weight_of(disk)) {
            Some(beyond) => point = beyond,
            None => return Some(disk.disk_id),
        }
    }
    None
}
