//! When an entry is applied anywhere for the first time, a quorum of the voters in force has it
//! where a crash does not reach it: what openraft's fault #1802 broke.

use std::collections::BTreeSet;

use crate::simulation::history::{Committed, History};

pub(super) fn check(history: &History) -> Result<(), String> {
    for Committed { entry, holders, electorates, .. } in history.committed.values() {
        // The first entry is the membership itself.
        let is_first = entry.log_id.index == 0;
        let agrees =
            |groups: &Vec<BTreeSet<u64>>| groups.iter().all(|voters| is_majority(voters, holders));
        if !is_first && !electorates.iter().any(agrees) {
            return Err(format!(
                "{} was applied while only {holders:?} had it on disk, of {electorates:?}",
                entry.log_id
            ));
        }
    }
    Ok(())
}

fn is_majority(voters: &BTreeSet<u64>, holders: &BTreeSet<u64>) -> bool {
    voters.intersection(holders).count() * 2 > voters.len()
}
