//! The public API `custos.v1`: generated messages and services, their strict conversions to and
//! from domain types, and the one mapping of error kinds to gRPC status.
//!
//! Owns `proto/custos/v1`. Must not know who serves or calls it. Enter at [`v1`] for the messages
//! and at [`WireError`] for how failures travel. A new RPC starts in a `.proto` file here.

mod convert;
mod error;

pub use convert::{
    backup_to_wire, checkpoint_from_wire, checkpoint_to_wire, custody_entry_from_wire,
    custody_entry_to_wire, damage_to_wire, damage_token_from_wire, damage_token_to_wire,
    descriptor_from_wire, descriptor_to_wire, disk_id_from_wire, disk_report_to_wire,
    evidence_from_wire, evidence_id_from_wire, evidence_to_wire, hashes_from_wire,
    law_answer_from_wire, law_answer_to_wire, law_command_from_wire, law_command_to_wire,
    law_query_from_wire, law_query_to_wire, meta_member_to_wire, nodes_to_wire,
    quarantined_to_wire, receipt_from_wire, receipt_to_wire, recording_report_from_wire,
    recording_report_to_wire, vault_groups_to_wire, versioned_from_wire, versioned_to_wire,
};
pub use error::WireError;

/// Messages and services of the public API.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("custos.v1");
}

/// Messages and services between the nodes of a cluster.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod internal_v1 {
    tonic::include_proto!("custos.internal.v1");
}

/// The encoded `FileDescriptorSet` of `custos.v1`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/custos_v1.bin"));
