use custos_core::{
    Checkpoint, CustodyEntry, InclusionProof, LogIndex,
    law::{RecordKind, RecordName},
};

use super::{
    CustodyLeaf, NewEntry, Subject,
    entry::{PrivatePart, open_private},
};
use crate::{
    ConsistencyProof, Kv, KvRead, merkle,
    stored::{
        cluster,
        custody_log::{self, Tree},
    },
};

/// Appends an entry to the log and returns its position. `subject` gets the digest of the entry's
/// descriptor, salted with the entry's salt.
pub(crate) fn append(
    kv: &mut impl Kv,
    entry: &NewEntry<'_>,
    subject: impl FnOnce([u8; 32]) -> Subject,
) -> LogIndex {
    let index = LogIndex(custody_log::size(kv));
    let private = PrivatePart::of(entry);
    let leaf = CustodyLeaf {
        index,
        time: entry.time,
        act: entry.act,
        evidence_id: entry.evidence_id,
        record: entry.record.as_ref().filter(|it| it.kind != RecordKind::Person).map(record_path),
        subject: subject(private.descriptor_digest()),
        private_commitment: private.commitment(),
    };
    custody_log::push(kv, index, entry.evidence_id, leaf.encode(), private.encode());
    if let Some(record) = &entry.record {
        custody_log::enter_record(kv, &record_path(record), index);
    }
    index
}

/// How entries name a record.
pub(crate) fn record_path(name: &RecordName) -> String {
    format!("{}/{}", name.kind, name.id)
}

/// Size and root of the log; the origin is empty before the cluster began.
pub(crate) fn checkpoint(kv: &impl KvRead) -> Checkpoint {
    let size = custody_log::size(kv);
    Checkpoint {
        origin: cluster::load(kv).map(|cluster| cluster.origin).unwrap_or_default(),
        size,
        root: merkle::root(&Tree(kv), size),
    }
}

/// One entry with its private part opened.
pub(crate) fn entry_at(kv: &impl KvRead, index: LogIndex) -> Option<CustodyEntry> {
    let bytes = custody_log::leaf(kv, index)?;
    let leaf = CustodyLeaf::decode(&bytes)
        .unwrap_or_else(|error| panic!("entry {index} of the custody log: {error}"));
    let private = custody_log::private(kv, index).map(|stored| {
        open_private(&stored)
            .unwrap_or_else(|error| panic!("private part {index} of the custody log: {error}"))
    });
    let (actor, detail) = private.unzip();
    Some(CustodyEntry {
        index,
        time: leaf.time,
        act: leaf.act,
        evidence_id: leaf.evidence_id,
        record: leaf.record,
        actor,
        detail,
        leaf: bytes,
    })
}

/// Proof that an entry is under the current checkpoint.
pub(crate) fn inclusion(kv: &impl KvRead, index: LogIndex) -> Option<InclusionProof> {
    let leaf = custody_log::leaf(kv, index)?;
    let checkpoint = checkpoint(kv);
    let path = merkle::prove_inclusion(&Tree(kv), index.0, checkpoint.size);
    Some(InclusionProof { index, leaf, path, checkpoint })
}

/// Proof that the log at `old` entries is a prefix of the log now.
pub(crate) fn consistency(kv: &impl KvRead, old: u64) -> Option<ConsistencyProof> {
    let checkpoint = checkpoint(kv);
    if old > checkpoint.size {
        return None;
    }
    let path = merkle::prove_consistency(&Tree(kv), old, checkpoint.size);
    Some(ConsistencyProof { old, path, checkpoint })
}
