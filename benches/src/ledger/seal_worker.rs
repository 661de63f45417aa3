use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result, bail};
use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, Role, Salt,
    SealedParts, Sha256Hash, Stage, Timestamp, UploadKey, VaultId,
};
use custos_ledger::{Command, Envelope, Outcome};
use custos_wire::internal_v1::{SubmitRequest, meta_client::MetaClient};
use tonic::transport::Channel;

use super::placement::Rotation;
use crate::{
    content::Content,
    drive::{Operation, Worker},
};

/// 2026-03-01T08:00:00Z: evidence ids begin with a time, as those of gateways do.
pub(super) const BEGIN_MS: i64 = 1_772_352_000_000;
/// Bytes of a wrapped data key as the key ring makes it.
const WRAPPED_KEY_BYTES: usize = 60;

/// Opens an upload and seals it, again and again, as a gateway does for a station: each is one
/// commit. The bytes of evidence are left out.
pub(super) struct SealWorker {
    meta: Rotation<MetaClient<Channel>>,
    commands: Commands,
    /// The upload that is to be sealed next.
    open: Option<EvidenceId>,
    sealed: Arc<AtomicU64>,
}

impl SealWorker {
    /// Client `number`; what it seals is counted in `sealed`.
    pub(super) fn new(channels: &[Channel], number: usize, sealed: Arc<AtomicU64>) -> Result<Self> {
        let clients = channels.iter().cloned().map(MetaClient::new).collect();
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed).context("a random seed")?;
        let commands = Commands::new(number, u64::from_le_bytes(seed));
        Ok(Self { meta: Rotation::new(clients, number), commands, open: None, sealed })
    }
}

impl Worker for SealWorker {
    async fn operate(&mut self, number: u64) -> Result<Operation> {
        let envelope = match self.open {
            None => self.commands.open(),
            Some(evidence_id) => self.commands.seal(evidence_id),
        };
        let envelope = envelope.encode();
        let bytes = envelope.len() as u64;
        let start = Instant::now();
        // It does not say to which cluster it belongs: there is one only.
        let request = SubmitRequest { envelope, origin: String::new() };
        let answer = self.meta.next().submit(request).await;
        let answer = answer.with_context(|| format!("commit {number}"))?.into_inner();
        let outcome = Outcome::decode(&answer.outcome).context("the outcome of a commit")?;
        let latency = start.elapsed();
        self.open = match (self.open, outcome) {
            (None, Outcome::UploadOpen(session)) => Some(session.evidence_id),
            (Some(open), Outcome::Sealed(record)) if record.evidence_id == open => {
                self.sealed.fetch_add(1, Ordering::Relaxed);
                None
            }
            (_, other) => bail!("commit {number} had another outcome: {other:?}"),
        };
        Ok(Operation { bytes, latency, to_first_byte: None })
    }
}

/// Makes commands that the law accepts, no two about the same evidence but open and seal.
pub(super) struct Commands {
    actor: Actor,
    random: Content,
    begun: Instant,
}

impl Commands {
    /// A station, whose random numbers come from `seed`.
    pub(super) fn new(station: usize, seed: u64) -> Self {
        let mut random = Content::new(seed);
        let actor = Actor {
            name: format!("bench-{station}"),
            role: Role::Station,
            fingerprint: array(&mut random),
        };
        Self { actor, random, begun: Instant::now() }
    }

    pub(super) fn open(&mut self) -> Envelope {
        let elapsed_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(0);
        let time = Timestamp::from_millis(BEGIN_MS + elapsed_ms);
        let command = Command::OpenUpload {
            upload_key: UploadKey(array(&mut self.random)),
            evidence_id: EvidenceId::from_parts(time, array(&mut self.random)),
            descriptor: descriptor(),
            profile: ErasureProfile::P4_2,
            chunk_size: ChunkSize::DEFAULT,
            vault: VaultId(0),
            wrapped_key: array::<WRAPPED_KEY_BYTES>(&mut self.random).to_vec(),
        };
        self.envelope(command)
    }

    pub(super) fn seal(&mut self, evidence_id: EvidenceId) -> Envelope {
        let parts = SealedParts {
            size: 64 << 20,
            blake3: Blake3Hash(array(&mut self.random)),
            sha256: Sha256Hash(array(&mut self.random)),
            head_salt: Some(Salt(array(&mut self.random))),
            missing_shards: 0,
        };
        self.envelope(Command::Seal { evidence_id, parts })
    }

    fn envelope(&mut self, command: Command) -> Envelope {
        Envelope {
            request_id: array(&mut self.random),
            actor: self.actor.clone(),
            entry_salt: array(&mut self.random),
            command,
        }
    }
}

/// Bytes of an encoded command, open and seal taken together: what a put of etcd is given.
pub(super) fn command_bytes() -> usize {
    let mut commands = Commands::new(1, 1);
    let open = commands.open();
    let Command::OpenUpload { evidence_id, .. } = open.command else {
        unreachable!("it was just made")
    };
    (open.encoded_len() + commands.seal(evidence_id).encoded_len()) / 2
}

/// A clip of a body-worn camera, with everything that rule R4 asks for.
fn descriptor() -> Descriptor {
    Descriptor {
        captured_at: Some(Timestamp::from_millis(BEGIN_MS - 3_600_000)),
        recorder: Some("BWC-0042".to_owned()),
        officers: vec!["310115-0001".to_owned(), "310115-0002".to_owned()],
        case: Some("custos-bench".to_owned()),
        stage: Some(Stage::Investigation),
        place: Some("Century Avenue 100".to_owned()),
        note: Some("generated by a load test".to_owned()),
        file_name: Some("clip.mp4".to_owned()),
        media_type: Some("video/mp4".to_owned()),
        ..Descriptor::of_kind(EvidenceKind::Video)
    }
}

fn array<const N: usize>(random: &mut Content) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use custos_ledger::{IncompleteDescriptor, MemoryKv, Policy, apply};

    use super::*;

    #[test]
    fn the_law_seals_what_two_stations_open_again_and_again() {
        let mut kv = MemoryKv::new();
        let mut stations = [Commands::new(0, 7), Commands::new(1, 8)];
        let policy = Policy {
            incomplete_descriptor: IncompleteDescriptor::Refuse,
            retention_days_av: 365,
            retention_days_other: 365,
        };
        let now = Timestamp::from_millis(BEGIN_MS);
        let mut begin = stations[0].open();
        begin.actor = Actor::system();
        begin.command = Command::InitCluster { origin: "custos.bench/1".to_owned(), policy };
        assert_eq!(apply(&mut kv, &begin, now), Ok(Outcome::Initialised));
        for number in 0..10 {
            let commands = &mut stations[number % 2];
            let opened = apply(&mut kv, &commands.open(), now);
            let Ok(Outcome::UploadOpen(session)) = opened else { panic!("{opened:?}") };
            let sealed = apply(&mut kv, &commands.seal(session.evidence_id), now);
            assert!(matches!(sealed, Ok(Outcome::Sealed(_))), "{sealed:?}");
        }
    }

    #[test]
    fn a_command_is_a_few_hundred_bytes() {
        assert!((200..600).contains(&command_bytes()), "{}", command_bytes());
    }
}
