use serde::Serialize;

use super::Sign;
use crate::{EvidenceId, Timestamp, named::named_enum};

named_enum!(
    /// What a grant allows (rules R18, R20).
    GrantScope {
        /// To look at it.
        View = "view",
        /// To take a copy.
        Copy = "copy",
        /// To take the original out, after a copy was made.
        Original = "original",
    }
);

named_enum!(
    /// Where a grant is in its life.
    GrantState {
        /// Applied for.
        Applied = "applied",
        /// Agreed to, for a time.
        Approved = "approved",
        /// Not agreed to.
        Refused = "refused",
        /// Taken back.
        Revoked = "revoked",
    }
);

/// Bytes of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ByteSpan {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// Somebody outside the agency who wants to see records (rule R27).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutsideParty {
    /// Name, 1 to 256 bytes.
    pub name: String,
    /// How to reach them, at most 256 bytes.
    pub contact: Option<String>,
    /// What the party is, such as `party of the case`: 1 to 64 bytes.
    pub standing: String,
}

/// The right of one person to view, copy or take out named evidence, from its application on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// `G1`, `G2` …
    pub id: String,
    /// Who may use it: the person who applied, or who recorded the application of an outside party.
    pub holder: String,
    /// For whom it is, if for nobody of the agency.
    pub outside: Option<OutsideParty>,
    /// What it allows.
    pub scope: GrantScope,
    /// Of which evidence, at most 64 items; all of a case when there are none.
    pub evidence: Vec<EvidenceId>,
    /// Of which case.
    pub case: Option<String>,
    /// Of which bytes of the evidence; all when absent.
    pub range: Option<ByteSpan>,
    /// What for, 1 to 512 bytes.
    pub purpose: String,
    /// The unit that the evidence belongs to.
    pub unit: Option<String>,
    /// The application.
    pub applied: Sign,
    /// When it must be answered.
    pub answer_due: Timestamp,
    /// Where it is in its life.
    pub state: GrantState,
    /// Who agreed, or did not.
    pub decided: Option<Sign>,
    /// Who took it back.
    pub revoked: Option<Sign>,
    /// It allows nothing at this time or later.
    pub valid_until: Option<Timestamp>,
    /// How often it may be used.
    pub uses_max: u32,
    /// How often it was used.
    pub uses: u32,
}
