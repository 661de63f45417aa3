use super::{
    ActType, ByteSpan, Classification, EvidenceFilter, GrantScope, HoldReason, LawPolicy,
    OutsideParty, Party, Person, Recorder, RelationKind, Station, Unit,
};
use crate::{Blake3Hash, Descriptor, EvidenceId, Stage, Timestamp};

macro_rules! commands {
    ($($name:ident),+ $(,)?) => {
        /// An act of a person or service on cases, evidence, holds, grants, dispositions or registers.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is what its type says")]
        pub enum LawCommand { $($name($name)),+ }

        $(impl From<$name> for LawCommand {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })+
    };
}

commands!(
    SetUnit,
    SetPerson,
    SetRecorder,
    SetStation,
    SetPolicy,
    ConfirmClock,
    OpenCase,
    UpdateCase,
    MoveCase,
    CloseCase,
    ArchiveCase,
    ReopenCase,
    ClassifyCase,
    FileEvidence,
    AddNote,
    CorrectDescriptor,
    AddRelation,
    ClassifyEvidence,
    ExtendRetention,
    RegisterCopy,
    PlaceHold,
    ReleaseHold,
    ApplyForGrant,
    DecideGrant,
    RevokeGrant,
    ProposeDisposition,
    ApproveDisposition,
    StopDisposition,
    OrderDisposition,
    RecordDisposal,
    ReportRefusal,
);

macro_rules! command {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $kind),+ }
    };
}

