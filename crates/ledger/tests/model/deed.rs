//! What somebody asks for, without what the law does not judge.

use custos_core::{
    Actor, Descriptor, EvidenceId, Timestamp,
    law::{GrantScope, LawCommand},
};

/// Asked of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Opens an upload.
    Put(Box<Put>),
    /// Seals an upload.
    Seal(EvidenceId),
    /// Gives an upload up.
    Abort(EvidenceId),
    /// Reads bytes.
    View(View),
    /// Any other act.
    Law(Box<LawCommand>),
}

/// Opens an upload under a key that nobody used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) key: u64,
    pub(crate) evidence: EvidenceId,
    pub(crate) descriptor: Descriptor,
}

/// Reads bytes of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) evidence: EvidenceId,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) purpose: Option<String>,
    pub(crate) scope: GrantScope,
    pub(crate) grant: Option<String>,
}

/// One step of a sequence.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The leader's clock.
    pub(crate) stamped: Timestamp,
    /// Who asks.
    pub(crate) actor: Actor,
    /// For what.
    pub(crate) deed: Deed,
    /// Sent again at once, under the same request id.
    pub(crate) repeated: bool,
}

impl<T: Into<LawCommand>> From<T> for Deed {
    fn from(command: T) -> Self {
        Self::Law(Box::new(command.into()))
    }
}

impl Deed {
    /// As refusals and tables call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::Seal(_) => "seal",
            Self::Abort(_) => "abort_upload",
            Self::View(_) => "view",
            Self::Law(command) => law_name(command),
        }
    }
}

macro_rules! names {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// Every act of the law by name.
        pub(crate) const LAW_NAMES: &[&str] = &[$($name),+];

        fn law_name(command: &LawCommand) -> &'static str {
            match command { $(LawCommand::$variant(_) => $name),+ }
        }
    };
}

names!(
    SetUnit = "set_unit",
    SetPerson = "set_person",
    SetRecorder = "set_recorder",
    SetStation = "set_station",
    SetPolicy = "set_policy",
    ConfirmClock = "confirm_clock",
    OpenCase = "open_case",
    UpdateCase = "update_case",
    MoveCase = "move_case",
    CloseCase = "close_case",
    ArchiveCase = "archive_case",
    ReopenCase = "reopen_case",
    ClassifyCase = "classify_case",
    FileEvidence = "file_evidence",
    AddNote = "add_note",
    CorrectDescriptor = "correct_descriptor",
    AddRelation = "add_relation",
    ClassifyEvidence = "classify_evidence",
    ExtendRetention = "extend_retention",
    RegisterCopy = "register_copy",
    PlaceHold = "place_hold",
    ReleaseHold = "release_hold",
    ApplyForGrant = "apply_for_grant",
    DecideGrant = "decide_grant",
    RevokeGrant = "revoke_grant",
    ProposeDisposition = "propose_disposition",
    ApproveDisposition = "approve_disposition",
    StopDisposition = "stop_disposition",
    OrderDisposition = "order_disposition",
    RecordDisposal = "record_disposal",
    ReportRefusal = "report_refusal",
);
