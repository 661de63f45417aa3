//! Clients of the simulated ledger: they submit real commands and strong reads to any node, try
//! again under the same request id when they do not know, and write down what they were told.

use std::sync::Arc;

use custos_core::{
    Actor, ChunkSize, Descriptor, Epoch, ErasureProfile, EvidenceId, EvidenceKind, Labels, NodeId,
    RunId, Timestamp, UploadKey, VaultId,
};
use custos_ledger::{Command, Envelope, IncompleteDescriptor, Policy, Query};
use custos_ports::LedgerError;
use tokio::time::{self, Duration};

use super::{
    ORIGIN,
    group::Group,
    history::{Answered, Asked, Record},
    plant::{Plant, is_planted},
    random::Random,
};

/// Uploads that all clients open and give up.
const UPLOADS: u64 = 6;
/// Storage nodes that register again and again.
const NODES: u64 = 4;
const ATTEMPTS_MAX: u64 = 6;
/// A client gives an attempt up after this long, though the node may still work on it.
const PATIENCE: Duration = Duration::from_secs(4);

pub(crate) struct Client {
    pub(crate) number: u64,
    pub(crate) group: Arc<Group>,
    pub(crate) record: Record,
    pub(crate) random: Random,
    attempts: u64,
    requests: u64,
    /// The node that answered last.
    favourite: Option<u64>,
}

impl Client {
    pub(crate) fn new(number: u64, group: Arc<Group>, record: Record, random: Random) -> Self {
        Self { number, group, record, random, attempts: 0, requests: 0, favourite: None }
    }

    /// Asks one thing after the other until told to end.
    pub(crate) async fn run(mut self) {
        while !self.group.is_quiet() {
            if self.random.permille(600) {
                let command = some_command(&mut self.random);
                self.submit(command).await;
            } else {
                let query = some_query(&mut self.random);
                self.read(query).await;
            }
            time::sleep(Duration::from_millis(self.random.below(100))).await;
        }
    }

    /// Submits until the outcome is known or the patience ends; true when it is known.
    pub(crate) async fn submit(&mut self, command: Command) -> bool {
        self.requests += 1;
        let request_id = name(self.number, self.requests);
        for _ in 0..ATTEMPTS_MAX {
            self.attempts += 1;
            // The salt tells the attempts of one request apart in the log.
            let entry_salt = name(self.number, self.attempts);
            let envelope = Envelope {
                request_id,
                actor: Actor::system(),
                entry_salt,
                command: command.clone(),
            };
            if self.submit_once(envelope).await {
                return true;
            }
            time::sleep(Duration::from_millis(self.random.below(400))).await;
        }
        false
    }

    async fn submit_once(&mut self, envelope: Envelope) -> bool {
        let Some((node, process)) = self.node() else { return false };
        let asked = Asked::Command(Box::new(envelope.clone()));
        let number = self.record.invoked(self.number, node, asked);
        let answer = match time::timeout(PATIENCE, process.submit(envelope)).await {
            Ok(Ok(Ok(outcome))) => Answered::Done(Box::new(outcome)),
            Ok(Ok(Err(error))) => failure(error),
            // The node died, or nobody waits any more.
            Ok(Err(_)) | Err(_) => Answered::Unknown,
        };
        self.conclude(node, number, answer)
    }

    pub(crate) async fn read(&mut self, query: Query) -> bool {
        for _ in 0..ATTEMPTS_MAX {
            let Some((node, process)) = self.node() else { return false };
            let number = self.record.invoked(self.number, node, Asked::Read(query.clone()));
            let answer = match time::timeout(PATIENCE, process.query(query.clone())).await {
                Ok(Ok(Ok(answer))) => Answered::Read(Box::new(answer)),
                Ok(Ok(Err(_)) | Err(_)) | Err(_) => Answered::Failed,
            };
            if self.conclude(node, number, answer) {
                return true;
            }
            time::sleep(Duration::from_millis(self.random.below(400))).await;
        }
        false
    }

