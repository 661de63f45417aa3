use custos_core::{
    Actor, Checkpoint, ChunkSize, CustodyEntry, Descriptor, ErasureProfile, EvidenceId,
    EvidenceRecord, InclusionProof, LogIndex, SealedParts, Timestamp, UploadKey, UploadSession,
    VaultId,
};

/// Longest wrapped data key: 256 bytes.
pub const WRAPPED_KEY_BYTES_MAX: usize = 256;
/// Longest reason for giving an upload up: 512 bytes.
pub const ABORT_REASON_BYTES_MAX: usize = 512;
/// Longest origin line of a custody log: 256 bytes.
pub const ORIGIN_BYTES_MAX: usize = 256;
/// Longest name of an actor: 64 bytes.
pub const ACTOR_NAME_BYTES_MAX: usize = 64;
/// Shortest retention that a policy may set (rule R10): 365 days.
pub const RETENTION_DAYS_MIN: u32 = 365;

/// A command and everything that `apply` needs beside the state: who acts, and the randomness
/// that the pure law may not make itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Name of this command for retries: 16 random bytes made by the caller.
    pub request_id: [u8; 16],
    /// Who acts (rule R26).
    pub actor: Actor,
    /// 16 random bytes that salt the private part of the custody entry.
    pub entry_salt: [u8; 16],
    /// What is to be done.
    pub command: Command,
}

/// Everything that can be asked of the law.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begins the cluster: once, as its first command.
    InitCluster {
        /// Origin line of the custody log, such as `custos.local/0123abcd`: 1 to
        /// [`ORIGIN_BYTES_MAX`] bytes without blanks or `+` (it names the log in signed notes).
        origin: String,
        /// The rules' parameters.
        policy: Policy,
    },
    /// Opens an upload, or finds the one that this key already names.
    OpenUpload {
        /// The client's name for the upload.
        upload_key: UploadKey,
        /// Identity to be used if the upload is new.
        evidence_id: EvidenceId,
        /// Claims about the evidence.
        descriptor: Descriptor,
        /// Erasure profile of its chunks.
        profile: ErasureProfile,
        /// Plaintext bytes of a chunk.
        chunk_size: ChunkSize,
        /// Where its shards go.
        vault: VaultId,
        /// Data key, wrapped by the key ring, 1 to [`WRAPPED_KEY_BYTES_MAX`] bytes.
        wrapped_key: Vec<u8>,
    },
    /// Seals an open upload. Sealing again with the same parts gives the same record.
    Seal {
        /// Which upload.
        evidence_id: EvidenceId,
        /// What is fixed for ever.
        parts: SealedParts,
    },
    /// Gives an open upload up.
    AbortUpload {
        /// Which upload.
        evidence_id: EvidenceId,
        /// Why, at most [`ABORT_REASON_BYTES_MAX`] bytes, one line.
        reason: String,
    },
    /// Enters a view in the custody log before its first byte leaves.
    RecordView {
        /// Of which evidence.
        evidence_id: EvidenceId,
        /// First byte.
        start: u64,
        /// One past the last byte; `start..end` lies within the evidence.
        end: u64,
        /// Stated purpose, at most [`VIEW_PURPOSE_BYTES_MAX`](custos_core::limits) bytes,
        /// one line.
        purpose: Option<String>,
    },
}

/// Parameters of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of an upload whose descriptor lacks fields that rule R4 asks for.
    pub incomplete_descriptor: IncompleteDescriptor,
    /// Retention of audio-visual evidence from sealing, at least 365 days (rule R10).
    pub retention_days_av: u32,
    /// Retention of any other evidence from sealing, at least 365 days.
    pub retention_days_other: u32,
}

/// What becomes of an upload with an incomplete descriptor (rule R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncompleteDescriptor {
    /// Kept, and marked as unfiled.
    AcceptUnfiled,
    /// Refused by name of the missing fields.
    Refuse,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The cluster has begun, or had begun with the same origin.
    Initialised,
    /// The upload is open: new, or found by its key.
    UploadOpen(Box<UploadSession>),
    /// The upload named by this key was sealed before.
    AlreadySealed(Box<EvidenceRecord>),
    /// Sealed by this command, or before by the same one.
    Sealed(Box<EvidenceRecord>),
    /// The upload is given up, as this custody entry says.
    Aborted(LogIndex),
    /// The view is on the custody log.
    ViewRecorded(LogIndex),
}

/// A strong read of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Identity, policy and clock of the cluster.
    Cluster,
    /// One sealed record.
    Evidence(EvidenceId),
    /// One open upload.
    Upload(EvidenceId),
    /// Sealed records in order of id.
    ListEvidence {
        /// Start after this id.
        after: Option<EvidenceId>,
        /// At most this many, capped at [`PAGE_ITEMS_MAX`](custos_core::limits); 0 asks for
        /// [`PAGE_ITEMS_DEFAULT`](custos_core::limits).
        limit: usize,
        /// Only those of this case.
        case: Option<String>,
    },
    /// Size and root of the custody log.
    Checkpoint,
    /// Entries of the custody log in order.
    Entries {
        /// Start at this entry.
        from: LogIndex,
        /// At most this many, capped at [`PAGE_ITEMS_MAX`](custos_core::limits); 0 asks for
        /// [`PAGE_ITEMS_DEFAULT`](custos_core::limits).
        limit: usize,
        /// Only those about this evidence.
        evidence_id: Option<EvidenceId>,
    },
    /// Proof that an entry is under the current checkpoint.
    ProveInclusion(LogIndex),
    /// Proof that the log at `old` entries is a prefix of the log now (RFC 6962 section 2.1.2).
    ProveConsistency {
        /// Size of the older checkpoint.
        old: u64,
    },
}

/// What a query found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// For [`Query::Cluster`]; `None` before the cluster began.
    Cluster(Option<ClusterInfo>),
    /// For [`Query::Evidence`].
    Evidence(Option<Box<EvidenceRecord>>),
    /// For [`Query::Upload`].
    Upload(Option<Box<UploadSession>>),
    /// For [`Query::ListEvidence`].
    List {
        /// The page.
        items: Vec<EvidenceRecord>,
        /// Where the next page starts after, if there may be one. A page ends early, with this
        /// set, when its records are large.
        resume_after: Option<EvidenceId>,
    },
    /// For [`Query::Checkpoint`].
    Checkpoint(Checkpoint),
    /// For [`Query::Entries`].
    Entries {
        /// The page.
        items: Vec<CustodyEntry>,
        /// Where the next page starts, if there may be one.
        next: Option<LogIndex>,
    },
    /// For [`Query::ProveInclusion`]; `None` when the log has no such entry.
    Inclusion(Option<Box<InclusionProof>>),
    /// For [`Query::ProveConsistency`]; `None` when `old` is larger than the log.
    Consistency(Option<ConsistencyProof>),
}

/// Identity, policy and clock of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterInfo {
    /// Origin line of the custody log.
    pub origin: String,
    /// Parameters of the rules.
    pub policy: Policy,
    /// Cluster time of the last command.
    pub time: Timestamp,
}

/// Proof that one log is a prefix of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Size of the older log.
    pub old: u64,
    /// Hashes in the order of RFC 6962.
    pub path: Vec<[u8; 32]>,
    /// The newer checkpoint.
    pub checkpoint: Checkpoint,
}
