//! `0x52 ‖ vault id (u32)` → `VaultRecord`; ids are given from 0 on without a gap.

use custos_core::{VaultId, VaultRecord};
use prost::Message;

use super::{own, prefix, values};
use crate::{DecodeError, Kv, KvRead, convert::parse, proto};

pub(crate) fn load(kv: &impl KvRead, id: VaultId) -> Option<VaultRecord> {
    kv.get(&key(id)).map(|bytes| own(decode(&bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, vault: &VaultRecord) {
    kv.put(&key(vault.vault_id), proto::VaultRecord::from(vault).encode_to_vec());
}

/// Every vault, in order of id.
pub(crate) fn all(kv: &impl KvRead) -> Vec<VaultRecord> {
    values(kv, prefix::VAULT).iter().map(|bytes| own(decode(bytes))).collect()
}

fn key(id: VaultId) -> Vec<u8> {
    [&[prefix::VAULT][..], &id.0.to_be_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Result<VaultRecord, DecodeError> {
    parse::<proto::VaultRecord>("VaultRecord", bytes)?.try_into()
}
