use openraft::{LogIdOptionExt, raft::AppendEntriesRequest};

use crate::raft_types::TypeConfig;

/// Whether the entries follow on each other and on the one that they are said to follow on.
///
/// openraft reads entries to be sent while its own log is purged. What is left of them then begins
/// later than the request says, and openraft neither looks when it sends (as in its issue #1795)
/// nor, in release builds, when it receives: the follower would have a gap in its log and not know.
pub(super) fn is_continuous(append: &AppendEntriesRequest<TypeConfig>) -> bool {
    let indexes = append.entries.iter().map(|entry| entry.log_id.index);
    indexes.zip(append.prev_log_id.next_index()..).all(|(index, due)| index == due)
}

#[cfg(test)]
mod tests {
    use openraft::{CommittedLeaderId, EntryPayload, Vote};

    use super::*;
    use crate::raft_types::{Entry, LogId};

    fn at(index: u64) -> LogId {
        LogId::new(CommittedLeaderId::new(1, 1), index)
    }

    fn append(prev: Option<u64>, entries: &[u64]) -> AppendEntriesRequest<TypeConfig> {
        let entry = |index: &u64| Entry { log_id: at(*index), payload: EntryPayload::Blank };
        AppendEntriesRequest {
            vote: Vote::new_committed(1, 1),
            prev_log_id: prev.map(at),
            entries: entries.iter().map(entry).collect(),
            leader_commit: None,
        }
    }

    #[test]
    fn entries_follow_on_what_they_are_said_to_follow_on_or_are_told_apart() {
        for (prev, entries) in [(None, &[0, 1][..]), (Some(83), &[84, 85, 86]), (Some(9), &[])] {
            assert!(is_continuous(&append(prev, entries)), "{prev:?} {entries:?}");
        }
        for (prev, entries) in [(None, &[1][..]), (Some(83), &[88, 89]), (Some(83), &[84, 86])] {
            assert!(!is_continuous(&append(prev, entries)), "{prev:?} {entries:?}");
        }
    }
}
