use serde::Serialize;

use super::Sign;
use crate::{EvidenceId, EvidenceKind, Stage, Timestamp, named::named_enum};

named_enum!(
    /// Why something must be kept whatever its retention says (rule R11).
    HoldReason {
        /// The party objects.
        Objection = "objection",
        /// The party complains.
        Complaint = "complaint",
        /// The party petitions.
        Petition = "petition",
        /// The party resists.
        Resistance = "resistance",
        /// The party flees.
        Flight = "flight",
        /// The party obstructs.
        Obstruction = "obstruction",
        /// The party insults.
        Insult = "insult",
        /// The party attacks.
        Attack = "attack",
        /// A mass incident.
        MassIncident = "mass-incident",
        /// An emergency.
        Emergency = "emergency",
        /// Reconsideration or litigation.
        Litigation = "litigation",
        /// Other need, which the text must name.
        Other = "other",
    }
);

/// Which evidence: every field that is given must fit. What evidence was filed under, or described
/// as, at any time since it was put counts: correcting it takes it out of no filter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EvidenceFilter {
    /// This item.
    pub evidence: Option<EvidenceId>,
    /// Segments of this recording.
    pub recording: Option<String>,
    /// Filed under this case, or put with its id.
    pub case: Option<String>,
    /// Under this stage.
    pub stage: Option<Stage>,
    /// Of this unit or a department of it.
    pub unit: Option<String>,
    /// Of this recorder.
    pub recorder: Option<String>,
    /// With this officer, by certificate number.
    pub officer: Option<String>,
    /// At this place, as it is written.
    pub place: Option<String>,
    /// Of this kind.
    pub kind: Option<EvidenceKind>,
    /// Captured (or sealed, where nothing says when it was captured) at this time or later.
    pub from: Option<Timestamp>,
    /// Captured or sealed before this time.
    pub until: Option<Timestamp>,
}

impl EvidenceFilter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A named reason why evidence must be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// `H1`, `H2` …
    pub id: String,
    /// Why.
    pub reason: HoldReason,
    /// Why, in words: at most 512 bytes; [`HoldReason::Other`] needs it.
    pub text: Option<String>,
    /// Number of the matter elsewhere, at most 256 bytes.
    pub reference: Option<String>,
    /// What is held, what comes later too.
    pub target: EvidenceFilter,
    /// The unit of what it names, else of who placed it.
    pub unit: Option<String>,
    /// Who placed it.
    pub placed: Sign,
    /// When it should be looked at again.
    pub review_at: Timestamp,
    /// Who asked for its release, where a second person must agree.
    pub release_asked: Option<Sign>,
    /// Who released it; it stands until then.
    pub released: Option<Sign>,
}
