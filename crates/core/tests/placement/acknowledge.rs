use std::collections::BTreeSet;

use custos_core::{DomainName, ErasureProfile, placement::may_acknowledge};
use proptest::prelude::*;

use crate::world::profiles;

fn names(numbers: &[u8]) -> Vec<DomainName> {
    numbers.iter().map(|number| DomainName(format!("host-{number}"))).collect()
}

/// Every way to lose `count` of `domains`.
fn losses(domains: &[u8], count: usize) -> Vec<BTreeSet<u8>> {
    if count == 0 {
        return vec![BTreeSet::new()];
    }
    let mut all = Vec::new();
    for (at, first) in domains.iter().enumerate() {
        for mut rest in losses(&domains[at + 1..], count - 1) {
            rest.insert(*first);
            all.push(rest);
        }
    }
    all
}

proptest! {
    #[test]
    fn i1_what_may_be_acknowledged_survives_the_loss_of_any_m_minus_1_failure_domains(
        profile in profiles(),
        written in prop::collection::vec(0u8..10, 0..15),
    ) {
        let domains: Vec<u8> = written.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let lost = (profile.parity() - 1).min(domains.len());
        let survives = losses(&domains, lost).iter().all(|lost| {
            written.iter().filter(|domain| !lost.contains(domain)).count() >= profile.data()
        });
        let expected = written.len() >= profile.ack_quorum() && survives;
        prop_assert_eq!(may_acknowledge(profile, &names(&written)), expected);
    }
}

#[test]
fn i1_shards_at_home_suffice_one_short_of_all_and_spares_count_by_their_domain() {
    let p = ErasureProfile::P4_2;
    assert!(may_acknowledge(p, &names(&[0, 1, 2, 3, 4, 5])));
    assert!(may_acknowledge(p, &names(&[0, 1, 2, 3, 4])));
    assert!(!may_acknowledge(p, &names(&[0, 1, 2, 3])));
    // Two hosts are gone, their shards are on spares beside others.
    assert!(may_acknowledge(p, &names(&[0, 1, 2, 3, 0, 1])));
    assert!(!may_acknowledge(p, &names(&[0, 1, 2, 3, 0])));
    // Five disks, but the loss of one host leaves three shards.
    assert!(!may_acknowledge(p, &names(&[0, 0, 1, 2, 3])));
    assert!(!may_acknowledge(p, &[]));
}

#[test]
fn i1_with_one_parity_shard_all_must_be_written() {
    let p = ErasureProfile::P2_1;
    assert!(may_acknowledge(p, &names(&[0, 1, 2])));
    assert!(!may_acknowledge(p, &names(&[0, 1])));
}
