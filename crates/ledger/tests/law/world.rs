//! A small world to act in: a state, a clock, and people.

use custos_core::{
    Actor, Blake3Hash, Checkpoint, ChunkSize, CustodyEntry, Descriptor, ErasureProfile, ErrorKind,
    EvidenceId, EvidenceKind, EvidenceRecord, LogIndex, Refusal, Role, Rule, Salt, SealedParts,
    Sha256Hash, Stage, Timestamp, UploadKey, UploadSession, VaultId, law::GrantScope,
};
use custos_ledger::{
    Answer, Command, Envelope, IncompleteDescriptor, MemoryKv, Outcome, Policy, Query, apply,
};

/// Asks a group that keeps what is asked for.
pub(crate) fn query(kv: &MemoryKv, query: &Query) -> Answer {
    custos_ledger::query(kv, query).expect("kept here")
}

pub(crate) const ORIGIN: &str = "custos.test/0123abcd";

/// 2026-03-01T08:00:00Z.
pub(crate) const START_MS: i64 = 1_772_352_000_000;

pub(crate) struct World {
    pub(crate) kv: MemoryKv,
    pub(crate) now: Timestamp,
    commands: u64,
}

impl World {
    /// Before the first command.
    pub(crate) fn new() -> Self {
        Self { kv: MemoryKv::new(), now: Timestamp::from_millis(START_MS), commands: 0 }
    }

    /// With a cluster that accepts incomplete descriptors.
    pub(crate) fn begun() -> Self {
        Self::begun_under(policy())
    }

    pub(crate) fn begun_under(policy: Policy) -> Self {
        let mut world = Self::new();
        let origin = ORIGIN.to_owned();
        let done = world.act(&Actor::system(), Command::InitCluster { origin, policy });
        assert_eq!(done, Ok(Outcome::Initialised));
        world
    }

    /// Applies a command one second after the one before, with fresh salts.
    pub(crate) fn act(&mut self, actor: &Actor, command: Command) -> Result<Outcome, Refusal> {
        self.now = Timestamp::from_millis(self.now.as_millis() + 1000);
        let envelope = self.envelope(actor, command);
        self.apply(&envelope)
    }

    /// A command with a fresh request id.
    pub(crate) fn envelope(&mut self, actor: &Actor, command: Command) -> Envelope {
        self.commands += 1;
        let number = u128::from(self.commands).to_be_bytes();
        Envelope {
            request_id: number,
            actor: actor.clone(),
            entry_salt: number.map(|byte| byte ^ 0xa5),
            command,
        }
    }

    pub(crate) fn apply(&mut self, envelope: &Envelope) -> Result<Outcome, Refusal> {
        apply(&mut self.kv, envelope, self.now)
    }

    /// Opens upload `number` with `descriptor`, or panics.
    pub(crate) fn open(
        &mut self,
        actor: &Actor,
        number: u8,
        descriptor: Descriptor,
    ) -> UploadSession {
        match self.act(actor, open(number, descriptor)) {
            Ok(Outcome::UploadOpen(session)) => *session,
            other => panic!("{other:?}"),
        }
    }

