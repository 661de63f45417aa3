//! The simulation is only worth what it finds: each planted bug must be found.

use super::enumeration::Enumeration;
use super::life::Troubles;
use super::plant::{Plant, plant};

/// Lives after which a bug counts as not found. Most show in the first.
const LIVES_MAX: u64 = 60;

/// The seed that shows the bug, and the promise that it breaks.
fn found(bug: Plant) -> Option<(u64, Troubles, String)> {
    plant(Some(bug));
    let all = [Troubles::None, Troubles::Space, Troubles::Failures];
    let found = (1..=LIVES_MAX).find_map(|seed| {
        all.into_iter().find_map(|troubles| {
            let what = Enumeration::new(seed).one_life(troubles).err()?;
            Some((seed, troubles, what.lines().next().unwrap_or_default().to_owned()))
        })
    });
    plant(None);
    found
}

macro_rules! finds {
    ($($test:ident: $bug:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let found = found(Plant::$bug);
                let (seed, troubles, what) = found.expect("the bug is found");
                println!("{:?}: seed {seed}, troubles {troubles:?}: {what}", Plant::$bug);
            }
        )*
    };
}

finds! {
    a_skipped_data_sync_is_found: SkipDataSync,
    a_skipped_sync_of_the_folder_is_found: SkipFolderSync,
    an_answer_before_the_sync_is_found: AnswerBeforeSync,
    an_index_written_before_the_extent_is_found: IndexFirst,
    an_index_believed_over_the_extent_is_found: TrustIndex,
    a_forgotten_check_of_sequence_numbers_is_found: ForgetSequence,
    a_torn_record_taken_over_is_found: TakeTornRecords,
    an_ignored_checksum_is_found: IgnoreChecksums,
    a_forgotten_roll_back_is_found: SkipRollBack,
    a_disk_that_stays_in_service_after_a_failed_sync_is_found: StayInService,
    a_recovery_that_believes_the_cache_is_found: KeepCache,
    an_extent_removed_before_its_survivors_are_synced_is_found: UnlinkFirst,
    a_tombstone_dropped_too_early_is_found: DropTombstones,
    a_recovery_that_believes_the_names_is_found: TrustNames,
    a_spare_file_zeroed_before_its_old_name_is_gone_is_found: ZeroFirst,
    a_spare_file_reused_as_it_was_is_found: SkipZeros,
}
