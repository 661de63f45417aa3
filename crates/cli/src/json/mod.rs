//! The JSON objects that programs read: one struct for each, field for field the contract.

mod backup;
mod cluster;
mod import;

use custos_client::PutReport;
use custos_core::{Checkpoint, CustodyEntry, Descriptor, EvidenceSummary, InclusionProof};
use custos_ledger::merkle;
use data_encoding::{BASE64, HEXLOWER};
use serde::Serialize;

pub(crate) use backup::{BackupObject, BackupTakenObject, BackupVerifiedObject};
pub(crate) use cluster::{
    ClusterObject, DamageObject, DiskAddedObject, DiskObject, DiskReleasedObject,
    DiskRemovedObject, DiskScrubObject, MetaObject, MetaOrderObject, NodeObject, QuarantinedObject,
    ScrubOrderObject, VaultsObject,
};
pub(crate) use import::{ImportLineObject, ImportSummaryObject};

/// What `put` says of one file.
#[derive(Debug, Serialize)]
pub(crate) struct PutObject<'a> {
    file: &'a str,
    evidence_id: String,
    blake3: String,
    sha256: String,
    size: u64,
    sealed_at: String,
    log_index: u64,
    missing_fields: &'a [String],
    unfiled: bool,
    empty: bool,
    already_sealed: bool,
    resumed_from: u64,
    retries: u32,
}

impl<'a> PutObject<'a> {
    pub(crate) fn new(file: &'a str, report: &'a PutReport) -> Self {
        let receipt = &report.receipt;
        Self {
            file,
            evidence_id: receipt.evidence_id.to_string(),
            blake3: receipt.blake3.to_string(),
            sha256: receipt.sha256.to_string(),
            size: receipt.size,
            sealed_at: receipt.sealed_at.to_string(),
            log_index: receipt.log_index.0,
            missing_fields: &receipt.missing_fields,
            unfiled: !receipt.missing_fields.is_empty(),
            empty: receipt.size == 0,
            already_sealed: receipt.already_sealed,
            resumed_from: report.resumed_from,
            retries: report.retries,
        }
    }
}

/// What `get` says of an output file.
#[derive(Debug, Serialize)]
pub(crate) struct GetObject {
    pub(crate) evidence_id: String,
    pub(crate) bytes: u64,
    pub(crate) start: u64,
    /// One past the last byte.
    pub(crate) end: u64,
    pub(crate) size: u64,
    pub(crate) blake3: String,
    pub(crate) verified: bool,
    pub(crate) log_index: u64,
    pub(crate) output: String,
}

/// What `ls` and `show` say of one evidence item.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceObject<'a> {
    evidence_id: String,
    descriptor: DescriptorObject<'a>,
    size: u64,
    empty: bool,
    blake3: String,
    sha256: String,
    put_by: &'a str,
    opened_at: String,
    sealed_at: String,
    log_index: u64,
    retain_until: String,
    missing_fields: &'a [String],
    unfiled: bool,
    profile: String,
    /// Bytes.
    chunk_size: usize,
    missing_shards: u32,
}

impl<'a> From<&'a EvidenceSummary> for EvidenceObject<'a> {
    fn from(evidence: &'a EvidenceSummary) -> Self {
        Self {
            evidence_id: evidence.evidence_id.to_string(),
            descriptor: (&evidence.descriptor).into(),
            size: evidence.size,
            empty: evidence.size == 0,
            blake3: evidence.blake3.to_string(),
            sha256: evidence.sha256.to_string(),
            put_by: &evidence.put_by,
            opened_at: evidence.opened_at.to_string(),
            sealed_at: evidence.sealed_at.to_string(),
            log_index: evidence.log_index.0,
            retain_until: evidence.retain_until.to_string(),
            missing_fields: &evidence.missing_fields,
            unfiled: !evidence.missing_fields.is_empty(),
            profile: evidence.profile.to_string(),
            chunk_size: evidence.chunk_size.bytes(),
            missing_shards: evidence.missing_shards,
        }
    }
}

/// A descriptor; what `put --descriptor` takes.
#[derive(Debug, Serialize)]
pub(crate) struct DescriptorObject<'a> {
    kind: &'static str,
    captured_at: Option<String>,
    recorder: Option<&'a str>,
    officers: &'a [String],
    case: Option<&'a str>,
    stage: Option<&'static str>,
    place: Option<&'a str>,
    note: Option<&'a str>,
    file_name: Option<&'a str>,
    media_type: Option<&'a str>,
    captured_until: Option<String>,
    recording: Option<&'a str>,
    sequence: Option<u64>,
    notice_at_ms: Option<u64>,
    device_ahead_ms: Option<i64>,
    station_at: Option<String>,
    classification: Option<&'static str>,
    source: Option<&'a str>,
}

impl<'a> From<&'a Descriptor> for DescriptorObject<'a> {
    fn from(descriptor: &'a Descriptor) -> Self {
        Self {
            kind: descriptor.kind.name(),
            captured_at: descriptor.captured_at.map(|time| time.to_string()),
            recorder: descriptor.recorder.as_deref(),
            officers: &descriptor.officers,
            case: descriptor.case.as_deref(),
            stage: descriptor.stage.map(|stage| stage.name()),
            place: descriptor.place.as_deref(),
            note: descriptor.note.as_deref(),
            file_name: descriptor.file_name.as_deref(),
            media_type: descriptor.media_type.as_deref(),
            captured_until: descriptor.captured_until.map(|time| time.to_string()),
            recording: descriptor.recording.as_deref(),
            sequence: descriptor.sequence,
            notice_at_ms: descriptor.notice_at_ms,
            device_ahead_ms: descriptor.device_ahead_ms,
            station_at: descriptor.station_at.map(|time| time.to_string()),
            classification: descriptor.classification.map(|it| it.name()),
            source: descriptor.source.as_deref(),
        }
    }
}

