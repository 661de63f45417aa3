//! The simulation is only worth what it finds: each planted bug must be found.

use super::{
    plant::{Plant, plant},
    trace::Telling,
    world,
};

/// Seeds after which a bug counts as not found. Most show within the first few.
const SEEDS_MAX: u64 = 3000;

/// The seed that shows the bug, and the promise that it breaks.
fn found(bug: Plant) -> Option<(u64, String)> {
    plant(Some(bug));
    let found = (1..=SEEDS_MAX)
        .find_map(|seed| Some((seed, world::run(seed, Telling::Hash).verdict.err()?)));
    plant(None);
    found
}

macro_rules! finds {
    ($($test:ident: $bug:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let (seed, what) = found(Plant::$bug).expect("the bug is found");
                println!("{:?}: seed {seed}: {what}", Plant::$bug);
            }
        )*
    };
}

finds! {
    entries_reported_before_they_are_synced_are_found: AnswerBeforeSync,
    a_vote_given_and_never_written_is_found: ForgetVote,
    entries_committed_without_a_quorum_are_found: CommitWithoutQuorum,
    a_leader_that_leads_on_after_a_restart_is_found: LeadOnAfterRestart,
    a_log_purged_before_its_snapshot_is_installed_is_found: PurgeBeforeInstall,
    a_membership_that_outlives_its_entry_is_found: KeepStaleMembership,
    a_mark_without_its_membership_is_found: ForgetMembership,
    a_snapshot_ahead_of_its_state_is_found: SnapshotAheadOfState,
    a_node_that_applies_by_its_own_clock_is_found: ApplyByOwnClock,
    a_read_that_no_quorum_confirmed_is_found: ReadUnconfirmed,
    an_unknown_outcome_called_a_failure_is_found: CallUnknownFailed,
    a_wiped_node_under_its_old_id_is_found: ReturnWiped,
}
