use crate::{MetaId, Timestamp};

/// A metadata node: a member of the group that keeps the ledger, or one that was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaMember {
    /// Identity, given by the ledger and never used twice.
    pub id: MetaId,
    /// Name that people use, unique among admitted members, at most 64 bytes.
    pub name: String,
    /// Where its internal services are, such as `https://10.0.0.7:7400`; empty when only its own
    /// process reaches it, which a member that is alone may be.
    pub endpoint: String,
    /// Random bytes of its folder: the same folder is the same member.
    pub token: [u8; 16],
    /// Whether it belongs to the group.
    pub state: MetaMemberState,
    /// Cluster time of its admission.
    pub admitted_at: Timestamp,
}

/// Whether a metadata node belongs to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetaMemberState {
    /// It may vote, or is on its way to.
    Admitted,
    /// Taken out for good: it never comes back under its id.
    Retired,
}

impl MetaMemberState {
    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Retired => "retired",
        }
    }
}
