use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    DiskState, ErasureProfile, ErrorKind, FailureDomain, Refusal, Rule,
    placement::{PlacementRefusal, VAULTS_PER_PLAN_MAX, plan_vaults},
};
use proptest::prelude::*;

use crate::world::{Node, cluster, clusters, create, disk_id, domains_of, host, levels, profiles};

const P4_2: ErasureProfile = ErasureProfile::P4_2;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn i1_no_vault_has_two_slots_in_one_failure_domain_whatever_the_cluster(
        mut map in clusters(),
        profile in profiles(),
        level in prop::option::of(levels()),
        counts in (1u32..70, 1u32..70),
    ) {
        for count in [counts.0, counts.1] {
            let Ok(plan) = plan_vaults(&map, profile, level, Some(count)) else {
                let level = level.unwrap_or(FailureDomain::Disk);
                prop_assert!(map.domains(level).len() < profile.total());
                return Ok(());
            };
            prop_assert_eq!(plan.slots.len(), count as usize);
            for slots in &plan.slots {
                prop_assert_eq!(slots.len(), profile.total());
                prop_assert_eq!(domains_of(&map, plan.level, slots).len(), profile.total());
            }
            // The second plan stands beside the first.
            create(&mut map, profile, plan);
        }
    }

    #[test]
    fn the_level_is_the_widest_that_has_a_failure_domain_for_each_slot(
        map in clusters(),
        profile in profiles(),
    ) {
        if let Ok(plan) = plan_vaults(&map, profile, None, Some(1)) {
            for wider in FailureDomain::ALL.into_iter().filter(|level| *level < plan.level) {
                prop_assert!(map.domains(wider).len() < profile.total());
            }
        }
    }

    #[test]
    fn the_same_map_gives_the_same_plan(map in clusters(), profile in profiles()) {
        prop_assert_eq!(
            plan_vaults(&map, profile, None, None),
            plan_vaults(&map, profile, None, None)
        );
    }
}

#[test]
fn a_refusal_names_what_is_missing() {
    let map = cluster(&[host(&[1, 1]), host(&[1]), host(&[1]), host(&[1])]);
    let refusal = plan_vaults(&map, P4_2, Some(FailureDomain::Host), None).expect_err("4 hosts");
    assert_eq!(refusal.to_string(), "4+2 needs 6 hosts, the cluster has 4 (and 5 disks)");
    let refusal = plan_vaults(&map, P4_2, None, None).expect_err("5 disks");
    assert_eq!(refusal.to_string(), "4+2 needs 6 disks, the cluster has 5 (on 4 hosts)");
    let refusal = Refusal::from(refusal);
    assert_eq!((refusal.kind, refusal.rule), (ErrorKind::Refused, Rule::I1));
    assert_eq!(refusal.field, "level");
}

#[test]
fn a_count_out_of_bounds_is_refused() {
    let map = cluster(&[host(&[1; 6])]);
    for count in [0, VAULTS_PER_PLAN_MAX + 1] {
        let refusal = plan_vaults(&map, P4_2, None, Some(count)).expect_err("out of bounds");
        assert_eq!(refusal, PlacementRefusal::Count { count, max: VAULTS_PER_PLAN_MAX });
        assert_eq!(refusal.kind(), ErrorKind::Invalid);
        assert_eq!(Refusal::from(refusal).rule, Rule::I10);
    }
}

#[test]
fn a_single_node_with_a_disk_for_each_slot_gets_one_vault_in_the_order_of_its_disks() {
    let mut map = cluster(&[host(&[1; 14])]);
    // The numbers of names count, not the order of ids.
    for (disk, name) in map.disks.iter_mut().zip((0..14).rev()) {
        disk.name = format!("disk {name}");
    }
    let plan = plan_vaults(&map, ErasureProfile::P10_4, None, None).expect("enough disks");
    assert_eq!(plan.level, FailureDomain::Disk);
    assert_eq!(plan.slots, [(0..14).rev().map(disk_id).collect::<Vec<_>>()]);
}

#[test]
fn by_default_each_disk_gets_about_a_hundred_slots_and_no_more_when_asked_again() {
    let mut map = cluster(&vec![host(&[1, 1]); 6]);
    let plan = plan_vaults(&map, P4_2, None, None).expect("6 hosts");
    assert_eq!((plan.level, plan.slots.len()), (FailureDomain::Host, 256));
    create(&mut map, P4_2, plan);
    let refusal = plan_vaults(&map, P4_2, None, None).expect_err("enough");
    assert_eq!(refusal, PlacementRefusal::EnoughVaults { profile: P4_2, vaults: 256, disks: 12 });
    // Another profile has vaults of its own.
    assert!(plan_vaults(&map, ErasureProfile::P8_3, None, None).is_ok());

    let large = cluster(&vec![host(&[1; 12]); 20]);
    assert_eq!(plan_vaults(&large, P4_2, None, None).expect("20 hosts").slots.len(), 512);
}

#[test]
fn new_disks_get_the_slots_of_new_vaults_until_they_have_their_share() {
    let mut map = cluster(&vec![host(&[1]); 6]);
    let plan = plan_vaults(&map, P4_2, None, Some(128)).expect("6 hosts");
    create(&mut map, P4_2, plan);
    let wider = cluster(&vec![host(&[1]); 12]);
    (map.nodes, map.disks) = (wider.nodes, wider.disks);
    let plan = plan_vaults(&map, P4_2, None, None).expect("12 hosts");
    assert_eq!(plan.slots.len(), 128);
    assert!(plan.slots.iter().flatten().all(|disk| *disk >= disk_id(6)));
}

#[test]
fn a_disk_that_is_removed_gets_no_slot() {
    let mut map = cluster(&vec![host(&[1, 1]); 6]);
    map.disks[3].state = DiskState::Removed;
    let plan = plan_vaults(&map, P4_2, None, None).expect("6 hosts");
    assert!(plan.slots.iter().flatten().all(|disk| *disk != disk_id(3)));
}

#[test]
fn racks_of_one_name_in_two_zones_are_two() {
    let node = |zone, rack| Node { zone, rack, weights: vec![1] };
    let map = cluster(&[node("a", "1"), node("a", "2"), node("b", "1")]);
    let plan = plan_vaults(&map, ErasureProfile::P2_1, None, None).expect("3 racks");
    assert_eq!(plan.level, FailureDomain::Rack);
}

#[test]
fn every_disk_shares_a_vault_with_every_other_so_that_all_help_to_rebuild_it() {
    let map = cluster(&vec![host(&[4]); 12]);
    let plan = plan_vaults(&map, P4_2, None, None).expect("12 hosts");
    let pairs: BTreeSet<_> = plan
        .slots
        .iter()
        .flat_map(|slots| slots.iter().flat_map(|one| slots.iter().map(move |two| (one, two))))
        .collect();
    assert_eq!(pairs.len(), 12 * 12);
}

#[test]
fn every_disk_has_data_and_parity_slots_in_the_profiles_ratio() {
    let map = cluster(&vec![host(&[4]); 12]);
    let plan = plan_vaults(&map, P4_2, None, None).expect("12 hosts");
    let mut parity: BTreeMap<_, usize> = BTreeMap::new();
    for slots in &plan.slots {
        for disk in &slots[P4_2.data()..] {
            *parity.entry(disk).or_default() += 1;
        }
    }
    // 128 slots each, a third of them parity.
    for (disk, count) in parity {
        assert!((25..=62).contains(&count), "{count} parity slots on {disk}");
    }
}
