use std::collections::VecDeque;

use openraft::EntryPayload;

use crate::raft_types::{Entry, LogId};

/// Bytes of entries that are kept, beside those that are not written yet.
const TAIL_BYTES_MAX: usize = 4 << 20;
/// What an entry takes beside its commands, roughly.
const ENTRY_BYTES: usize = 256;

/// The newest entries of the log, without a gap, in memory. They are there from the moment that
/// they are appended, while the worker still writes them; and what the followers are sent and what
/// is applied is nearly always among them, so that neither is read from the database and decoded.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Entries from here on are not in the database yet.
    unwritten: u64,
}

/// What the tail has of a range.
#[derive(Debug)]
pub(super) struct Found {
    /// One past the last entry that only the database has; `None` when it may have all to the end.
    pub(super) stored_end: Option<u64>,
    pub(super) entries: Vec<Entry>,
}

impl Tail {
    /// Takes the next entry. Whatever it does not follow on is forgotten: the database has it, for
    /// Raft waits for every append before the next.
    pub(super) fn push(&mut self, entry: Entry) {
        let index = entry.log_id.index;
        self.truncate(index);
        if self.end().is_some_and(|end| end != index) {
            self.clear();
        }
        self.bytes += weight(&entry);
        self.entries.push_back(entry);
    }

    /// All entries before `end` are in the database now.
    pub(super) fn written(&mut self, end: u64) {
        self.unwritten = end;
        while self.bytes > TAIL_BYTES_MAX
            && self.entries.front().is_some_and(|first| first.log_id.index < self.unwritten)
        {
            self.pop_front();
        }
    }

    /// Forgets entries from `from` on.
    pub(super) fn truncate(&mut self, from: u64) {
        while self.entries.back().is_some_and(|last| last.log_id.index >= from) {
            let last = self.entries.pop_back();
            self.bytes -= last.as_ref().map_or(0, weight);
        }
    }

    /// Forgets entries up to `upto`.
    pub(super) fn purge(&mut self, upto: u64) {
        while self.entries.front().is_some_and(|first| first.log_id.index <= upto) {
            self.pop_front();
        }
    }

    /// The last entry that is kept.
    pub(super) fn last(&self) -> Option<LogId> {
        self.entries.back().map(|entry| entry.log_id)
    }

    /// Entries of `start..end` that are kept, and no further than `bytes_max` once there is one.
    pub(super) fn read(&self, start: u64, end: Option<u64>, bytes_max: usize) -> Found {
        let Some(first) = self.entries.front().map(|entry| entry.log_id.index) else {
            return Found { stored_end: end, entries: Vec::new() };
        };
        let is_before_end = |index: u64| end.is_none_or(|end| index < end);
        let skipped = usize::try_from(start.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let mut entries = Vec::new();
        for entry in self.entries.iter().skip(skipped) {
            if !is_before_end(entry.log_id.index) || bytes >= bytes_max {
                break;
            }
            bytes += weight(entry);
            entries.push(entry.clone());
        }
        Found { stored_end: Some(end.map_or(first, |end| end.min(first))), entries }
    }

    fn end(&self) -> Option<u64> {
        self.last().map(|last| last.index + 1)
    }

    fn pop_front(&mut self) {
        let first = self.entries.pop_front();
        self.bytes -= first.as_ref().map_or(0, weight);
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

fn weight(entry: &Entry) -> usize {
    ENTRY_BYTES
        + match &entry.payload {
            EntryPayload::Normal(batch) => batch.0.len(),
            EntryPayload::Blank | EntryPayload::Membership(_) => 0,
        }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use openraft::CommittedLeaderId;

    use super::*;
    use crate::raft_types::EncodedBatch;

    fn entry(index: u64, bytes: usize) -> Entry {
        let log_id = LogId::new(CommittedLeaderId::new(1, 1), index);
        let payload = EntryPayload::Normal(EncodedBatch(Bytes::from(vec![0; bytes])));
        Entry { log_id, payload }
    }

    fn tail(indexes: impl IntoIterator<Item = u64>) -> Tail {
        let mut tail = Tail::default();
        indexes.into_iter().for_each(|index| tail.push(entry(index, 10)));
        tail
    }

    fn found(tail: &Tail, start: u64, end: Option<u64>) -> (Option<u64>, Vec<u64>) {
        let Found { stored_end, entries } = tail.read(start, end, usize::MAX);
        (stored_end, entries.iter().map(|entry| entry.log_id.index).collect())
    }

    #[test]
    fn a_range_is_cut_at_the_first_entry_that_is_kept() {
        let tail = tail(5..8);
        assert_eq!(found(&tail, 0, Some(3)), (Some(3), vec![]));
        assert_eq!(found(&tail, 2, Some(6)), (Some(5), vec![5]));
        assert_eq!(found(&tail, 6, Some(8)), (Some(5), vec![6, 7]));
        assert_eq!(found(&tail, 6, None), (Some(5), vec![6, 7]));
        assert_eq!(found(&tail, 8, Some(9)), (Some(5), vec![]));
        assert_eq!(found(&Tail::default(), 2, Some(6)), (Some(6), vec![]));
        assert_eq!(found(&Tail::default(), 2, None), (None, vec![]));
    }

    #[test]
    fn a_limited_range_has_one_entry_at_least() {
        let tail = tail(0..9);
        assert_eq!(tail.read(3, Some(9), 1).entries.len(), 1);
        assert_eq!(tail.read(3, Some(9), ENTRY_BYTES + 11).entries.len(), 2);
    }

    #[test]
    fn what_is_truncated_purged_or_not_followed_on_is_gone() {
        let mut kept = tail(0..9);
        kept.truncate(7);
        kept.purge(1);
        assert_eq!(found(&kept, 0, None), (Some(2), vec![2, 3, 4, 5, 6]));
        kept.push(entry(5, 10));
        assert_eq!(found(&kept, 0, None), (Some(2), vec![2, 3, 4, 5]));
        kept.push(entry(20, 10));
        assert_eq!(found(&kept, 0, None), (Some(20), vec![20]));
        kept.purge(20);
        assert_eq!((kept.bytes, kept.last()), (0, None));
    }

    #[test]
    fn the_oldest_go_once_they_are_written_and_never_before() {
        let mut tail = Tail::default();
        for index in 0..4 {
            tail.push(entry(index, TAIL_BYTES_MAX / 2));
        }
        assert_eq!(found(&tail, 0, None).1, [0, 1, 2, 3]);
        tail.written(1);
        assert_eq!(found(&tail, 0, None).1, [1, 2, 3]);
        tail.written(4);
        assert_eq!(found(&tail, 0, None).1, [3]);
    }
}
