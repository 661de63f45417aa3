//! What the rules are about, as values: who acts, cases, holds, grants, dispositions, and the
//! commands that change them.
//!
//! Every record has an id that people can write, is of one [`RecordKind`], and is kept in all its
//! [`Versions`](Versioned): what was changed stays visible. Texts are one line unless it says
//! otherwise; what is too long, empty or contradictory is the ledger's to refuse, not this
//! module's.

mod case;
mod command;
mod disposition;
mod evidence;
mod grant;
mod hold;
mod messages;
mod policy;
mod query;
mod record;
mod register;

pub use case::{ActType, Case, CaseState, Party};
pub use command::{
    AddNote, AddRelation, ApplyForGrant, ApproveDisposition, ArchiveCase, ClassifyCase,
    ClassifyEvidence, CloseCase, ConfirmClock, CorrectDescriptor, DecideGrant, ExtendRetention,
    FileEvidence, LawCommand, MoveCase, OpenCase, OrderDisposition, PlaceHold, ProposeDisposition,
    RecordDisposal, RegisterCopy, ReleaseHold, ReopenCase, ReportRefusal, RevokeGrant, SetPerson,
    SetPolicy, SetRecorder, SetStation, SetUnit, StopDisposition, UpdateCase,
};
pub use disposition::{Disposition, DispositionState, Struck};
pub use evidence::{Filing, MediaCopy, Note, Relation, RelationKind, Tombstone};
pub use grant::{ByteSpan, Grant, GrantScope, GrantState, OutsideParty};
pub use hold::{EvidenceFilter, Hold, HoldReason};
pub use policy::{
    ActTypePolicy, ClassificationPolicy, IncompleteDescriptor, KindPolicy, LawPolicy,
};
pub use query::{
    CaseName, CaseReport, ClockAsked, ClockState, EvidenceName, HistoryPage, Keeping, LawAnswer,
    LawQuery, ListPage, RecordList, RecordName, RecordPage, StageReport,
};
pub use record::{Record, RecordKind, Sign, Versioned};
pub use register::{Classification, Person, Recorder, Station, Unit};