/// What `log checkpoint` says.
#[derive(Debug, Serialize)]
pub(crate) struct CheckpointObject<'a> {
    origin: &'a str,
    size: u64,
    root: String,
    root_base64: String,
}

impl<'a> From<&'a Checkpoint> for CheckpointObject<'a> {
    fn from(checkpoint: &'a Checkpoint) -> Self {
        Self {
            origin: &checkpoint.origin,
            size: checkpoint.size,
            root: HEXLOWER.encode(&checkpoint.root),
            root_base64: BASE64.encode(&checkpoint.root),
        }
    }
}

/// What an act without a record leaves behind.
#[derive(Debug, Serialize)]
pub(crate) struct ActObject {
    /// Entry of the custody log about the act.
    pub(crate) log_index: u64,
}

/// What `log show` says of one entry.
#[derive(Debug, Serialize)]
pub(crate) struct EntryObject<'a> {
    index: u64,
    time: String,
    act: &'static str,
    evidence_id: Option<String>,
    record: Option<&'a str>,
    actor: Option<&'a str>,
    detail: Option<&'a str>,
    leaf: String,
}

impl<'a> From<&'a CustodyEntry> for EntryObject<'a> {
    fn from(entry: &'a CustodyEntry) -> Self {
        Self {
            index: entry.index.0,
            time: entry.time.to_string(),
            act: entry.act.name(),
            evidence_id: entry.evidence_id.map(|id| id.to_string()),
            record: entry.record.as_deref(),
            actor: entry.actor.as_deref(),
            detail: entry.detail.as_deref(),
            leaf: HEXLOWER.encode(&entry.leaf),
        }
    }
}

/// What `log prove` says.
#[derive(Debug, Serialize)]
pub(crate) struct ProofObject<'a> {
    index: u64,
    leaf: String,
    leaf_hash: String,
    path: Vec<String>,
    checkpoint: CheckpointObject<'a>,
}

impl<'a> From<&'a InclusionProof> for ProofObject<'a> {
    fn from(proof: &'a InclusionProof) -> Self {
        Self {
            index: proof.index.0,
            leaf: HEXLOWER.encode(&proof.leaf),
            leaf_hash: HEXLOWER.encode(&merkle::leaf_hash(&proof.leaf)),
            path: proof.path.iter().map(|hash| HEXLOWER.encode(hash)).collect(),
            checkpoint: (&proof.checkpoint).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use custos_core::{
        Blake3Hash, EvidenceId, EvidenceKind, LogIndex, Receipt, Sha256Hash, Timestamp,
    };
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_receipt_has_the_fields_of_the_contract() {
        let receipt = Receipt {
            evidence_id: EvidenceId::from_bytes([0x11; 16]),
            size: 0,
            blake3: Blake3Hash([0xb3; 32]),
            sha256: Sha256Hash([0x5a; 32]),
            sealed_at: Timestamp::from_millis(1_000),
            log_index: LogIndex(7),
            missing_fields: vec!["case".to_owned()],
            already_sealed: false,
        };
        let report = PutReport { receipt, resumed_from: 0, retries: 2 };
        let object = serde_json::to_value(PutObject::new("clip.mp4", &report)).expect("JSON");
        let expected = json!({
            "file": "clip.mp4",
            "evidence_id": "11111111-1111-1111-1111-111111111111",
            "blake3": "b3".repeat(32),
            "sha256": "5a".repeat(32),
            "size": 0,
            "sealed_at": "1970-01-01T00:00:01.000Z",
            "log_index": 7,
            "missing_fields": ["case"],
            "unfiled": true,
            "empty": true,
            "already_sealed": false,
            "resumed_from": 0,
            "retries": 2,
        });
        assert_eq!(object, expected);
    }

    #[test]
    fn a_descriptor_that_is_shown_can_be_put_again() {
        let mut descriptor = Descriptor::of_kind(EvidenceKind::Photo);
        descriptor.captured_at = Some(Timestamp::from_millis(1_500));
        descriptor.officers = vec!["110-1".to_owned()];
        descriptor.recording = Some("R-1".to_owned());
        descriptor.sequence = Some(4);
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("d.json");
        let json = serde_json::to_vec(&DescriptorObject::from(&descriptor)).expect("JSON");
        std::fs::write(&path, json).expect("written");
        let fields = crate::descriptor_file::read(&path).expect("a descriptor");
        assert_eq!(fields.kind, Some(EvidenceKind::Photo));
        assert_eq!(fields.captured_at, descriptor.captured_at);
        assert_eq!((fields.recording, fields.sequence), (descriptor.recording, Some(4)));
        assert_eq!(fields.officers, Some(descriptor.officers));
    }

    #[test]
    fn a_checkpoint_shows_its_root_in_both_writings() {
        let checkpoint = Checkpoint { origin: "o".to_owned(), size: 3, root: [0; 32] };
        let object: Value =
            serde_json::to_value(CheckpointObject::from(&checkpoint)).expect("JSON");
        assert_eq!(object["root"], "00".repeat(32));
        assert_eq!(object["root_base64"], format!("{}=", "A".repeat(43)));
    }
}
