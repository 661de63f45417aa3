//! `0x11 ‖ virtual shard ‖ upload key` → `UploadName`: which evidence an upload key names, for
//! ever, so that a key is never used twice.

use custos_core::{EvidenceId, UploadKey};
use prost::Message;

use super::{own, prefix, sharded_key};
use crate::{
    DecodeError, Kv, KvRead,
    convert::{fixed, parse},
    proto,
};

pub(crate) fn load(kv: &impl KvRead, upload_key: UploadKey) -> Option<EvidenceId> {
    kv.get(&key(upload_key)).map(|bytes| own(decode(&bytes)))
}

pub(crate) fn save(kv: &mut impl Kv, upload_key: UploadKey, id: EvidenceId) {
    let stored = proto::UploadName { evidence_id: id.as_bytes().to_vec() };
    kv.put(&key(upload_key), stored.encode_to_vec());
}

fn key(upload_key: UploadKey) -> Vec<u8> {
    sharded_key(prefix::UPLOAD_NAME, upload_key.as_bytes())
}

fn decode(bytes: &[u8]) -> Result<EvidenceId, DecodeError> {
    let stored: proto::UploadName = parse("UploadName", bytes)?;
    fixed("UploadName", "evidence_id", &stored.evidence_id).map(EvidenceId::from_bytes)
}
