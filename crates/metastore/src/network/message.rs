use bytes::Bytes;
use custos_core::{MetaId, Timestamp};
use custos_ledger::Outcome;
use custos_ports::LedgerError;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};

use crate::{
    raft_types::{LogId, TypeConfig, Vote},
    status::NodeRole,
};

/// What one member asks another.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Raft's own.
    Append(AppendEntriesRequest<TypeConfig>),
    /// Raft's own.
    Vote(VoteRequest<u64>),
    /// A snapshot is to come: its file `SNAPSHOT`.
    SnapshotOffer { vote: Vote, manifest: Bytes },
    /// Bytes of one of its files, by position in the manifest.
    SnapshotPiece { snapshot_id: String, file: u32, offset: u64, data: Bytes },
    /// All pieces are there.
    SnapshotInstall { vote: Vote, snapshot_id: String },
    /// An encoded envelope, for the leader.
    Submit(Bytes),
    /// How far a strong read must see, for the leader.
    ReadIndex,
    /// How the member is.
    Status,
    /// Would the member vote for another leader, and from where in the log on?
    PreVote,
    /// Stand for election at once.
    Elect,
    /// For the leader.
    Change(MemberChange),
}

/// What is answered.
pub(crate) enum Answer {
    /// The member cannot go on.
    Fault(String),
    Append(AppendEntriesResponse<u64>),
    Vote(VoteResponse<u64>),
    /// Bytes there of each file.
    SnapshotOffer(Vec<u64>),
    SnapshotPiece,
    /// The member's vote afterwards.
    SnapshotInstall(Vote),
    Submit(Box<Outcome>),
    ReadIndex(u64),
    Status(MemberStatus),
    PreVote(PreVote),
    Elect,
    Change,
    /// Of `Submit`, `ReadIndex` and `Change`.
    Failure(LedgerError),
}

/// What a member says before an election.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreVote {
    /// Where its log ends.
    pub(crate) last_log: Option<LogId>,
    /// It leads, or its lease on the leader has not run out: it would vote for nobody.
    pub(crate) hears_leader: bool,
    /// Whoever asked is a member, as far as it knows.
    pub(crate) knows_asker: bool,
}

/// A change of the group that the leader is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MemberChange {
    /// A new member that receives the log and has no vote.
    AddLearner { id: MetaId, endpoint: String },
    /// Gives a learner a vote.
    Promote(MetaId),
    /// Takes a member out.
    Remove(MetaId),
    /// Makes a voter the leader.
    Lead(MetaId),
}

/// What a member says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStatus {
    /// What it is.
    pub role: NodeRole,
    /// Its Raft term.
    pub term: u64,
    /// The leader that it knows.
    pub leader: Option<MetaId>,
    /// Last entry in its Raft log.
    pub last_log_index: Option<u64>,
    /// Last entry applied to its state.
    pub applied_index: Option<u64>,
    /// Last entry in its snapshot.
    pub snapshot_index: Option<u64>,
    /// Its wall clock when it answered.
    pub clock: Timestamp,
}