command!(
    /// Registers a unit, or changes it: everything but its id and parent.
    SetUnit {
        /// As it shall be.
        unit: Unit,
    }
);
command!(
    /// Registers a person, or changes what is on record of one.
    SetPerson {
        /// As it shall be.
        person: Person,
    }
);
command!(
    /// Registers a recorder, issues it to somebody, or changes what is on record of it.
    SetRecorder {
        /// As it shall be.
        recorder: Recorder,
    }
);
command!(
    /// Registers a station, or changes what is on record of one.
    SetStation {
        /// As it shall be.
        station: Station,
    }
);
command!(
    /// Sets the parameters of the rules. What is sealed is never kept for less than before.
    SetPolicy {
        /// All of them.
        policy: LawPolicy,
        /// Version of the policy that this one was made from: another one must not have come since.
        based_on: u32,
    }
);
command!(
    /// Confirms that cluster time is right after it moved far at once: two persons of different
    /// roles must, before retention is judged by it (rule R3).
    ConfirmClock {
        /// How it was checked, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Opens a case at its first stage.
    OpenCase {
        /// As the agency writes it, 1 to 128 bytes.
        case: String,
        /// Sort of matter.
        act_type: ActType,
        /// The unit that it belongs to.
        unit: String,
        /// What it is about.
        title: Option<String>,
        /// Where.
        place: Option<String>,
        /// Certificate numbers of its officers; two certified ones are needed later (rule R7).
        officers: Vec<String>,
        /// Whom it is about.
        parties: Vec<Party>,
        /// Who answers for its filing.
        custodian: String,
        /// How much of it is to be kept from whom.
        classification: Classification,
    }
);
command!(
    /// Changes what is on record of a case that is not archived; what is absent stays.
    UpdateCase {
        /// Which.
        case: String,
        /// What it is about.
        title: Option<String>,
        /// Where.
        place: Option<String>,
        /// Who answers for its filing.
        custodian: Option<String>,
        /// Officers who join it.
        add_officers: Vec<String>,
        /// Officers who leave it.
        remove_officers: Vec<String>,
        /// Parties who join it.
        add_parties: Vec<Party>,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Moves a case to the next stage of its act type, or back with a reason.
    MoveCase {
        /// Which.
        case: String,
        /// Where to.
        stage: Stage,
        /// Why; needed to go back.
        reason: Option<String>,
    }
);
command!(
    /// Ends a matter: its papers must be filed from now on within the policy's days (rule R13).
    CloseCase {
        /// Which.
        case: String,
        /// How it ended, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Files a closed case: no more evidence without reopening.
    ArchiveCase {
        /// Which.
        case: String,
        /// Why it is archived although something is missing (rules R1, R9).
        despite: Option<String>,
    }
);
command!(
    /// Opens a closed or archived case again.
    ReopenCase {
        /// Which.
        case: String,
        /// At which stage.
        stage: Stage,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Classifies a case: higher at once, lower when somebody else with the right agrees.
    ClassifyCase {
        /// Which.
        case: String,
        /// As what.
        to: Classification,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Files evidence under a stage of a case, or under another one with a reason.
    FileEvidence {
        /// Which.
        evidence: EvidenceId,
        /// Under which case.
        case: String,
        /// Under which stage.
        stage: Stage,
        /// Why; needed where it is filed already.
        reason: Option<String>,
    }
);
command!(
    /// Writes a note on evidence.
    AddNote {
        /// Which.
        evidence: EvidenceId,
        /// 1 to 4096 bytes.
        text: String,
        /// Number of the note that it stands in place of.
        supersedes: Option<u32>,
    }
);
command!(
    /// Describes evidence anew; what it was described as stays visible. Filing is not changed by it.
    CorrectDescriptor {
        /// Which.
        evidence: EvidenceId,
        /// The whole descriptor; its kind, case, stage, recording and sequence stay.
        descriptor: Descriptor,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Relates evidence to other evidence.
    AddRelation {
        /// Which.
        evidence: EvidenceId,
        /// What it is to the other.
        relation: RelationKind,
        /// The other.
        to: EvidenceId,
    }
);
command!(
    /// Classifies evidence: higher at once, lower when somebody else with the right agrees.
    ClassifyEvidence {
        /// Which.
        evidence: EvidenceId,
        /// As what.
        to: Classification,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Lengthens the retention of evidence.
    ExtendRetention {
        /// Which.
        evidence: EvidenceId,
        /// It must not end before this time.
        until: Timestamp,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Registers a copy of evidence on a medium of its own, which was read back and verified.
    RegisterCopy {
        /// Which.
        evidence: EvidenceId,
        /// BLAKE3 of the copy as it was read back.
        blake3: Blake3Hash,
        /// The medium, 1 to 256 bytes.
        medium: String,
        /// Where it lies, 1 to 256 bytes.
        place: String,
        /// What for, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Places a hold.
    PlaceHold {
        /// Why.
        reason: HoldReason,
        /// Why, in words.
        text: Option<String>,
        /// Number of the matter elsewhere.
        reference: Option<String>,
        /// What is held.
        target: EvidenceFilter,
        /// When it should be looked at again; after the policy's days when absent.
        review_at: Option<Timestamp>,
    }
);
command!(
    /// Releases a hold, or asks for it where a second person must agree.
    ReleaseHold {
        /// Which.
        hold: String,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Applies to see evidence, for oneself or for an outside party.
    ApplyForGrant {
        /// For whom, if not for oneself.
        outside: Option<OutsideParty>,
        /// What is to be allowed.
        scope: GrantScope,
        /// Of which evidence.
        evidence: Vec<EvidenceId>,
        /// Of which case, where no evidence is named.
        case: Option<String>,
        /// Of which bytes, where one item is named.
        range: Option<ByteSpan>,
        /// What for, 1 to 512 bytes.
        purpose: String,
    }
);
command!(
    /// Answers an application.
    DecideGrant {
        /// Which.
        grant: String,
        /// Agreed to, or not.
        approve: bool,
        /// Why, 1 to 512 bytes.
        reason: String,
        /// Until when it is valid; the policy's longest time when absent.
        valid_until: Option<Timestamp>,
        /// How often it may be used; 0 for 1000 times.
        uses_max: u32,
    }
);
command!(
    /// Takes a grant back, or an application. Streams under it end.
    RevokeGrant {
        /// Which.
        grant: String,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Proposes to end evidence.
    ProposeDisposition {
        /// Which, 1 to 256 items of one unit.
        evidence: Vec<EvidenceId>,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Agrees to a disposition.
    ApproveDisposition {
        /// Which.
        disposition: String,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Stops a disposition that is not ordered yet.
    StopDisposition {
        /// Which.
        disposition: String,
        /// Why, 1 to 512 bytes.
        reason: String,
    }
);
command!(
    /// Orders the end of what is approved, once its grace is over; what may not end is taken off.
    OrderDisposition {
        /// Which.
        disposition: String,
    }
);
command!(
    /// Records that evidence has ended as ordered: its shards are removed, and its key ends now.
    RecordDisposal {
        /// Under which disposition.
        disposition: String,
        /// Which.
        evidence: EvidenceId,
    }
);
command!(
    /// Puts on record what was refused before it could become a command.
    ReportRefusal {
        /// What was attempted, such as `set_policy`.
        attempt: String,
        /// The rule, the field and what is wrong, one line.
        what: String,
    }
);
