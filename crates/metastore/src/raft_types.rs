use std::fmt;

use bytes::Bytes;
use custos_core::Refusal;
use custos_ledger::Outcome;
use openraft::BasicNode;

#[cfg(test)]
pub(crate) use crate::simulation::LedgerRuntime;
use crate::state::SnapshotDir;
#[cfg(not(test))]
pub(crate) use openraft::TokioRuntime as LedgerRuntime;

openraft::declare_raft_types!(
    /// How openraft is used here: `u64` nodes, encoded command batches, snapshots as directories.
    pub(crate) TypeConfig:
        D = EncodedBatch,
        R = Replies,
        NodeId = u64,
        Node = BasicNode,
        Entry = openraft::Entry<TypeConfig>,
        SnapshotData = SnapshotDir,
        AsyncRuntime = LedgerRuntime,
);

pub(crate) type Raft = openraft::Raft<TypeConfig>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;
pub(crate) type LogId = openraft::LogId<u64>;
pub(crate) type Vote = openraft::Vote<u64>;
pub(crate) type Membership = openraft::Membership<u64, BasicNode>;
pub(crate) type StoredMembership = openraft::StoredMembership<u64, BasicNode>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, BasicNode>;
pub(crate) type Snapshot = openraft::Snapshot<TypeConfig>;
pub(crate) type StorageError = openraft::StorageError<u64>;
pub(crate) type StorageIoError = openraft::StorageIOError<u64>;

/// Bytes of a `CommandBatch`: encoded once by the leader, decoded once by each `apply`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EncodedBatch(pub(crate) Bytes);

impl fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedBatch({} bytes)", self.0.len())
    }
}

/// What each command of one entry did, in the order of the batch; empty for entries without
/// commands.
#[derive(Debug)]
pub(crate) struct Replies(pub(crate) Vec<Result<Outcome, Refusal>>);
