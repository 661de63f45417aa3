//! The vocabulary of Custos: what every other crate means when it says *evidence*, *chunk* or
//! *refused*.
//!
//! Owns ids, units, limits, times, descriptors, records as the law sees them, error kinds, and the
//! decisions where shards go ([`placement`]) and whether a recording is whole ([`continuity`]).
//! Must not know any I/O, clock, randomness, async, protobuf or storage layout: values come in as
//! arguments and go out as results. Enter at [`EvidenceRecord`] for what the ledger keeps, at
//! [`units`] for sizes, and at [`ErrorKind`] for how failures are classed.

mod actor;
mod cluster;
pub mod continuity;
mod custody;
mod descriptor;
mod error;
mod evidence;
mod hash;
mod ids;
pub mod law;
pub mod limits;
mod meta;
mod mirror;
mod named;
pub mod placement;
mod profile;
mod shard;
mod time;
pub mod units;

pub use actor::{Actor, Role};
pub use cluster::{
    ClusterMap, DiskRecord, DiskState, DomainName, FailureDomain, Labels, NodeRecord,
    ParseFailureDomainError, VaultRecord,
};
pub use custody::{Act, Checkpoint, CustodyEntry, InclusionProof};
pub use descriptor::{Descriptor, EvidenceKind, Stage};
pub use error::{ErrorKind, Refusal, Rule};
pub use evidence::{
    EvidenceRecord, EvidenceState, EvidenceSummary, Receipt, SealedParts, UploadSession,
};
pub use hash::{Blake3Hash, ParseHashError, Sha256Hash};
pub use ids::{
    ChunkIndex, DiskGeneration, DiskId, Epoch, EvidenceId, LogIndex, MetaId, NodeId, ParseIdError,
    RunId, Salt, ShardSlot, UploadKey, VaultId,
};
pub use meta::{MetaMember, MetaMemberState};
pub use mirror::{Mirror, MirrorError};
pub use named::UnknownName;
pub use profile::{ErasureProfile, ParseProfileError};
pub use shard::{
    Fullness, Quarantined, RemovalOrder, RemovalReason, ShardDamage, ShardEntry, ShardKey,
    ShardPage, ShardRead, ShardWrite, StoreStatus, WritePurpose,
};
pub use time::{ParseTimestampError, Timestamp};
pub use units::ChunkSize;
