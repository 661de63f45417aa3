use std::collections::{BTreeMap, BTreeSet};

use custos_core::{
    DiskId, DomainName, NodeId,
    placement::{self, OutOfReach},
};

use crate::homes::Homes;

/// Failures to reach a node or a failure domain after which a chunk tries no spare there.
const UNREACHED_MAX: usize = 2;

/// What the writes of one chunk showed about which parts of the cluster are in reach. Pure: the
/// caller says which disks are doubtful by what is remembered of them.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Failure domains of which some disk answered.
    answered: BTreeSet<DomainName>,
    unreached_domains: BTreeMap<DomainName, usize>,
    unreached_nodes: BTreeMap<NodeId, usize>,
}

impl Reach {
    /// A disk answered, whatever it said.
    pub(super) fn note_answer(&mut self, homes: &Homes, disk: DiskId) {
        self.answered.insert(homes.domain(disk));
    }

    /// A disk did not answer, or said that it is out of service.
    pub(super) fn note_unreached(&mut self, homes: &Homes, disk: DiskId) {
        *self.unreached_domains.entry(homes.domain(disk)).or_default() += 1;
        if let Some(disk) = homes.map().disk(disk) {
            *self.unreached_nodes.entry(disk.node_id).or_default() += 1;
        }
    }

    /// The disk is not near what did not answer again and again.
    pub(super) fn may_try(&self, homes: &Homes, disk: DiskId) -> bool {
        let within = |count: Option<&usize>| count.is_none_or(|count| *count < UNREACHED_MAX);
        let node = homes.map().disk(disk).map(|disk| disk.node_id);
        within(self.unreached_domains.get(&homes.domain(disk)))
            && within(node.and_then(|node| self.unreached_nodes.get(&node)))
    }

    /// Whether so much of the vault is in reach that what is written could be read.
    pub(super) fn check(
        &self,
        homes: &Homes,
        is_doubtful: impl Fn(DiskId) -> bool,
    ) -> Result<(), OutOfReach> {
        placement::check_reach(homes.map(), homes.vault(), |home| {
            self.is_in_reach(homes, home, &is_doubtful)
        })
    }

    /// The failure domains of the vault that are not.
    pub(super) fn out_of_reach(
        &self,
        homes: &Homes,
        is_doubtful: impl Fn(DiskId) -> bool,
    ) -> BTreeSet<DomainName> {
        homes
            .slots()
            .filter(|(_, home)| !self.is_in_reach(homes, *home, &is_doubtful))
            .map(|(_, home)| homes.domain(home))
            .collect()
    }

    /// Nothing says that the failure domain of this home is out of reach.
    fn is_in_reach(
        &self,
        homes: &Homes,
        home: DiskId,
        is_doubtful: &impl Fn(DiskId) -> bool,
    ) -> bool {
        let domain = homes.domain(home);
        self.answered.contains(&domain)
            || !self.unreached_domains.contains_key(&domain) && !is_doubtful(home)
    }
}

#[cfg(test)]
mod tests {
    use custos_core::{ErasureProfile, ShardSlot, VaultId};
    use custos_ports::{Cluster, fakes::MemoryCluster};

    use super::*;

    /// Disk i and disk i + 3 stand on host i.
    fn homes() -> Homes {
        let hosts = ["a", "b", "c", "a", "b", "c"];
        let cluster = MemoryCluster::new(ErasureProfile::P2_1, &hosts);
        Homes::of(cluster.map(), VaultId(0)).expect("vault 0")
    }

    #[test]
    fn a_domain_is_in_reach_as_long_as_one_of_its_disks_answers() {
        let (homes, mut reach) = (homes(), Reach::default());
        let nobody = |_: DiskId| false;
        let disk = |slot| homes.disk(ShardSlot(slot));
        reach.note_unreached(&homes, disk(0));
        assert!(reach.check(&homes, nobody).is_ok(), "two of three are enough for 2+1");
        reach.note_unreached(&homes, disk(1));
        let out = reach.check(&homes, nobody).expect_err("one is not");
        assert_eq!((out.in_reach, out.total, out.needed), (1, 3, 2));
        assert_eq!(reach.out_of_reach(&homes, nobody).len(), 2);
        let beside_the_first = homes.others()[0];
        reach.note_answer(&homes, beside_the_first);
        assert!(reach.check(&homes, nobody).is_ok());
    }

    #[test]
    fn a_home_that_is_remembered_as_doubtful_counts_as_out_of_reach_until_it_answers() {
        let (homes, mut reach) = (homes(), Reach::default());
        assert!(reach.check(&homes, |_| true).is_err());
        for (_, disk) in homes.slots() {
            reach.note_answer(&homes, disk);
        }
        assert!(reach.check(&homes, |_| true).is_ok());
    }

    #[test]
    fn after_two_failures_no_more_is_tried_near_them() {
        let (homes, mut reach) = (homes(), Reach::default());
        let (home, beside) = (homes.disk(ShardSlot(0)), homes.others()[0]);
        reach.note_unreached(&homes, home);
        assert!(reach.may_try(&homes, beside), "the disk alone may be to blame");
        reach.note_unreached(&homes, beside);
        assert!(!reach.may_try(&homes, beside));
        assert!(reach.may_try(&homes, homes.others()[1]));
    }
}
