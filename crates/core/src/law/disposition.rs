use serde::Serialize;

use super::Sign;
use crate::{EvidenceId, LogIndex, Timestamp, named::named_enum};

named_enum!(
    /// Where a disposition is in its life.
    DispositionState {
        /// Proposed: two approvals are needed.
        Proposed = "proposed",
        /// Approved twice: it may still be stopped.
        Approved = "approved",
        /// Ordered: its evidence is being ended.
        Ordered = "ordered",
        /// Every item has ended or was struck off.
        Done = "done",
        /// Stopped before it was ordered.
        Stopped = "stopped",
    }
);

/// Evidence that was taken off a disposition because it may not end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    /// Which.
    pub evidence: EvidenceId,
    /// What keeps it.
    pub why: String,
}

/// The approved end of evidence whose retention has run out and that no hold covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disposition {
    /// `D1`, `D2` …
    pub id: String,
    /// The unit that all of the evidence belongs to.
    pub unit: Option<String>,
    /// The evidence, 1 to 256 items.
    pub evidence: Vec<EvidenceId>,
    /// The proposal.
    pub proposed: Sign,
    /// By two persons of different roles, neither of them the proposer.
    pub approvals: Vec<Sign>,
    /// Where it is in its life.
    pub state: DispositionState,
    /// It is not ordered before this time.
    pub grace_until: Option<Timestamp>,
    /// Who stopped it.
    pub stopped: Option<Sign>,
    /// Entry of the custody log of the order.
    pub ordered_at: Option<LogIndex>,
    /// Evidence that has ended.
    pub ended: Vec<EvidenceId>,
    /// Evidence that was taken off when it was ordered.
    pub struck: Vec<Struck>,
}
