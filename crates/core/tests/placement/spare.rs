use custos_core::{
    DiskState, DomainName, ErasureProfile, VaultId,
    placement::{choose_spare, plan_vaults},
};
use proptest::prelude::*;

use crate::world::{cluster, clusters, create, disk_id, host, profiles};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_spare_is_a_free_disk_in_the_failure_domain_with_the_fewest_shards(
        mut map in clusters(),
        profile in profiles(),
        is_used in prop::collection::vec(any::<bool>(), 64),
        is_usable in prop::collection::vec(any::<bool>(), 64),
        seed in any::<u64>(),
    ) {
        let Ok(plan) = plan_vaults(&map, profile, None, Some(1)) else { return Ok(()) };
        create(&mut map, profile, plan);
        map.disks[0].state = DiskState::Removed;
        let vault = map.vault(VaultId(0)).expect("created");
        let numbered = |flags: &[bool]| -> Vec<_> {
            (0..flags.len()).filter(|at| flags[*at]).map(disk_id).collect()
        };
        let (used, usable) = (numbered(&is_used[..map.disks.len()]), numbered(&is_usable));
        let is_free = |disk| !used.contains(&disk) && !vault.slots.contains(&disk)
            && usable.contains(&disk);
        let shards_in = |domain: &DomainName| {
            used.iter().filter(|disk| map.domain_of(**disk, vault.level) == *domain).count()
        };
        let beside = |disk| shards_in(&map.domain_of(disk, vault.level));
        let free: Vec<_> =
            map.disks_in_service().map(|disk| disk.disk_id).filter(|id| is_free(*id)).collect();
        let spare = choose_spare(&map, vault, &used, |disk| usable.contains(&disk), seed);
        match spare {
            None => prop_assert!(free.is_empty()),
            Some(spare) => {
                prop_assert!(free.contains(&spare));
                prop_assert!(free.iter().all(|disk| beside(spare) <= beside(*disk)));
            }
        }
    }
}

#[test]
fn spares_of_many_chunks_spread_by_weight() {
    let mut map = cluster(&[host(&[1]), host(&[1]), host(&[1])]);
    let plan = plan_vaults(&map, ErasureProfile::P2_1, None, None).expect("3 hosts");
    create(&mut map, ErasureProfile::P2_1, plan);
    let wider = cluster(&[host(&[1]), host(&[1]), host(&[1]), host(&[3000]), host(&[1000])]);
    (map.nodes, map.disks) = (wider.nodes, wider.disks);
    let vault = &map.vaults[0];
    let heavy = (0..4000)
        .filter(|seed| choose_spare(&map, vault, &[], |_| true, *seed) == Some(disk_id(3)))
        .count();
    assert!((2800..3200).contains(&heavy), "{heavy} of 4000 on three quarters of the weight");
}
