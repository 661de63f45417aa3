use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    ClusterMap, DiskState, Epoch, ErasureProfile, FailureDomain, Refusal, Rule, Timestamp, VaultId,
    VaultRecord,
};

use super::operation;
use crate::{
    Envelope, Kv, NewVault, Outcome, VAULTS_MAX, VAULTS_PER_COMMAND_MAX,
    stored::{cluster_map, map_epoch, vault},
};

/// Adds vaults. The same command again finds its vaults, as long as none of them has changed.
pub(super) fn create_vaults(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    vaults: &[NewVault],
    planned_at: Epoch,
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    operation::check_count("vaults", vaults.len(), VAULTS_PER_COMMAND_MAX)?;
    let map = cluster_map::load(kv);
    if planned_at != map.epoch {
        if were_created(&map, vaults, planned_at) {
            return Ok(Outcome::MapChanged(map.epoch));
        }
        let reason = format!(
            "planned at epoch {planned_at}, but the map has changed to {}: plan again",
            map.epoch
        );
        return Err(Refusal::refused(Rule::I1, "planned_at", reason));
    }
    if map.vaults.len() + vaults.len() > VAULTS_MAX {
        let (have, more) = (map.vaults.len(), vaults.len());
        let reason = format!("{have} vaults and {more} more, {VAULTS_MAX} at most are allowed");
        return Err(Refusal::refused(Rule::I10, "vaults", reason));
    }
    for (number, vault) in vaults.iter().enumerate() {
        check_slots(&map, number, vault)?;
    }

    let first = u32::try_from(map.vaults.len()).expect("at most VAULTS_MAX");
    operation::enter_change(kv, envelope, now, detail(first, vaults));
    let epoch = map_epoch::advance(kv);
    for (id, new) in (first..).zip(vaults) {
        let record = VaultRecord {
            vault_id: VaultId(id),
            profile: new.profile,
            level: new.level,
            slots: new.slots.clone(),
            epoch,
        };
        vault::save(kv, &record);
    }
    Ok(Outcome::MapChanged(epoch))
}

/// Whether the command of these vaults was done before (invariant I6): what it made carries the
/// epoch after the one it was planned at.
fn were_created(map: &ClusterMap, vaults: &[NewVault], planned_at: Epoch) -> bool {
    let made: Vec<NewVault> = map
        .vaults
        .iter()
        .filter(|vault| planned_at.0.checked_add(1) == Some(vault.epoch.0))
        .map(|vault| NewVault {
            profile: vault.profile,
            level: vault.level,
            slots: vault.slots.clone(),
        })
        .collect();
    made == vaults
}

fn check_slots(map: &ClusterMap, number: usize, vault: &NewVault) -> Result<(), Refusal> {
    let (slots, total) = (vault.slots.len(), vault.profile.total());
    if slots != total {
        let reason = format!("vault {number} has {slots} slots, {} needs {total}", vault.profile);
        return Err(Refusal::invalid(Rule::I1, "slots", reason));
    }
    let mut disks = BTreeSet::new();
    let mut domains = BTreeSet::new();
    for disk_id in &vault.slots {
        let reason = match map.disk(*disk_id) {
            None => format!("the cluster has no disk {disk_id}"),
            Some(disk) if disk.state != DiskState::InService => {
                format!("disk {disk_id} is not in service")
            }
            Some(_) if !disks.insert(*disk_id) => {
                format!("vault {number} has two slots on disk {disk_id}")
            }
            Some(_) if !domains.insert(map.domain_of(*disk_id, vault.level)) => {
                let domain = map.domain_of(*disk_id, vault.level);
                format!("vault {number} has two slots in {} {:?}", vault.level, domain.0)
            }
            Some(_) => continue,
        };
        return Err(Refusal::refused(Rule::I1, "slots", reason));
    }
    Ok(())
}

fn detail(first: u32, vaults: &[NewVault]) -> String {
    let mut kinds: BTreeMap<(ErasureProfile, FailureDomain), usize> = BTreeMap::new();
    for vault in vaults {
        *kinds.entry((vault.profile, vault.level)).or_default() += 1;
    }
    let counts: Vec<String> = kinds
        .iter()
        .map(|((profile, level), count)| format!("{count} of {profile}, slots apart by {level}"))
        .collect();
    format!("vaults created from {first} on: {}", counts.join("; "))
}
