use custos_core::{
    Actor, Checkpoint, ChunkSize, ClusterMap, CustodyEntry, Descriptor, DiskGeneration, DiskId,
    Epoch, ErasureProfile, EvidenceId, EvidenceRecord, FailureDomain, InclusionProof, Labels,
    LogIndex, MetaId, MetaMember, NodeId, RunId, SealedParts, ShardDamage, ShardKey, Timestamp,
    UploadKey, UploadSession, VaultId,
    law::{GrantScope, LawAnswer, LawCommand, LawQuery, Versioned},
};

use crate::{IncompleteDescriptor, Routing};

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
#[allow(clippy::large_enum_variant, reason = "uploads, the largest, are the commonest")]
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
        /// What it is handed out as (rule R18).
        scope: GrantScope,
        /// The grant that it is under.
        grant: Option<String>,
    },
    /// A storage node says who it is, at every start. Entered in the custody log when it is new or
    /// stands elsewhere than before.
    RegisterNode {
        /// Identity.
        node_id: NodeId,
        /// Name that people use, unique in the cluster, 1 to 64 bytes, one line.
        name: String,
        /// Where its internal services are, at most 256 bytes; empty when only its own process
        /// reaches it. No two nodes have the same.
        endpoint: String,
        /// Where it stands; the host is not empty.
        labels: Labels,
        /// The process that registers.
        run: RunId,
    },
    /// A storage node takes disks into service, before it serves them: 1 to [`DISKS_PER_COMMAND_MAX`].
    /// A disk whose generation was seen before under another opening is refused: it is a copy. One
    /// that another node has is refused until it is released.
    RegisterDisks {
        /// The node that they are in; must be registered.
        node_id: NodeId,
        /// The disks.
        disks: Vec<DiskClaim>,
    },
    /// Takes a disk out for good. Refused while a slot of a vault is on it.
    RemoveDisk {
        /// Which disk.
        disk_id: DiskId,
        /// Why, 1 to [`ABORT_REASON_BYTES_MAX`] bytes, one line.
        reason: String,
    },
    /// Gives a disk up for its node, so that any node may take it into service. It keeps its slots.
    ReleaseDisk {
        /// Which disk.
        disk_id: DiskId,
        /// Why, 1 to [`ABORT_REASON_BYTES_MAX`] bytes, one line.
        reason: String,
    },
    /// Adds vaults, 1 to [`VAULTS_PER_COMMAND_MAX`], planned by the caller and checked by the law.
    CreateVaults {
        /// The vaults; their ids are the next free ones, in order.
        vaults: Vec<NewVault>,
        /// Refused when the map has changed since it was planned.
        planned_at: Epoch,
    },
    /// A storage node found a shard that it cannot give back as it was written, or a reader found
    /// one missing. Reporting the same again changes nothing.
    ReportDamage {
        /// The disk.
        disk_id: DiskId,
        /// The shard and what is wrong with it.
        damage: ShardDamage,
    },
    /// A damaged shard was rebuilt and is whole again. Of a shard that was not reported, nothing
    /// changes.
    ReportRepair {
        /// The disk that holds it again.
        disk_id: DiskId,
        /// The shard.
        key: ShardKey,
    },
    /// A gateway says which key-encryption key it seals under, at every start. The first one that
    /// is said is the cluster's for good; the outcome names it.
    AdoptKey {
        /// Name of the key, 8 random bytes; nothing of the key itself.
        key_id: [u8; 8],
    },
    /// A metadata node says who it is, at every start, and is given its identity: the first one
    /// that says so is [`MetaId`] 1, the one that began the cluster. The same token is the same
    /// member, with the name and endpoint that it has now. At most [`META_MEMBERS_MAX`] are
    /// admitted at once.
    AdmitMeta {
        /// Random bytes of its folder.
        token: [u8; 16],
        /// Name that people use, unique among admitted members, 1 to 64 bytes, one line.
        name: String,
        /// Where its internal services are, at most 256 bytes; empty only of a member that is
        /// alone. No two admitted members have the same.
        endpoint: String,
    },
    /// Takes a metadata node out of the group for good. Refused for the last admitted one.
    RetireMeta {
        /// Which member.
        id: MetaId,
        /// Why, 1 to [`ABORT_REASON_BYTES_MAX`] bytes, one line.
        reason: String,
    },
    /// An act on cases, evidence, holds, grants, dispositions or registers.
    Law(Box<LawCommand>),
    /// Moves cluster time on and does nothing else: sent now and then, so that time moves in steps
    /// that count for retention.
    KeepTime,
    /// Somebody takes a copy of the whole ledger: entered before the copy is taken, so that it is in
    /// it.
    RecordBackup,
    /// The ledger goes on from a backup: every metadata node on record is retired, and the one that
    /// it was restored in is admitted under an id that no other had. The same token is the same
    /// member.
    RestoreLedger {
        /// Random bytes of its folder.
        token: [u8; 16],
        /// Which backup, 1 to [`ABORT_REASON_BYTES_MAX`] bytes, one line.
        source: String,
    },
}

