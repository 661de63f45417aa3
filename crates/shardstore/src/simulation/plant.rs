use std::cell::Cell;

/// A bug that can be put into the store to see that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    /// Extents are not synced before their records are noted and acknowledged.
    SkipDataSync,
    /// The name of a new extent is not made durable.
    SkipFolderSync,
    /// The sync of a group commit comes only with the next one.
    AnswerBeforeSync,
    /// The index learns of records before they are written.
    IndexFirst,
    /// What lies in an extent beyond what the index knows is not scanned.
    TrustIndex,
    /// Of several records of a key the one that is seen last counts, not the one written last.
    ForgetSequence,
    /// A record that nothing vouches for is taken over unread.
    TakeTornRecords,
    /// Payloads are not compared with their checksums.
    IgnoreChecksums,
    /// What was written of a commit that found no space stays.
    SkipRollBack,
    /// After a failed sync the disk stays in service.
    StayInService,
    /// Recovery appends to extents whose names may not be durable.
    TrustNames,
    /// Recovery believes what memory keeps of an extent whose sync failed.
    KeepCache,
    /// An extent is removed before what it still had is synced elsewhere.
    UnlinkFirst,
    /// Tombstones go with their extent though older records of their keys lie elsewhere.
    DropTombstones,
    /// A spare file is filled with zeros before its name as an extent is gone for good.
    ZeroFirst,
    /// A spare file becomes an extent with what it held before.
    SkipZeros,
}

thread_local! {
    static PLANTED: Cell<Option<Plant>> = const { Cell::new(None) };
}

/// Plants a bug in the engines of this thread, or takes it out with `None`.
pub(crate) fn plant(plant: Option<Plant>) {
    PLANTED.set(plant);
}

pub(crate) fn is_planted(plant: Plant) -> bool {
    PLANTED.get() == Some(plant)
}
