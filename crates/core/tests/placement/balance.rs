use std::collections::BTreeMap;

use custos_core::{
    DiskId, ErasureProfile,
    placement::{plan_vaults, rank_vaults},
};
use proptest::prelude::*;

use crate::world::{cluster, clusters, create, fair_shares, host};

const ITEMS: u64 = 10_000;
const P4_2: ErasureProfile = ErasureProfile::P4_2;

/// Bytes of item `number`: between 64 MiB and 4 GiB when mixed.
fn mixed_size(seed: u64, number: u64) -> u64 {
    let mut state = (seed ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state ^= state >> 27;
    (64 << 20) + state % ((4 << 30) - (64 << 20))
}

/// Puts the items into vaults in turn, and gives what each disk has in relation to its fair share.
fn fill(weights: &[&[u32]], size: impl Fn(u64) -> u64) -> BTreeMap<DiskId, f64> {
    let nodes: Vec<_> = weights.iter().map(|weights| host(weights)).collect();
    let mut map = cluster(&nodes);
    let plan = plan_vaults(&map, P4_2, None, None).expect("enough hosts");
    let level = plan.level;
    create(&mut map, P4_2, plan);

    let mut bytes_on: BTreeMap<DiskId, u64> = BTreeMap::new();
    let mut total = 0;
    for number in 0..ITEMS {
        let vault = rank_vaults(&map, P4_2, number, |_| true)[0];
        let shard = size(number) / P4_2.data() as u64;
        for disk in &map.vault(vault).expect("ranked vaults exist").slots {
            *bytes_on.entry(*disk).or_default() += shard;
            total += shard;
        }
    }
    fair_shares(&map, level, P4_2)
        .into_iter()
        .map(|(disk, share)| {
            let bytes = bytes_on.get(&disk).copied().unwrap_or_default();
            (disk, bytes as f64 / (total as f64 * share))
        })
        .collect()
}

/// Checks the fullest disk, and gives what the emptiest has of its fair share.
fn check(name: &str, filled: &BTreeMap<DiskId, f64>) -> f64 {
    let fullest = filled.values().fold(0.0_f64, |most, ratio| most.max(*ratio));
    let emptiest = filled.values().fold(f64::MAX, |least, ratio| least.min(*ratio));
    println!("{name}: fullest {fullest:.4}, emptiest {emptiest:.4} of the fair share");
    assert!(fullest <= 1.05, "{name}: the fullest disk has {fullest:.4} of its fair share");
    emptiest
}

/// 12 unequal disks on 12 hosts; the heaviest of the second list would have more than one slot in
/// each vault if it could.
const TWELVE_HOSTS: [[&[u32]; 12]; 2] = [
    [
        &[1800],
        &[1800],
        &[1800],
        &[3600],
        &[3600],
        &[3600],
        &[7200],
        &[7200],
        &[7200],
        &[9100],
        &[9100],
        &[9100],
    ],
    [
        &[900],
        &[1800],
        &[1800],
        &[3600],
        &[3600],
        &[3600],
        &[7200],
        &[7200],
        &[7200],
        &[9100],
        &[14_500],
        &[36_000],
    ],
];

/// The same number of disks on fewer hosts.
const SEVEN_HOSTS: [&[u32]; 7] =
    [&[1800, 3600], &[1800, 7200], &[3600], &[3600, 3600, 900], &[7200], &[7200], &[9100, 1800]];

#[test]
fn with_12_unequal_disks_and_10_000_items_the_fullest_is_within_5_percent_of_its_fair_share() {
    for (number, weights) in TWELVE_HOSTS.iter().enumerate() {
        let emptiest = check(&format!("12 hosts, list {number}"), &fill(weights, |_| 1 << 30));
        assert!(emptiest >= 0.95);
    }
    assert!(check("12 disks on 7 hosts", &fill(&SEVEN_HOSTS, |_| 1 << 30)) >= 0.95);
}

#[test]
fn with_items_of_mixed_sizes_too_the_fullest_is_within_5_percent_of_its_fair_share() {
    for seed in 0..8 {
        for (number, weights) in TWELVE_HOSTS.iter().enumerate() {
            let filled = fill(weights, |item| mixed_size(seed, item));
            check(&format!("12 hosts, list {number}, seed {seed}"), &filled);
        }
        let filled = fill(&SEVEN_HOSTS, |item| mixed_size(seed, item));
        check(&format!("12 disks on 7 hosts, seed {seed}"), &filled);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn slots_follow_weights_on_any_cluster(map in clusters(), count in 1u32..600) {
        let Ok(plan) = plan_vaults(&map, P4_2, None, Some(count)) else { return Ok(()) };
        let total = f64::from(count) * P4_2.total() as f64;
        let mut slots_on: BTreeMap<DiskId, usize> = BTreeMap::new();
        for disk in plan.slots.iter().flatten() {
            *slots_on.entry(*disk).or_default() += 1;
        }
        for (disk, share) in fair_shares(&map, plan.level, P4_2) {
            let has = slots_on.get(&disk).copied().unwrap_or_default() as f64;
            let fair = total * share;
            // Rounding: once among domains, once among the disks of one.
            prop_assert!((has - fair).abs() <= 2.0 + fair * 0.05, "{has} slots, {fair} are fair");
        }
    }
}
