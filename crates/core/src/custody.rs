use std::fmt;

use crate::{EvidenceId, LogIndex, Timestamp};

/// What a custody entry says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// The cluster and its log began.
    Genesis,
    /// An upload was opened.
    UploadOpened,
    /// Evidence was sealed.
    Sealed,
    /// An upload was given up before sealing.
    UploadAborted,
    /// A range of evidence was handed out to be viewed.
    Viewed,
    /// An attempt on evidence was refused by a rule.
    Refused,
    /// Nodes, disks or vaults changed.
    ClusterChanged,
    /// A shard was found damaged.
    DamageFound,
    /// A damaged shard was rebuilt.
    DamageRepaired,
}

impl Act {
    /// Every act, in the order of their stored numbers.
    pub const ALL: [Self; 9] = [
        Self::Genesis,
        Self::UploadOpened,
        Self::Sealed,
        Self::UploadAborted,
        Self::Viewed,
        Self::Refused,
        Self::ClusterChanged,
        Self::DamageFound,
        Self::DamageRepaired,
    ];

    /// The stable lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::UploadOpened => "upload-opened",
            Self::Sealed => "sealed",
            Self::UploadAborted => "upload-aborted",
            Self::Viewed => "viewed",
            Self::Refused => "refused",
            Self::ClusterChanged => "cluster-changed",
            Self::DamageFound => "damage-found",
            Self::DamageRepaired => "damage-repaired",
        }
    }

    /// The act with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One entry of the custody log, read back with its private part opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyEntry {
    /// Position in the log.
    pub index: LogIndex,
    /// Cluster time of the act.
    pub time: Timestamp,
    /// What was done.
    pub act: Act,
    /// To which evidence.
    pub evidence_id: Option<EvidenceId>,
    /// Who acted, from the private part; `None` once that part has lawfully ended.
    pub actor: Option<String>,
    /// One line about the act from the private part, such as the range and purpose of a view.
    pub detail: Option<String>,
    /// Canonical bytes of the public part: what the leaf hash is taken of.
    pub leaf: Vec<u8>,
}

/// Size and root of the custody log at one moment (RFC 6962 section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the log, such as `custos.example/0123abcd`.
    pub origin: String,
    /// Entries under the root.
    pub size: u64,
    /// Merkle tree hash over those entries (SHA-256).
    pub root: [u8; 32],
}

/// Proof that an entry is under a checkpoint (RFC 6962 section 2.1.1), lowest sibling first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// Position of the entry.
    pub index: LogIndex,
    /// Canonical bytes of the entry.
    pub leaf: Vec<u8>,
    /// Sibling hashes.
    pub path: Vec<[u8; 32]>,
    /// The checkpoint that the proof leads to.
    pub checkpoint: Checkpoint,
}
