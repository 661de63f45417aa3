use std::collections::HashMap;

use crate::{DomainName, ErasureProfile};

/// Whether a chunk may be acknowledged before all its shards are written (invariant I1): enough
/// shards are fsynced on distinct disks, and when the m−1 failure domains with the most of them are
/// lost, k remain. `domains_of_written` names the failure domain of each shard that is written,
/// each on a disk of its own.
#[must_use]
pub fn may_acknowledge(profile: ErasureProfile, domains_of_written: &[DomainName]) -> bool {
    if domains_of_written.len() < profile.ack_quorum() {
        return false;
    }
    let mut shards_in: HashMap<&DomainName, usize> = HashMap::new();
    for domain in domains_of_written {
        *shards_in.entry(domain).or_default() += 1;
    }
    let mut most_first: Vec<usize> = shards_in.into_values().collect();
    most_first.sort_unstable_by(|one, other| other.cmp(one));
    let lost: usize = most_first.iter().take(profile.parity() - 1).sum();
    domains_of_written.len() - lost >= profile.data()
}