    fn conclude(&mut self, node: u64, number: usize, answer: Answered) -> bool {
        let is_known =
            matches!(answer, Answered::Done(_) | Answered::Refused(_) | Answered::Read(_));
        self.favourite = is_known.then_some(node);
        self.record.answered(number, answer);
        is_known
    }

    /// The favourite mostly, else the leader or any that runs.
    fn node(&mut self) -> Option<(u64, super::node::Process)> {
        let favourite = self.favourite.filter(|_| self.random.permille(900));
        if let Some(node) = favourite
            && let Some(process) = self.group.process(node)
        {
            return Some((node, process));
        }
        let leader = self.group.leader().map(|(_, metrics)| metrics.id);
        let node = match leader.filter(|_| self.random.permille(700)) {
            Some(leader) => leader,
            None => *self.random.pick(&self.group.running())?,
        };
        Some((node, self.group.process(node)?))
    }
}

fn failure(error: LedgerError) -> Answered {
    match error {
        LedgerError::Refused(refusal) => Answered::Refused(refusal),
        LedgerError::QueueFull { .. } | LedgerError::Unavailable { .. } => Answered::Failed,
        LedgerError::Unknown { .. } if is_planted(Plant::CallUnknownFailed) => Answered::Failed,
        LedgerError::Unknown { .. } | LedgerError::Fault { .. } => Answered::Unknown,
    }
}

/// 16 bytes that no other client or number has.
fn name(client: u64, number: u64) -> [u8; 16] {
    let mut name = [0; 16];
    name[..4].copy_from_slice(&u32::try_from(client << 20 | number).expect("few").to_be_bytes());
    name
}

/// The first command of every ledger.
pub(crate) fn init_cluster() -> Command {
    let policy = Policy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        retention_days_av: 365,
        retention_days_other: 365,
    };
    Command::InitCluster { origin: ORIGIN.to_owned(), policy }
}

fn some_command(random: &mut Random) -> Command {
    let upload = random.below(UPLOADS);
    match random.below(8) {
        0 => Command::AdoptKey { key_id: random.next().to_be_bytes() },
        1 | 2 => Command::OpenUpload {
            upload_key: UploadKey([u8::try_from(upload).expect("few"); 32]),
            evidence_id: evidence(upload),
            descriptor: Descriptor::of_kind(EvidenceKind::Video),
            profile: ErasureProfile::P2_1,
            chunk_size: ChunkSize::DEFAULT,
            vault: VaultId(0),
            wrapped_key: vec![9; 32],
        },
        3 => Command::AbortUpload { evidence_id: evidence(upload), reason: "given up".to_owned() },
        // Always refused, and on record.
        4 => Command::RecordView {
            evidence_id: evidence(UPLOADS),
            start: 0,
            end: 1,
            purpose: None,
            scope: custos_core::law::GrantScope::View,
            grant: None,
        },
        _ => {
            let node = u8::try_from(random.below(NODES)).expect("few");
            Command::RegisterNode {
                node_id: NodeId::from_bytes([node; 16]),
                name: format!("node-{node}"),
                endpoint: String::new(),
                labels: Labels {
                    zone: format!("zone-{}", random.below(3)),
                    rack: String::new(),
                    host: format!("host-{node}"),
                },
                run: RunId::from_bytes(u128::from(random.next()).to_be_bytes()),
            }
        }
    }
}

fn some_query(random: &mut Random) -> Query {
    match random.below(4) {
        0 => Query::Upload(evidence(random.below(UPLOADS))),
        1 => Query::ClusterMap { newer_than: Epoch(0) },
        2 => Query::Cluster,
        _ => Query::Checkpoint,
    }
}

fn evidence(number: u64) -> EvidenceId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    EvidenceId::from_parts(Timestamp::from_millis(1_700_000_000_000), random)
}