    /// Opens and seals upload `number`, or panics.
    pub(crate) fn sealed(
        &mut self,
        actor: &Actor,
        number: u8,
        descriptor: Descriptor,
    ) -> EvidenceRecord {
        self.open(actor, number, descriptor);
        match self.act(actor, seal(number, parts(1000))) {
            Ok(Outcome::Sealed(record)) => *record,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn log(&self) -> Vec<CustodyEntry> {
        let Answer::Entries { items, next: None } = query(
            &self.kv,
            &Query::Entries { from: LogIndex(0), limit: 1000, evidence_id: None, record: None },
        ) else {
            panic!("the log of a test fits on a page");
        };
        items
    }

    pub(crate) fn last_entry(&self) -> CustodyEntry {
        self.log().pop().expect("the log is not empty")
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        match query(&self.kv, &Query::Checkpoint) {
            Answer::Checkpoint(checkpoint) => checkpoint,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn evidence(&self, number: u8) -> Option<EvidenceRecord> {
        match query(&self.kv, &Query::Evidence(id(number))) {
            Answer::Evidence(found) => found.map(|record| *record),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn upload(&self, number: u8) -> Option<UploadSession> {
        match query(&self.kv, &Query::Upload(id(number))) {
            Answer::Upload(found) => found.map(|session| *session),
            other => panic!("{other:?}"),
        }
    }
}

/// What the law decides by: the state without the clock and the memory of requests.
pub(crate) fn law_of(kv: &MemoryKv) -> MemoryKv {
    let is_law = |key: &[u8]| !matches!(key[0], 0x02 | 0x42 | 0x43);
    kv.iter()
        .filter(|(key, _)| is_law(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

pub(crate) fn policy() -> Policy {
    Policy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        retention_days_av: 730,
        retention_days_other: 365,
    }
}

pub(crate) fn station() -> Actor {
    Actor { name: "station-7".to_owned(), role: Role::Station, fingerprint: [7; 32] }
}

pub(crate) fn other_station() -> Actor {
    Actor { name: "station-8".to_owned(), role: Role::Station, fingerprint: [8; 32] }
}

pub(crate) fn developer() -> Actor {
    Actor { name: "dev".to_owned(), role: Role::Developer, fingerprint: [9; 32] }
}

pub(crate) fn id(number: u8) -> EvidenceId {
    EvidenceId::from_bytes([number; 16])
}

/// A descriptor with every field that rule R4 asks for.
pub(crate) fn complete() -> Descriptor {
    Descriptor {
        kind: EvidenceKind::Video,
        captured_at: Some(Timestamp::from_millis(START_MS - 3_600_000)),
        recorder: Some("BWC-0042".to_owned()),
        officers: vec!["310115-0001".to_owned(), "310115-0002".to_owned()],
        case: Some("沪浦城罚〔2026〕17".to_owned()),
        stage: Some(Stage::Investigation),
        place: Some("Century Avenue 100".to_owned()),
        note: Some("stall on the pavement".to_owned()),
        file_name: Some("clip.mp4".to_owned()),
        media_type: Some("video/mp4".to_owned()),
        ..Descriptor::of_kind(EvidenceKind::Video)
    }
}

pub(crate) fn open(number: u8, descriptor: Descriptor) -> Command {
    Command::OpenUpload {
        upload_key: UploadKey([number; 32]),
        evidence_id: id(number),
        descriptor,
        profile: ErasureProfile::P4_2,
        chunk_size: ChunkSize::DEFAULT,
        vault: VaultId(3),
        wrapped_key: vec![0x5a; 60],
    }
}

pub(crate) fn seal(number: u8, parts: SealedParts) -> Command {
    Command::Seal { evidence_id: id(number), parts }
}

pub(crate) fn abort(number: u8) -> Command {
    Command::AbortUpload { evidence_id: id(number), reason: "camera test".to_owned() }
}

pub(crate) fn view(number: u8, start: u64, end: u64) -> Command {
    let purpose = Some("case review".to_owned());
    Command::RecordView {
        evidence_id: id(number),
        start,
        end,
        purpose,
        scope: GrantScope::View,
        grant: None,
    }
}

/// Parts of evidence that is not empty.
pub(crate) fn parts(size: u64) -> SealedParts {
    SealedParts {
        size,
        blake3: Blake3Hash([0xb3; 32]),
        sha256: Sha256Hash([0x2a; 32]),
        head_salt: Some(Salt([0x11; 16])),
        missing_shards: 0,
    }
}

pub(crate) fn assert_refused(
    done: Result<Outcome, Refusal>,
    kind: ErrorKind,
    rule: Rule,
    field: &str,
) -> Refusal {
    let refusal = done.expect_err("must be refused");
    assert_eq!((refusal.kind, refusal.rule, refusal.field.as_str()), (kind, rule, field));
    refusal
}
