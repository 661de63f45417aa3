//! A membership that a node goes by is the last committed one, or a later one that is not yet
//! decided: what openraft's fault #1808 broke.

use std::collections::BTreeMap;

use openraft::EntryPayload;

use crate::{
    raft_types::{LogId, Membership},
    simulation::history::History,
};

pub(super) fn check(history: &History) -> Result<(), String> {
    let mut committed: BTreeMap<u64, (LogId, &Membership)> = BTreeMap::new();
    for (index, entry) in &history.committed {
        if let EntryPayload::Membership(membership) = &entry.entry.payload {
            committed.insert(*index, (entry.entry.log_id, membership));
        }
    }
    for seen in &history.memberships {
        let Some(applied) = seen.applied else { continue };
        let Some((_, (last, membership))) = committed.range(..=applied.index).next_back() else {
            continue;
        };
        let (id, node) = (seen.membership.log_id(), seen.node);
        let is_undecided = id.is_some_and(|id| id.index > applied.index);
        let is_last = *id == Some(*last) && seen.membership.membership() == *membership;
        if !is_undecided && !is_last {
            let goes_by = id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            return Err(format!(
                "node {node}, at {applied}, goes by the membership of {goes_by}, not of {last}"
            ));
        }
    }
    Ok(())
}
