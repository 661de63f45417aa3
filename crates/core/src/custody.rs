use crate::{EvidenceId, LogIndex, Timestamp, named::named_enum};

named_enum!(
    /// What a custody entry says was done, in the order of their stored numbers.
    Act {
        /// The cluster and its log began.
        Genesis = "genesis",
        /// An upload was opened.
        UploadOpened = "upload-opened",
        /// Evidence was sealed.
        Sealed = "sealed",
        /// An upload was given up before sealing.
        UploadAborted = "upload-aborted",
        /// A range of evidence was handed out to be viewed.
        Viewed = "viewed",
        /// An attempt was refused by a rule.
        Refused = "refused",
        /// Nodes, disks or vaults changed.
        ClusterChanged = "cluster-changed",
        /// A shard was found damaged.
        DamageFound = "damage-found",
        /// A damaged shard was rebuilt.
        DamageRepaired = "damage-repaired",
        /// A unit, person, recorder or station was registered or changed.
        RegisterChanged = "register-changed",
        /// The parameters of the rules were set.
        PolicySet = "policy-set",
        /// Cluster time was confirmed after it moved far at once.
        ClockConfirmed = "clock-confirmed",
        /// A case was opened.
        CaseOpened = "case-opened",
        /// A case was changed, or moved to another stage.
        CaseChanged = "case-changed",
        /// A case was closed.
        CaseClosed = "case-closed",
        /// A case was archived.
        CaseArchived = "case-archived",
        /// A case was opened again.
        CaseReopened = "case-reopened",
        /// Evidence was filed under a stage of a case.
        Filed = "filed",
        /// A note on evidence was written.
        Noted = "noted",
        /// Evidence was described anew.
        Described = "described",
        /// Evidence was related to other evidence.
        Related = "related",
        /// Evidence or a case was classified, or a lower classification was asked for.
        Classified = "classified",
        /// The retention of evidence was lengthened.
        RetentionExtended = "retention-extended",
        /// A verified copy of evidence was registered.
        CopyRegistered = "copy-registered",
        /// A hold was placed.
        HoldPlaced = "hold-placed",
        /// The release of a hold was asked for.
        HoldReleaseAsked = "hold-release-asked",
        /// A hold was released.
        HoldReleased = "hold-released",
        /// Somebody applied to see evidence.
        GrantApplied = "grant-applied",
        /// An application was agreed to.
        GrantApproved = "grant-approved",
        /// An application was not agreed to.
        GrantRefused = "grant-refused",
        /// A grant was taken back.
        GrantRevoked = "grant-revoked",
        /// A range of evidence was handed out as a copy.
        Copied = "copied",
        /// The original was handed out.
        TakenOut = "taken-out",
        /// The end of evidence was proposed.
        DispositionProposed = "disposition-proposed",
        /// The end of evidence was agreed to.
        DispositionApproved = "disposition-approved",
        /// A disposition was stopped.
        DispositionStopped = "disposition-stopped",
        /// The end of evidence was ordered.
        DispositionOrdered = "disposition-ordered",
        /// Evidence has ended.
        Disposed = "disposed",
    }
);

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
    /// Who acted, from the private part; `None` once that part has lawfully ended, and for readers who
    /// may not read what the entry is about.
    pub actor: Option<String>,
    /// One line about the act from the private part, such as the range and purpose of a view.
    pub detail: Option<String>,
    /// The record of the law that the act is about, kind and id: `case/C-2026-17`.
    pub record: Option<String>,
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