/// Most disks in one `RegisterDisks`.
pub const DISKS_PER_COMMAND_MAX: usize = 128;
/// Most vaults in one `CreateVaults`.
pub const VAULTS_PER_COMMAND_MAX: usize = 128;
/// Most vaults of a cluster.
pub const VAULTS_MAX: usize = 4096;
/// Most nodes of a cluster.
pub const NODES_MAX: usize = 1024;
/// Most disks of a cluster.
pub const DISKS_MAX: usize = 16_384;
/// Most metadata nodes that are admitted at once.
pub const META_MEMBERS_MAX: usize = 9;
/// Most metadata nodes that were ever admitted: retired ones stay on record.
pub const META_MEMBERS_EVER_MAX: usize = 1024;
/// Most damaged shards that are on record and not repaired; more are refused until some are.
pub const DAMAGE_ITEMS_MAX: u64 = 100_000;
/// Requests that are remembered at most, so that a repeated one has no second effect.
pub const REQUEST_MEMORY_ITEMS_MAX: u64 = 1_000_000;
/// How long a request is remembered at least, while they are not too many: 24 hours of cluster
/// time.
pub const REQUEST_MEMORY_MS: i64 = 24 * 3_600_000;
/// Longest move of cluster time that is not on record: 1 hour.
pub const CLOCK_JUMP_MS_MAX: i64 = 3_600_000;
/// Longest text that says what is wrong with a shard: 512 bytes, one line.
pub const DAMAGE_TEXT_BYTES_MAX: usize = 512;

/// A disk that its node takes into service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskClaim {
    /// Identity.
    pub disk_id: DiskId,
    /// Name that its node gives it, 1 to 64 bytes, one line.
    pub name: String,
    /// Its share of new vaults: capacity in GiB, at least 1.
    pub weight: u32,
    /// One more than the generation that stands on the disk.
    pub generation: DiskGeneration,
    /// Random name of this opening; it stands on the disk before the disk is registered, so that a
    /// registration that was cut short can be repeated.
    pub opening: RunId,
}

/// A vault to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVault {
    /// Erasure profile of everything in it.
    pub profile: ErasureProfile,
    /// Level at which its slots are apart; the law checks it.
    pub level: FailureDomain,
    /// A disk in service for each slot, no two in one failure domain of `level`.
    pub slots: Vec<DiskId>,
}

/// A damaged shard on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageRecord {
    /// The disk.
    pub disk_id: DiskId,
    /// The shard and what is wrong with it.
    pub damage: ShardDamage,
    /// Cluster time of the first report.
    pub reported_at: Timestamp,
    /// Entry of the custody log that reports it.
    pub log_index: LogIndex,
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
    /// The cluster map stands at this epoch, changed by this command or found as asked for.
    MapChanged(Epoch),
    /// The damage, or its repair, is on record.
    DamageNoted,
    /// The key that the cluster's evidence is sealed under, by this command or before.
    KeyAdopted([u8; 8]),
    /// The metadata node is a member, by this command or before.
    MetaAdmitted(MetaMember),
    /// The metadata node is retired, by this command or before.
    MetaRetired(MetaMember),
    /// The backup is on the custody log.
    BackupRecorded(LogIndex),
    /// An act of the law is done.
    LawDone {
        /// Its entry in the custody log.
        log_index: LogIndex,
        /// The record that it is about, as the act left it.
        record: Option<Box<Versioned>>,
    },
    /// Cluster time has moved on.
    TimeKept,
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
        /// Only segments of this recording.
        recording: Option<String>,
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
        /// Only those about this record of the law, kind and id: `case/C-2026-17`.
        record: Option<String>,
    },
    /// Proof that an entry is under the current checkpoint.
    ProveInclusion(LogIndex),
    /// Proof that the log at `old` entries is a prefix of the log now (RFC 6962 section 2.1.2).
    ProveConsistency {
        /// Size of the older checkpoint.
        old: u64,
    },
    /// The cluster map, if it is newer than this epoch.
    ClusterMap {
        /// What the caller knows; epoch 0 is older than any map.
        newer_than: Epoch,
    },
    /// Damaged shards on record, in order of disk and shard.
    ListDamage {
        /// Start after this one.
        after: Option<(DiskId, ShardKey)>,
        /// At most this many, capped at [`PAGE_ITEMS_MAX`](custos_core::limits); 0 asks for
        /// [`PAGE_ITEMS_DEFAULT`](custos_core::limits).
        limit: usize,
        /// Only those of this evidence; `after` is one of them then.
        evidence_id: Option<EvidenceId>,
    },
    /// The metadata nodes that are or were admitted.
    MetaMembers,
    /// Records of the law.
    Law(LawQuery),
    /// Any of the others but [`Upload`](Self::Upload), as somebody who may not read everything
    /// (rules R19, R23): what they may not read is refused, or left out of pages and entries.
    By {
        /// Who reads.
        reader: Actor,
        /// What is asked.
        query: Box<Query>,
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
    /// For [`Query::ClusterMap`]; `None` when there is no newer one.
    ClusterMap(Option<Box<ClusterMap>>),
    /// For [`Query::ListDamage`].
    Damage {
        /// The page.
        items: Vec<DamageRecord>,
        /// All damaged shards on record.
        total: u64,
        /// There are more after the last item.
        more: bool,
    },
    /// For [`Query::MetaMembers`]: in order of id, retired ones too, at most
    /// [`META_MEMBERS_EVER_MAX`].
    MetaMembers(Vec<MetaMember>),
    /// For [`Query::Law`]. A record that is not there is an empty page.
    Law(Box<LawAnswer>),
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
    /// Which group of the ledger keeps what.
    pub routing: Routing,
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
