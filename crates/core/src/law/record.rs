use serde::Serialize;

use super::{
    Case, Disposition, Filing, Grant, Hold, LawPolicy, MediaCopy, Note, Person, Recorder, Relation,
    Station, Unit,
};
use crate::{LogIndex, Role, Timestamp, named::named_enum};

named_enum!(
    /// What a record is about.
    RecordKind {
        /// An agency, or a department of one.
        Unit = "unit",
        /// A person.
        Person = "person",
        /// A recorder.
        Recorder = "recorder",
        /// A collection station.
        Station = "station",
        /// A case.
        Case = "case",
        /// Where evidence is filed and what else the law keeps of it.
        Filing = "filing",
        /// A note on evidence.
        Note = "note",
        /// A relation between two evidence items.
        Relation = "relation",
        /// A copy on a medium of its own.
        Copy = "copy",
        /// A hold.
        Hold = "hold",
        /// A grant, from its application on.
        Grant = "grant",
        /// A disposition, from its proposal on.
        Disposition = "disposition",
        /// The parameters of the rules; its only id is `policy`.
        Policy = "policy",
    }
);

/// A record of the law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is what its type says")]
pub enum Record {
    Unit(Unit),
    Person(Person),
    Recorder(Recorder),
    Station(Station),
    Case(Case),
    Filing(Filing),
    Note(Note),
    Relation(Relation),
    Copy(MediaCopy),
    Hold(Hold),
    Grant(Grant),
    Disposition(Disposition),
    Policy(LawPolicy),
}

impl Record {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Unit(_) => RecordKind::Unit,
            Self::Person(_) => RecordKind::Person,
            Self::Recorder(_) => RecordKind::Recorder,
            Self::Station(_) => RecordKind::Station,
            Self::Case(_) => RecordKind::Case,
            Self::Filing(_) => RecordKind::Filing,
            Self::Note(_) => RecordKind::Note,
            Self::Relation(_) => RecordKind::Relation,
            Self::Copy(_) => RecordKind::Copy,
            Self::Hold(_) => RecordKind::Hold,
            Self::Grant(_) => RecordKind::Grant,
            Self::Disposition(_) => RecordKind::Disposition,
            Self::Policy(_) => RecordKind::Policy,
        }
    }

    /// Its id among those of its kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Unit(it) => &it.id,
            Self::Person(it) => &it.id,
            Self::Recorder(it) => &it.id,
            Self::Station(it) => &it.id,
            Self::Case(it) => &it.id,
            Self::Filing(it) => &it.id,
            Self::Note(it) => &it.id,
            Self::Relation(it) => &it.id,
            Self::Copy(it) => &it.id,
            Self::Hold(it) => &it.id,
            Self::Grant(it) => &it.id,
            Self::Disposition(it) => &it.id,
            Self::Policy(_) => LawPolicy::ID,
        }
    }
}

/// One version of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Versioned {
    /// From 1 on, without a gap.
    pub version: u32,
    /// Cluster time of the act that made it.
    pub changed_at: Timestamp,
    /// Who acted, with the role: `li.na (custodian)`.
    pub changed_by: String,
    /// Entry of the custody log about the act.
    pub log_index: LogIndex,
    /// The record.
    #[serde(flatten)]
    pub record: Record,
}

/// Who answers for a step, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sign {
    /// Name of the person, as the certificate has it.
    pub by: String,
    /// In which role.
    pub role: Role,
    /// Cluster time.
    pub at: Timestamp,
    /// Reason, 1 to 512 bytes.
    pub reason: String,
}
