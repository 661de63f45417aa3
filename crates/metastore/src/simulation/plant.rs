use std::cell::Cell;

/// A bug that can be put at the borders of openraft to see that the simulation finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plant {
    /// Entries are reported as durable before they are synced.
    AnswerBeforeSync,
    /// A vote is given and never written.
    ForgetVote,
    /// A follower is said to hold entries that it never got: entries are committed without a
    /// quorum, as by openraft's fault #1802.
    CommitWithoutQuorum,
    /// A leader that is started again leads on in its old term, as openraft lets it (#1511).
    LeadOnAfterRestart,
    /// The log is purged while the snapshot that it is purged for is still being installed, as
    /// openraft asks for.
    PurgeBeforeInstall,
    /// A snapshot is installed and the membership that it supersedes stays in force, as by
    /// openraft's fault #1808.
    KeepStaleMembership,
    /// The mark of what is applied goes without the membership.
    ForgetMembership,
    /// A snapshot says that it holds an entry more than it does.
    SnapshotAheadOfState,
    /// A node applies commands by its own clock, not by the leader's stamp.
    ApplyByOwnClock,
    /// A strong read does not wait for a quorum to confirm the leader.
    ReadUnconfirmed,
    /// A command whose outcome is unknown is reported as surely not done.
    CallUnknownFailed,
    /// A node that was wiped comes back under its old id.
    ReturnWiped,
}

thread_local! {
    static PLANTED: Cell<Option<Plant>> = const { Cell::new(None) };
}

/// Plants a bug in the worlds of this thread, or takes it out with `None`.
pub(crate) fn plant(plant: Option<Plant>) {
    PLANTED.set(plant);
}

pub(crate) fn is_planted(plant: Plant) -> bool {
    PLANTED.get() == Some(plant)
}
