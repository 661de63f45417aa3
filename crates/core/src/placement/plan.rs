use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet, HashMap},
};

use super::{
    PlacementRefusal,
    apportion::{apportion, has_less_for_its_weight},
    mix::mix,
};
use crate::{ClusterMap, DiskId, DiskRecord, DomainName, ErasureProfile, FailureDomain};

/// Slots that each disk should have, about: enough that weights show and that many others help to
/// rebuild it.
pub const SLOTS_PER_DISK: usize = 100;
/// Most vaults of a profile unless more are asked for.
pub const VAULTS_BY_DEFAULT_MAX: usize = 512;
/// Most vaults of one plan.
pub const VAULTS_PER_PLAN_MAX: u32 = 4096;

/// Vaults to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultPlan {
    /// Level at which the slots of each vault are apart.
    pub level: FailureDomain,
    /// For each vault the disks of its slots.
    pub slots: Vec<Vec<DiskId>>,
}

/// A failure domain while vaults are planned.
struct Domain<'a> {
    name: DomainName,
    disks: Vec<&'a DiskRecord>,
    /// Slots of the plan that are for it.
    quota: u64,
    /// Those that it has not got yet.
    remaining: u64,
}

/// Plans vaults of a profile over the disks in service.
///
/// `level` is how far apart the slots must be; `None` takes the widest level that has a failure
/// domain for each slot. `count` is how many vaults; `None` takes so many that the profile has about
/// [`SLOTS_PER_DISK`] slots on each disk, a power of two.
///
/// Each disk gets slots in proportion to its weight, counting those that vaults of this profile
/// have on it already: every profile is balanced by itself, for its uploads take turns over its
/// vaults. No failure domain has two slots of a vault, so one of more than its share of all weight
/// gets one in every vault and the rest goes to the others.
///
/// # Errors
/// [`PlacementRefusal`], which names what is missing.
pub fn plan_vaults(
    map: &ClusterMap,
    profile: ErasureProfile,
    level: Option<FailureDomain>,
    count: Option<u32>,
) -> Result<VaultPlan, PlacementRefusal> {
    let level = choose_level(map, profile, level)?;
    if let (None, Some(slots)) = (count, only_vault(map, profile)) {
        return Ok(VaultPlan { level, slots: vec![slots] });
    }
    let count = choose_count(map, profile, count)?;
    let mut slots_on = slots_by_disk(map, profile);
    let mut domains = domains(map, profile, level, count, &slots_on);
    let vaults = (0..count)
        .map(|number| plan_vault(&mut domains, profile.total(), count, number, &mut slots_on));
    Ok(VaultPlan { level, slots: vaults.collect() })
}

fn choose_level(
    map: &ClusterMap,
    profile: ErasureProfile,
    asked: Option<FailureDomain>,
) -> Result<FailureDomain, PlacementRefusal> {
    let has_enough = |level: FailureDomain| map.domains(level).len() >= profile.total();
    let level = match asked {
        Some(level) => Some(level).filter(|level| has_enough(*level)),
        None => FailureDomain::ALL.into_iter().find(|level| has_enough(*level)),
    };
    level.ok_or_else(|| {
        let level = asked.unwrap_or(FailureDomain::Disk);
        PlacementRefusal::TooFewDomains {
            profile,
            level,
            domains: map.domains(level).len(),
            hosts: map.domains(FailureDomain::Host).len(),
            disks: map.disks_in_service().count(),
        }
    })
}

/// The one vault of a single node with a disk for each slot: its disks in the order of their
/// names, in which numbers count as such (`disk 2` before `disk 10`).
fn only_vault(map: &ClusterMap, profile: ErasureProfile) -> Option<Vec<DiskId>> {
    let mut disks: Vec<&DiskRecord> = map.disks_in_service().collect();
    let nodes: BTreeSet<_> = disks.iter().map(|disk| disk.node_id).collect();
    let is_first = map.vaults.iter().all(|vault| vault.profile != profile);
    if !is_first || nodes.len() != 1 || disks.len() != profile.total() {
        return None;
    }
    disks.sort_by_key(|disk| (disk.name.len(), &disk.name, disk.disk_id));
    Some(disks.into_iter().map(|disk| disk.disk_id).collect())
}

