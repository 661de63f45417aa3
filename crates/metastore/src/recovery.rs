//! What the marks of log, state and snapshot must say to each other when a store opens, and what
//! its vote is then worth. Pure, so that every crash can be put to it as numbers.

use std::path::Path;

use crate::{
    error::OpenError,
    raft_types::{LogId, Vote},
};

/// The marks found on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// Last entry of the log, or the last purged one.
    pub(crate) log_end: Option<LogId>,
    /// Last entry purged from the log.
    pub(crate) purged: Option<LogId>,
    /// Last entry applied to the state.
    pub(crate) applied: Option<LogId>,
    /// Last entry of the snapshot that the state was installed from.
    pub(crate) installed: Option<LogId>,
    /// Last entry in the current snapshot.
    pub(crate) snapshot: Option<LogId>,
}

/// What is to be done with the current snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotFate {
    /// It fits.
    Keep,
    /// It does not fit log and state; the state is whole, and a new one is taken from it.
    Discard,
}

/// Judges the marks of the store in `dir`.
///
/// # Errors
/// When no crash explains them: something that was durable is gone.
pub(crate) fn judge(dir: &Path, marks: &Marks) -> Result<SnapshotFate, OpenError> {
    if marks.purged > marks.applied {
        return Err(OpenError::StateShort {
            dir: dir.to_owned(),
            applied: name(marks.applied),
            purged: name(marks.purged),
        });
    }
    // An entry is durable in the log before it is applied. Only an installed snapshot may be ahead
    // of the log, and only until the log was purged up to it.
    let log_is_behind = marks.log_end < marks.applied;
    if log_is_behind && marks.installed != marks.applied {
        return Err(OpenError::LogShort {
            dir: dir.to_owned(),
            log_end: name(marks.log_end),
            applied: name(marks.applied),
        });
    }
    let has_gap =
        marks.snapshot < marks.purged || (log_is_behind && marks.snapshot != marks.applied);
    if marks.snapshot > marks.applied || has_gap {
        return Ok(SnapshotFate::Discard);
    }
    Ok(SnapshotFate::Keep)
}

/// The vote that node `me` goes on with after a start: the one on disk, except that a leader does
/// not come back as one.
///
/// openraft would let it lead on in the same term. But the mark of what is committed may be older
/// than what this node had acknowledged, and it would serve strong reads from before that (openraft
/// issue #1511). As the vote of a candidate it is as good: nobody else gets this node's vote in that
/// term, and to lead it must win a new one and commit an entry of it first.
pub(crate) fn vote_after_restart(on_disk: Vote, me: u64) -> Vote {
    let has_led = on_disk.committed && on_disk.leader_id.node_id == me;
    Vote { committed: on_disk.committed && !has_led, ..on_disk }
}

fn name(id: Option<LogId>) -> String {
    id.map_or_else(|| "its beginning".to_owned(), |id| id.to_string())
}

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;

    fn at(index: u64) -> Option<LogId> {
        Some(LogId::new(CommittedLeaderId::new(1, 1), index))
    }

    fn verdict(marks: Marks) -> Result<SnapshotFate, OpenError> {
        judge(Path::new("store"), &marks)
    }

    #[test]
    fn a_new_store_and_an_ordinary_one_are_fine() {
        assert_eq!(verdict(Marks::default()).expect("new"), SnapshotFate::Keep);
        let ordinary = Marks {
            log_end: at(90),
            purged: at(40),
            applied: at(88),
            installed: at(10),
            snapshot: at(50),
        };
        assert_eq!(verdict(ordinary).expect("ordinary"), SnapshotFate::Keep);
    }

    #[test]
    fn only_a_leader_comes_back_with_less_of_a_vote() {
        let led_by = |node| Vote::new_committed(3, node);
        assert_eq!(vote_after_restart(led_by(1), 1), Vote::new(3, 1));
        assert_eq!(vote_after_restart(led_by(2), 1), led_by(2));
        assert_eq!(vote_after_restart(Vote::new(3, 1), 1), Vote::new(3, 1));
        assert_eq!(vote_after_restart(Vote::new(3, 2), 1), Vote::new(3, 2));
    }

    #[test]
    fn a_state_behind_the_purged_log_is_refused() {
        let marks = Marks { log_end: at(90), purged: at(40), applied: at(39), ..Marks::default() };
        assert!(matches!(verdict(marks), Err(OpenError::StateShort { .. })));
        let emptied = Marks { applied: None, ..marks };
        assert!(matches!(verdict(emptied), Err(OpenError::StateShort { .. })));
    }

    #[test]
    fn a_log_that_ends_before_the_applied_state_is_refused() {
        let marks = Marks { log_end: at(80), applied: at(88), ..Marks::default() };
        assert!(matches!(verdict(marks), Err(OpenError::LogShort { .. })));
    }

    #[test]
    fn a_crash_after_an_install_and_before_the_purge_is_no_loss() {
        let installed = Marks {
            log_end: at(80),
            applied: at(200),
            installed: at(200),
            snapshot: at(200),
            ..Marks::default()
        };
        assert_eq!(verdict(installed).expect("lawful"), SnapshotFate::Keep);
        let before_adoption = Marks { snapshot: at(50), ..installed };
        assert_eq!(verdict(before_adoption).expect("lawful"), SnapshotFate::Discard);
    }

    #[test]
    fn a_snapshot_that_fits_neither_log_nor_state_is_discarded() {
        let newer = Marks { log_end: at(9), applied: at(5), snapshot: at(7), ..Marks::default() };
        assert_eq!(verdict(newer).expect("lawful"), SnapshotFate::Discard);
        let older = Marks {
            log_end: at(9),
            purged: at(5),
            applied: at(9),
            snapshot: at(3),
            ..Marks::default()
        };
        assert_eq!(verdict(older).expect("lawful"), SnapshotFate::Discard);
    }
}
