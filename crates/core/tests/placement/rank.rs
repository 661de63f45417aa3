use std::collections::BTreeMap;

use custos_core::{
    ErasureProfile, VaultId,
    placement::{plan_vaults, rank_vaults},
};

use crate::world::{cluster, create, disk_id, host};

const P4_2: ErasureProfile = ErasureProfile::P4_2;

fn map() -> custos_core::ClusterMap {
    let mut map = cluster(&vec![host(&[1]); 12]);
    let small = plan_vaults(&map, ErasureProfile::P2_1, None, Some(5)).expect("12 hosts");
    create(&mut map, ErasureProfile::P2_1, small);
    let plan = plan_vaults(&map, P4_2, None, Some(8)).expect("12 hosts");
    create(&mut map, P4_2, plan);
    map
}

#[test]
fn vaults_of_the_profile_take_turns() {
    let map = map();
    let firsts: Vec<VaultId> =
        (0..8).map(|turn| rank_vaults(&map, P4_2, turn, |_| true)[0]).collect();
    assert_eq!(firsts, (5..13).map(VaultId).collect::<Vec<_>>());
    let ranked = rank_vaults(&map, P4_2, u64::MAX, |_| true);
    assert_eq!(ranked.len(), 8);
    assert!(rank_vaults(&map, ErasureProfile::P8_3, 3, |_| true).is_empty());
}

#[test]
fn vaults_with_an_unhealthy_disk_come_last_and_the_others_still_take_even_turns() {
    let map = map();
    let is_healthy = |disk| disk != disk_id(0);
    let is_whole = |id: &VaultId| !map.vault(*id).expect("exists").slots.contains(&disk_id(0));
    let mut firsts: BTreeMap<VaultId, usize> = BTreeMap::new();
    for turn in 0..240 {
        let ranked = rank_vaults(&map, P4_2, turn, is_healthy);
        assert!(ranked.is_sorted_by_key(|id| !is_whole(id)));
        *firsts.entry(ranked[0]).or_default() += 1;
    }
    assert!(firsts.keys().all(is_whole));
    assert_eq!(firsts.len(), 4, "12 equal disks are in half of the vaults each");
    assert!(firsts.values().all(|turns| *turns == 60));
}
