//! The law: what may be done to evidence, and the record that it was done.
//!
//! Owns [`apply`], [`query()`], the custody log's tree ([`merkle`]) and the persisted bytes of all of
//! them (`docs/formats/ledger.md`). Must not know any I/O, clock, randomness or async: the state is
//! an ordered [`Kv`], time and salts come in, outcomes and refusals go out. Enter at [`apply`].

mod command;
mod convert;
mod custody;
mod decode_error;
mod envelope;
mod kv;
mod law;
mod law_query;
pub mod merkle;
mod proto;
mod query;
mod routing;
mod stored;

pub use custos_core::law::IncompleteDescriptor;

pub use command::{
    ABORT_REASON_BYTES_MAX, ACTOR_NAME_BYTES_MAX, Answer, CLOCK_JUMP_MS_MAX, ClusterInfo, Command,
    ConsistencyProof, DAMAGE_ITEMS_MAX, DAMAGE_TEXT_BYTES_MAX, DISKS_MAX, DISKS_PER_COMMAND_MAX,
    DamageRecord, DiskClaim, Envelope, META_MEMBERS_EVER_MAX, META_MEMBERS_MAX, NODES_MAX,
    NewVault, ORIGIN_BYTES_MAX, Outcome, Policy, Query, REQUEST_MEMORY_ITEMS_MAX,
    REQUEST_MEMORY_MS, RETENTION_DAYS_MIN, VAULTS_MAX, VAULTS_PER_COMMAND_MAX,
    WRAPPED_KEY_BYTES_MAX,
};
pub use custody::{CustodyLeaf, SealedSubject, Subject};
pub use decode_error::DecodeError;
pub use envelope::CommandBatch;
pub use kv::{Kv, KvRead, MemoryKv};
pub use law::{apply, check_retire_meta};
pub use query::query;
pub use routing::{
    LedgerGroup, LedgerGroupId, MISROUTED_FIELD, Routing, Scope, ShardRange, VirtualShard,
};