fn choose_count(
    map: &ClusterMap,
    profile: ErasureProfile,
    asked: Option<u32>,
) -> Result<u64, PlacementRefusal> {
    if let Some(count) = asked {
        return if (1..=VAULTS_PER_PLAN_MAX).contains(&count) {
            Ok(u64::from(count))
        } else {
            Err(PlacementRefusal::Count { count, max: VAULTS_PER_PLAN_MAX })
        };
    }
    let disks = map.disks_in_service().count();
    let vaults = map.vaults.iter().filter(|vault| vault.profile == profile).count();
    let needed = (disks * SLOTS_PER_DISK).div_ceil(profile.total());
    let wanted = needed.next_power_of_two().min(VAULTS_BY_DEFAULT_MAX);
    match wanted.checked_sub(vaults) {
        Some(more @ 1..) => Ok(more as u64),
        Some(0) | None => Err(PlacementRefusal::EnoughVaults { profile, vaults, disks }),
    }
}

/// Slots of vaults of this profile by disk.
fn slots_by_disk(map: &ClusterMap, profile: ErasureProfile) -> HashMap<DiskId, u64> {
    let mut slots_on = HashMap::new();
    for vault in map.vaults.iter().filter(|vault| vault.profile == profile) {
        for disk in &vault.slots {
            *slots_on.entry(*disk).or_default() += 1;
        }
    }
    slots_on
}

/// The failure domains with their shares of the slots of `count` vaults, at most one of each vault.
fn domains<'a>(
    map: &'a ClusterMap,
    profile: ErasureProfile,
    level: FailureDomain,
    count: u64,
    slots_on: &HashMap<DiskId, u64>,
) -> Vec<Domain<'a>> {
    let mut disks_of: BTreeMap<DomainName, Vec<&DiskRecord>> = BTreeMap::new();
    for disk in map.disks_in_service() {
        disks_of.entry(map.domain_of(disk.disk_id, level)).or_default().push(disk);
    }
    let claimants: Vec<(u64, u64)> = disks_of
        .values()
        .map(|disks| {
            let weight = disks.iter().map(|disk| u64::from(disk.weight)).sum::<u64>();
            let has = disks.iter().filter_map(|disk| slots_on.get(&disk.disk_id)).sum();
            (weight.max(1), has)
        })
        .collect();
    let quotas = apportion(&claimants, count, count * profile.total() as u64);
    disks_of
        .into_iter()
        .zip(quotas)
        .map(|((name, disks), quota)| Domain { name, disks, quota, remaining: quota })
        .collect()
}

/// Gives vault `number` of `count` its disks.
///
/// First come the domains whose remaining slots are as many as the vaults that are left: they must
/// be in each of them. Leaving none of those out keeps the rest possible, whatever else is chosen:
/// the domains that are furthest behind their share, and where they are level, as the hash falls,
/// so that each disk meets many others and a lost one is rebuilt by all.
fn plan_vault(
    domains: &mut [Domain<'_>],
    slots: usize,
    count: u64,
    number: u64,
    slots_on: &mut HashMap<DiskId, u64>,
) -> Vec<DiskId> {
    let left = count - number;
    let hash = |name: &[u8], use_as: u8| mix(&[&number.to_be_bytes(), &[use_as], name]);
    let mut ranked: Vec<_> = domains
        .iter()
        .enumerate()
        .filter(|(_, domain)| domain.remaining > 0)
        .map(|(index, domain)| {
            let is_needed = domain.remaining == left;
            // Share that is still to be given, against the share of vaults that are left.
            let behind = i128::from(domain.remaining) * i128::from(count)
                - i128::from(domain.quota) * i128::from(left);
            (Reverse((is_needed, behind)), hash(domain.name.0.as_bytes(), 0), index)
        })
        .collect();
    if ranked.len() > slots {
        ranked.select_nth_unstable(slots);
        ranked.truncate(slots);
    }
    let mut disks: Vec<DiskId> = ranked
        .into_iter()
        .map(|(_, _, index)| {
            domains[index].remaining -= 1;
            let disk = emptiest(&domains[index].disks, slots_on);
            *slots_on.entry(disk).or_default() += 1;
            disk
        })
        .collect();
    assert_eq!(disks.len(), slots, "a domain has at most a slot in each vault that is left");
    // Data and parity slots are not alike to readers: each disk should have some of all.
    disks.sort_by_cached_key(|disk| hash(disk.as_bytes(), 1));
    disks
}

/// The disk of a domain that has the fewest slots for its weight.
fn emptiest(disks: &[&DiskRecord], slots_on: &HashMap<DiskId, u64>) -> DiskId {
    let claim = |disk: &DiskRecord| {
        let has = slots_on.get(&disk.disk_id).copied().unwrap_or_default();
        (u64::from(disk.weight.max(1)), has)
    };
    let by_claim = |one: &&&DiskRecord, other: &&&DiskRecord| -> Ordering {
        has_less_for_its_weight(claim(one), claim(other))
    };
    disks.iter().max_by(by_claim).expect("a domain has a disk").disk_id
}
