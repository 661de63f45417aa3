use custos_core::{Fullness, WritePurpose};
use custos_ports::DiskSpace;

/// Files of the file system that shards never use: the index makes and removes its own.
pub(crate) const INODES_KEPT_BACK: u64 = 32;

/// How much a disk has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Holdings {
    /// Bytes of records, live or not.
    pub(crate) held_bytes: u64,
    /// Bytes given to extents and not written yet.
    pub(crate) ahead_bytes: u64,
    /// Bytes of files kept to become extents.
    pub(crate) spare_bytes: u64,
    /// Extents.
    pub(crate) files: u64,
}

/// When a disk stops taking shards. Marks are in permille of what the disk could hold: what it
/// holds already and what is free for it, less what is kept back.
///
/// Not of the file system's size: several disks and other things may share one file system, and
/// what those take is not this disk's to fill or to free. On a file system of its own it is the
/// same but for what is kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FullnessMarks {
    pub(crate) near_full_permille: u16,
    pub(crate) backfill_full_permille: u16,
    pub(crate) full_permille: u16,
    /// Bytes that shards never use, so that removals and the index can always be written.
    pub(crate) space_kept_back_bytes: u64,
}

impl FullnessMarks {
    /// The worse of bytes and inodes.
    pub(crate) fn fullness(&self, space: &DiskSpace, holdings: &Holdings) -> Fullness {
        let ours_bytes = holdings.ahead_bytes.saturating_add(holdings.spare_bytes);
        let free_bytes = space.free_bytes.saturating_add(ours_bytes);
        let usable_bytes = free_bytes.saturating_sub(self.space_kept_back_bytes);
        let by_bytes = self.level(holdings.held_bytes, usable_bytes);
        // File systems without a table of inodes say that there are none in all.
        if space.total_inodes == 0 {
            return by_bytes;
        }
        let usable_inodes = space.free_inodes.saturating_sub(INODES_KEPT_BACK);
        by_bytes.max(self.level(holdings.files, usable_inodes))
    }

    fn level(&self, held: u64, usable: u64) -> Fullness {
        if usable == 0 {
            return Fullness::Full;
        }
        let all = u128::from(held) + u128::from(usable);
        let reaches = |permille: u16| u128::from(held) * 1000 >= all * u128::from(permille);
        if reaches(self.full_permille) {
            Fullness::Full
        } else if reaches(self.backfill_full_permille) {
            Fullness::BackfillFull
        } else if reaches(self.near_full_permille) {
            Fullness::NearFull
        } else {
            Fullness::Normal
        }
    }
}

/// Whether a disk that is this full takes a shard for this purpose.
pub(crate) fn admits(fullness: Fullness, purpose: WritePurpose) -> bool {
    match purpose {
        WritePurpose::Ingest => fullness < Fullness::Full,
        WritePurpose::Backfill => fullness < Fullness::BackfillFull,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const MARKS: FullnessMarks = FullnessMarks {
        near_full_permille: 850,
        backfill_full_permille: 900,
        full_permille: 950,
        space_kept_back_bytes: 4 * MIB,
    };

    /// A disk with this many MiB of its own and this many free.
    fn fullness(held_mib: u64, free_mib: u64) -> Fullness {
        let total_bytes = (held_mib + free_mib) * MIB;
        let space = DiskSpace { total_bytes, free_bytes: free_mib * MIB, ..DiskSpace::default() };
        let holdings = Holdings { held_bytes: held_mib * MIB, files: 1, ..Holdings::default() };
        MARKS.fullness(&space, &holdings)
    }

    #[test]
    fn the_marks_are_passed_one_after_the_other() {
        let at = [0, 84, 85, 89, 90, 94, 95, 100].map(|held| fullness(held, 104 - held));
        use Fullness::{BackfillFull, Full, NearFull, Normal};
        let expected = [Normal, Normal, NearFull, NearFull, BackfillFull, BackfillFull, Full, Full];
        assert_eq!(at, expected);
    }

    #[test]
    fn a_small_empty_disk_is_not_full_and_one_with_less_than_is_kept_back_is() {
        assert_eq!(fullness(0, 5), Fullness::Normal);
        assert_eq!(fullness(0, 4), Fullness::Full);
        assert_eq!(fullness(60, 0), Fullness::Full);
    }

    #[test]
    fn what_others_take_of_the_file_system_does_not_count_as_the_disks_own() {
        let space =
            DiskSpace { total_bytes: 1000 * MIB, free_bytes: 54 * MIB, ..DiskSpace::default() };
        let holdings = Holdings { held_bytes: 50 * MIB, ..Holdings::default() };
        assert_eq!(MARKS.fullness(&space, &holdings), Fullness::Normal);
    }

    #[test]
    fn space_that_was_allocated_ahead_is_still_free() {
        let space =
            DiskSpace { total_bytes: 64 * MIB, free_bytes: 4 * MIB, ..DiskSpace::default() };
        let none = Holdings { held_bytes: 10 * MIB, files: 1, ..Holdings::default() };
        let ahead = Holdings { ahead_bytes: 16 * MIB, ..none };
        assert_eq!(MARKS.fullness(&space, &ahead), Fullness::Normal);
        let spare = Holdings { spare_bytes: 16 * MIB, ..none };
        assert_eq!(MARKS.fullness(&space, &spare), Fullness::Normal);
    }

    #[test]
    fn a_lack_of_inodes_fills_a_disk_too() {
        let with_inodes = |free_inodes| {
            let space = DiskSpace {
                total_bytes: 1000 * MIB,
                free_bytes: 1000 * MIB,
                total_inodes: 1000,
                free_inodes,
            };
            MARKS.fullness(&space, &Holdings { files: 90, ..Holdings::default() })
        };
        assert_eq!(with_inodes(900), Fullness::Normal);
        assert_eq!(with_inodes(INODES_KEPT_BACK + 10), Fullness::BackfillFull);
        assert_eq!(with_inodes(INODES_KEPT_BACK), Fullness::Full);
    }

    #[test]
    fn repair_stops_before_new_evidence_does() {
        assert!(admits(Fullness::NearFull, WritePurpose::Backfill));
        assert!(!admits(Fullness::BackfillFull, WritePurpose::Backfill));
        assert!(admits(Fullness::BackfillFull, WritePurpose::Ingest));
        assert!(!admits(Fullness::Full, WritePurpose::Ingest));
    }
}
