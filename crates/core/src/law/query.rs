use serde::Serialize;

use super::{RecordKind, Sign, Tombstone, Versioned};
use crate::{EvidenceId, Stage, Timestamp, named::named_enum};

named_enum!(
    /// A list that is looked at every day, in the order in which it should be worked off.
    RecordList {
        /// Every record of one kind, in order of id.
        All = "all",
        /// Sealed evidence that is filed under no case, the oldest first.
        Unfiled = "unfiled",
        /// Closed cases whose papers are not filed, the first that is due first.
        ArchiveDue = "archive-due",
        /// Those of them whose time is over (rule R13).
        ArchiveOverdue = "archive-overdue",
        /// Holds, the first to be reviewed first.
        HoldsToReview = "holds-to-review",
        /// Applications without an answer, the first that is due first (rule R27).
        ApplicationsWaiting = "applications-waiting",
        /// Dispositions that are neither done nor stopped.
        DispositionsPending = "dispositions-pending",
        /// Recorders that nothing came from for too long, the longest silent first.
        RecordersSilent = "recorders-silent",
        /// Evidence whose retention is over, the oldest first.
        RetentionOver = "retention-over",
    }
);

/// What can be asked of the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LawQuery {
    /// One record as it is now.
    Record(RecordName),
    /// Every version of one record, the oldest first.
    History(HistoryPage),
    /// A list.
    List(ListPage),
    /// All that keeps an evidence item.
    Keeping(EvidenceName),
    /// What a case has on record, and what it lacks (rules R1, R9).
    Case(CaseName),
    /// Cluster time, and how much of it counts for retention.
    Clock(ClockAsked),
    /// What remains of evidence that has lawfully ended.
    Tombstone(EvidenceName),
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordName {
    /// Its kind.
    pub kind: RecordKind,
    /// Its id.
    pub id: String,
}

/// Asks for versions of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPage {
    /// Its kind.
    pub kind: RecordKind,
    /// Its id.
    pub id: String,
    /// Start after this version.
    pub after: u32,
    /// At most this many; 0 asks for the default.
    pub limit: u32,
}

/// Asks for a page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// Which.
    pub list: RecordList,
    /// For [`RecordList::All`]: of which kind.
    pub kind: Option<RecordKind>,
    /// Only of this unit and its departments.
    pub unit: Option<String>,
    /// For [`RecordList::All`]: only ids that begin with this.
    pub prefix: Option<String>,
    /// Where the page starts: `next` of the page before.
    pub after: Option<String>,
    /// At most this many; 0 asks for the default.
    pub limit: u32,
}

/// Names evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceName {
    /// Which.
    pub evidence: EvidenceId,
}

/// Names a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseName {
    /// Which.
    pub case: String,
}

/// Asks for cluster time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockAsked {
    /// Of how many steps that are not confirmed to tell; only the sum when 0.
    pub limit: u32,
}

/// What a [`LawQuery`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its type says")]
pub enum LawAnswer {
    Records(RecordPage),
    Keeping(Keeping),
    Case(CaseReport),
    Clock(ClockState),
    Tombstone(Tombstone),
}

/// Records, in the order of the list that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordPage {
    /// The records.
    pub items: Vec<Versioned>,
    /// Where the next page starts, if there may be one.
    pub next: Option<String>,
}

/// All that keeps an evidence item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Keeping {
    /// Which.
    pub evidence: EvidenceId,
    /// It must not end before this time, whatever the holds.
    pub retain_until: Timestamp,
    /// Why until then, in words: the longest period that applies.
    pub retained_for: String,
    /// Whether that time is over, by the time that counts for retention.
    pub retention_over: bool,
    /// Holds that cover it.
    pub holds: Vec<Versioned>,
    /// The disposition that has ordered its end, if one has.
    pub disposition: Option<String>,
}

/// What a case has on record under one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageReport {
    /// Which.
    pub stage: Stage,
    /// Evidence items filed under it.
    pub items: u32,
    /// Those of them that are video or audio.
    pub audio_visual: u32,
    /// Whether video or audio must be among them (rule R9).
    pub audio_visual_required: bool,
}

/// What a case has on record, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseReport {
    /// Which.
    pub case: String,
    /// Every stage of its act type, in order.
    pub stages: Vec<StageReport>,
    /// What is missing, one line each, rule first; complete when empty.
    pub missing: Vec<String>,
    /// More evidence is filed than was counted.
    pub truncated: bool,
}

/// Cluster time, and how much of it counts for retention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClockState {
    /// Cluster time of the last command.
    pub time: Timestamp,
    /// The time that retention and grace are judged by.
    pub settled: Timestamp,
    /// How far cluster time moved in steps that nobody confirmed, in milliseconds.
    pub unconfirmed_ms: i64,
    /// Who has confirmed it; a second person must.
    pub confirmed_by: Option<Sign>,
}
