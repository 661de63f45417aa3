//! Whole shares in proportion to weights: the divisor method of Webster and Sainte-Laguë, with a
//! cap on each share and with what each has already.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Who gets the next item: the heap gives the one that has least for its weight.
#[derive(Debug, PartialEq, Eq)]
struct Claimant {
    weight: u64,
    has: u64,
    index: usize,
}

impl Ord for Claimant {
    fn cmp(&self, other: &Self) -> Ordering {
        has_less_for_its_weight((self.weight, self.has), (other.weight, other.has))
            .then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Claimant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Greater when `one`, a weight and a count, should get the next item before `other`: when it has
/// less for its weight, counting half of what it would get.
pub(super) fn has_less_for_its_weight(one: (u64, u64), other: (u64, u64)) -> Ordering {
    let claim = |weight: u64, against: u64| u128::from(weight) * (2 * u128::from(against) + 1);
    claim(one.0, other.1).cmp(&claim(other.0, one.1))
}

/// Shares `total` items out in proportion to weight, counting what each has already, at most `cap`
/// to each. `claimants` are weights, at least 1, and what each has.
///
/// # Panics
/// When all caps together are less than `total`.
pub(super) fn apportion(claimants: &[(u64, u64)], cap: u64, total: u64) -> Vec<u64> {
    let mut shares = vec![0; claimants.len()];
    let mut heap: BinaryHeap<Claimant> = claimants
        .iter()
        .enumerate()
        .map(|(index, &(weight, has))| Claimant { weight, has, index })
        .collect();
    for _ in 0..total {
        let next = heap.pop().expect("the caps leave room for all items");
        shares[next.index] += 1;
        if shares[next.index] < cap {
            heap.push(Claimant { has: next.has + 1, ..next });
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_weights_up_to_the_cap_and_the_rest_goes_to_the_others() {
        assert_eq!(apportion(&[(1, 0), (2, 0), (3, 0)], 100, 60), [10, 20, 30]);
        assert_eq!(apportion(&[(1, 0), (1, 0), (98, 0)], 10, 20), [5, 5, 10]);
    }

    #[test]
    fn what_each_has_already_counts() {
        assert_eq!(apportion(&[(1, 10), (1, 0)], 100, 10), [0, 10]);
        assert_eq!(apportion(&[(1, 10), (1, 0)], 100, 20), [5, 15]);
    }
}
