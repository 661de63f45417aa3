//! Whoever applies an index applies the same entry there, and has the same state and membership
//! afterwards.

use std::collections::{BTreeMap, btree_map};

use crate::simulation::history::{Applied, History, digest_state};

pub(super) fn check(history: &History) -> Result<(), String> {
    let mut first: BTreeMap<u64, &Applied> = BTreeMap::new();
    for applied in &history.applied {
        match first.entry(applied.log_id.index) {
            btree_map::Entry::Vacant(vacant) => drop(vacant.insert(applied)),
            btree_map::Entry::Occupied(before) => same(before.get(), applied)?,
        }
    }
    let states = history.ending.iter().flat_map(|ending| &ending.states);
    for (node, state) in states {
        let Some(last) = state.last_applied else { continue };
        let Some(applied) = first.get(&last.index) else { continue };
        if digest_state(state) != applied.state {
            return Err(format!("node {node} ends with another state at {last}"));
        }
    }
    Ok(())
}

fn same(before: &Applied, applied: &Applied) -> Result<(), String> {
    let (one, other) = (before.node, applied.node);
    if (before.log_id, before.entry) != (applied.log_id, applied.entry) {
        let (first, second) = (before.log_id, applied.log_id);
        return Err(format!("node {one} applied {first}, node {other} another entry {second}"));
    }
    if before.state != applied.state {
        let id = applied.log_id;
        return Err(format!("nodes {one} and {other} have different states after {id}"));
    }
    Ok(())
}
