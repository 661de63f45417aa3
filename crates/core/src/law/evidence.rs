use serde::Serialize;

use super::{Classification, Sign};
use crate::{
    Blake3Hash, Descriptor, EvidenceId, LogIndex, Sha256Hash, Stage, Timestamp, named::named_enum,
};

/// Where evidence is filed and what else may change of it; the sealed record itself never does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filing {
    /// The evidence id, as text.
    pub id: String,
    /// The unit that it belongs to; none while it is unfiled and nobody knows.
    pub unit: Option<String>,
    /// The case that it is filed under; none while it is unfiled.
    pub case: Option<String>,
    /// The stage that it is filed under.
    pub stage: Option<Stage>,
    /// How much of it is to be kept from whom.
    pub classification: Classification,
    /// A lower classification that was asked for and not agreed to yet.
    pub lower_to: Option<Classification>,
    /// Who asked for it.
    pub lower_asked: Option<Sign>,
    /// It must not end before this time; only later than what was sealed.
    pub retain_until: Timestamp,
    /// What it is described as now; as it was sealed when absent.
    pub descriptor: Option<Descriptor>,
    /// The disposition that has ordered its end: nobody reads it any more.
    pub disposition: Option<String>,
    /// Entry of the custody log that orders it.
    pub ordered_at: Option<LogIndex>,
    /// Reason of the last change.
    pub reason: Option<String>,
}

/// A written note on evidence (rule R6): added and superseded, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Evidence id and number: `0190f6c2-…/0001`.
    pub id: String,
    /// Which evidence.
    pub evidence: EvidenceId,
    /// Who wrote it.
    pub author: String,
    /// The text, 1 to 4096 bytes, several lines if need be.
    pub text: String,
    /// Number of the note that it stands in place of.
    pub supersedes: Option<u32>,
}

named_enum!(
    /// What one evidence item is to another.
    RelationKind {
        /// It was made from it.
        DerivedFrom = "derived-from",
        /// Both show the same.
        SameRecording = "same-recording",
        /// It belongs to it.
        AttachmentTo = "attachment-to",
    }
);

/// A relation between two evidence items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// Evidence id, kind and the other evidence id: `0190f6c2-…/derived-from/0190f6c3-…`.
    pub id: String,
    /// Which evidence.
    pub evidence: EvidenceId,
    /// What it is to the other.
    pub relation: RelationKind,
    /// The other.
    pub to: EvidenceId,
}

/// What remains of evidence that has lawfully ended: everything but its bytes, its key and its
/// descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// Which evidence.
    pub evidence: EvidenceId,
    /// Plaintext bytes that it had.
    pub size: u64,
    /// Plain BLAKE3 of them.
    pub blake3: Blake3Hash,
    /// SHA-256 of them.
    pub sha256: Sha256Hash,
    /// Cluster time of sealing.
    pub sealed_at: Timestamp,
    /// Entry of the custody log that sealed it.
    pub seal_index: LogIndex,
    /// The disposition.
    pub disposition: String,
    /// Entry of the custody log that ordered its end.
    pub order_index: LogIndex,
    /// Cluster time of its end.
    pub ended_at: Timestamp,
    /// Entry of the custody log that says it has ended.
    pub end_index: LogIndex,
}

/// A copy of evidence on a medium of its own (rules R12, R20), verified when it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaCopy {
    /// `X1`, `X2` …
    pub id: String,
    /// Which evidence.
    pub evidence: EvidenceId,
    /// BLAKE3 of the copy as it was read back: that of the evidence.
    pub blake3: Blake3Hash,
    /// The medium, such as `disc 2026-014`: 1 to 256 bytes.
    pub medium: String,
    /// Where it lies, 1 to 256 bytes.
    pub place: String,
    /// Who made and verified it.
    pub made: Sign,
}
