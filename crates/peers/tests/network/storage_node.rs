//! A small storage node: the real service over a store in memory, which misbehaves on demand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use custos_core::{
    Actor, ChunkIndex, DiskGeneration, DiskId, Epoch, EvidenceId, Labels, NodeId, Role, RunId,
    Salt, ShardKey, ShardSlot, ShardWrite, Timestamp, VaultId, WritePurpose,
};
use custos_ledger::{Command, DiskClaim, Envelope, Outcome};
use custos_peers::{
    Channels, ClusterOptions, ClusterPeers, Deadlines,
    convert::{
        ShardAnswerer, ShardTarget, WriteHead, disk_status_to_wire, entries_to_wire, key_from_wire,
        key_to_wire, order_from_wire, quarantined_to_wire,
    },
    failure::{shard_error_to_status, wrong_target},
    fakes::{TestAuthority, TestServer},
    payload::{self, PayloadAssembly},
    system_actor_of,
};
use custos_ports::{
    Cluster, Ledger, ShardError, ShardStore,
    fakes::{CountingEntropy, MemoryLedger, MemoryShardStore},
};
use custos_wire::{
    WireError,
    internal_v1::{
        AddDiskRequest, AddDiskResponse, DetachDiskRequest, DetachDiskResponse, ListAllRequest,
        ListAllResponse, ListQuarantineRequest, ListQuarantineResponse, ListRequest, ListResponse,
        ReadHead, ReadRequest, ReadResponse, RemoveRequest, RemoveResponse, SetScrubRequest,
        SetScrubResponse, StatusRequest, StatusResponse, VerifyRequest, VerifyResponse,
        WriteRequest, WriteResponse,
        read_response::Message as Read,
        shard_server::{Shard, ShardServer},
        write_request::Message as Write,
    },
};
use futures::{StreamExt, stream::BoxStream};
use parking_lot::Mutex;
use tonic::{Request, Response, Status, Streaming};

pub(crate) const NODE: NodeId = NodeId([1; 16]);
pub(crate) const DISK: DiskId = DiskId([2; 16]);
pub(crate) const STRANGER: ShardAnswerer =
    ShardAnswerer { node_id: NodeId([8; 16]), disk_id: DiskId([9; 16]) };

/// How the node misbehaves from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It does not.
    Right,
    /// Answers as another node and disk.
    Stranger,
    /// Refuses callers whose map is older than this.
    Wants(Epoch),
    /// Refuses callers that know an older generation of its disk.
    Generation(DiskGeneration),
    /// Refuses shards at their head, as a store without space does: the payload is not looked at.
    Full,
    /// Takes requests and never answers.
    Hangs,
    /// Sends one piece of a payload and then nothing, not even an end.
    StallsMidway,
    /// Alters a byte after the checksum was made.
    Alters,
    /// Sends less than it announced.
    CutsShort,
    /// Sends more than it announced.
    Pads,
    /// Sends another shard than the one asked for.
    Misdirects,
}

/// The service.
#[derive(Clone)]
pub(crate) struct StorageNode {
    pub(crate) store: Arc<MemoryShardStore>,
    manner: Arc<Mutex<Manner>>,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl StorageNode {
    pub(crate) fn new() -> Self {
        Self {
            store: Arc::new(MemoryShardStore::new("disk 0 (/far/away)")),
            manner: Arc::new(Mutex::new(Manner::Right)),
            requests: Arc::default(),
        }
    }

    pub(crate) fn set(&self, manner: Manner) {
        *self.manner.lock() = manner;
    }

    pub(crate) fn serve(&self, authority: &TestAuthority) -> TestServer {
        let service = ShardServer::new(self.clone());
        TestServer::start(authority.server(), |mut server| server.add_service(service))
    }

    /// Judges a request as a node does, and says who answers.
    async fn admit<T>(
        &self,
        request: &Request<T>,
        target: Option<ShardTarget>,
    ) -> Result<ShardAnswerer, Status> {
        system_actor_of(request)?;
        self.requests.fetch_add(1, Ordering::SeqCst);
        let manner = *self.manner.lock();
        match (manner, target) {
            (Manner::Hangs, _) => std::future::pending().await,
            (Manner::Stranger, _) => Ok(STRANGER),
            (Manner::Wants(current), Some(target)) if target.epoch < current => {
                let store = self.store.name().to_owned();
                let stale = ShardError::Stale { store, given: target.epoch, current };
                Err(shard_error_to_status(&stale))
            }
            (Manner::Generation(current), Some(target)) if target.generation != current => {
                let given = target.generation;
                Err(wrong_target(&format!("generation {given} is asked for, this is {current}")))
            }
            _ => Ok(ShardAnswerer { node_id: NODE, disk_id: DISK }),
        }
    }
}

fn target(wire: Option<&custos_wire::internal_v1::Target>) -> Result<ShardTarget, WireError> {
    ShardTarget::from_wire(wire)
}

fn failed(error: ShardError) -> Status {
    shard_error_to_status(&error)
}

#[tonic::async_trait]
impl Shard for StorageNode {
    type ReadStream = BoxStream<'static, Result<ReadResponse, Status>>;

    async fn write(
        &self,
        mut request: Request<Streaming<WriteRequest>>,
    ) -> Result<Response<WriteResponse>, Status> {
        system_actor_of(&request)?;
        let first = request.get_mut().message().await?.and_then(|first| first.message);
        let Some(Write::Head(head)) = first else {
            return Err(WireError::invalid("message", "the head is missing").into());
        };
        let head = WriteHead::from_wire(head)?;
        let answerer = self.admit(&request, Some(head.target)).await?.to_wire();
        if *self.manner.lock() == Manner::Full {
            let store = self.store.name().to_owned();
            return Err(failed(ShardError::Full { store, free_bytes: 0 }));
        }
        let mut assembly = PayloadAssembly::new(head.payload_len, head.payload_crc32c);
        while let Some(next) = request.get_mut().message().await? {
            let Some(Write::Data(piece)) = next.message else {
                return Err(WireError::invalid("message", "a second head").into());
            };
            assembly.push(piece).map_err(|error| WireError::invalid("data", error))?;
        }
        let payload = assembly.finish().map_err(|error| WireError::invalid("data", error))?;
        self.store.write(head.into_shard(payload)).await.map_err(failed)?;
        Ok(Response::new(WriteResponse { answerer: Some(answerer) }))
    }

    async fn read(
        &self,
        request: Request<ReadRequest>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        // Taken before the request is counted: a test that waits for the count changes it then.
        let manner = *self.manner.lock();
        let asked = request.get_ref().clone();
        let answerer = self.admit(&request, Some(target(asked.target.as_ref())?)).await?;
        let mut key = key_from_wire(asked.key.as_ref())?;
        let range = asked.start.zip(asked.end).map(|(start, end)| start..end);
        let shard = self.store.read(&key, range).await.map_err(failed)?;
        if manner == Manner::Misdirects {
            key.slot = ShardSlot(key.slot.0 + 1);
        }
        let crc32c = payload::crc32c(&shard.payload);
        let payload = match manner {
            Manner::Alters => altered(&shard.payload),
            Manner::CutsShort => shard.payload.slice(1..),
            Manner::Pads => [&shard.payload[..], b"!"].concat().into(),
            _ => shard.payload.clone(),
        };
        let head = Read::Head(ReadHead {
            answerer: Some(answerer.to_wire()),
            key: Some(key_to_wire(&key)),
            header: shard.header,
            len: u32::try_from(shard.payload.len()).expect("small"),
            crc32c,
        });
        let messages: Vec<_> = std::iter::once(head)
            .chain(payload::pieces(payload).map(Read::Data))
            .map(|message| Ok(ReadResponse { message: Some(message) }))
            .collect();
        let stream = futures::stream::iter(messages);
        Ok(Response::new(if manner == Manner::StallsMidway {
            stream.take(2).chain(futures::stream::pending()).boxed()
        } else {
            stream.boxed()
        }))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let asked = request.get_ref().clone();
        let answerer = self.admit(&request, Some(target(asked.target.as_ref())?)).await?;
        let vault = VaultId(asked.vault);
        let evidence_id = EvidenceId::from_slice(&asked.evidence_id).expect("16 bytes");
        let (items, more) = match asked.chunk {
            Some(chunk) => {
                let chunk = ChunkIndex(chunk);
                let items = self.store.list_chunk(vault, evidence_id, chunk).await;
                (items.map_err(failed)?, false)
            }
            None => {
                let after = asked.after.as_ref().map(|key| key_from_wire(Some(key))).transpose()?;
                let page = self.store.list(vault, evidence_id, after, asked.limit as usize).await;
                let page = page.map_err(failed)?;
                (page.items, page.more)
            }
        };
        let (answerer, items) = (Some(answerer.to_wire()), entries_to_wire(items));
        Ok(Response::new(ListResponse { answerer, items, more }))
    }

    async fn list_all(
        &self,
        request: Request<ListAllRequest>,
    ) -> Result<Response<ListAllResponse>, Status> {
        let asked = request.get_ref().clone();
        let answerer = self.admit(&request, Some(target(asked.target.as_ref())?)).await?;
        let after = asked.after.as_ref().map(|key| key_from_wire(Some(key))).transpose()?;
        let page = self.store.list_all(asked.vault.map(VaultId), after, asked.limit as usize).await;
        let page = page.map_err(failed)?;
        let (answerer, items) = (Some(answerer.to_wire()), entries_to_wire(page.items));
        Ok(Response::new(ListAllResponse { answerer, items, more: page.more }))
    }

    async fn verify(
        &self,
        request: Request<VerifyRequest>,
    ) -> Result<Response<VerifyResponse>, Status> {
        let asked = request.get_ref().clone();
        let answerer = self.admit(&request, Some(target(asked.target.as_ref())?)).await?;
        let key = key_from_wire(asked.key.as_ref())?;
        self.store.verify(&key).await.map_err(failed)?;
        Ok(Response::new(VerifyResponse { answerer: Some(answerer.to_wire()) }))
    }

    async fn remove(
        &self,
        request: Request<RemoveRequest>,
    ) -> Result<Response<RemoveResponse>, Status> {
        let asked = request.get_ref().clone();
        let answerer = self.admit(&request, Some(target(asked.target.as_ref())?)).await?;
        let order = order_from_wire(asked.reason, asked.ledger_index)?;
        let keys: Vec<_> =
            asked.keys.iter().map(|key| key_from_wire(Some(key))).collect::<Result<_, _>>()?;
        self.store.remove(&keys, order).await.map_err(failed)?;
        Ok(Response::new(RemoveResponse { answerer: Some(answerer.to_wire()) }))
    }

    async fn list_quarantine(
        &self,
        request: Request<ListQuarantineRequest>,
    ) -> Result<Response<ListQuarantineResponse>, Status> {
        let asked = request.get_ref().clone();
        self.admit(&request, None).await?;
        let items = self.store.quarantine(asked.limit as usize).await.map_err(failed)?;
        Ok(Response::new(ListQuarantineResponse { items: quarantined_to_wire(items) }))
    }

    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<StatusResponse>, Status> {
        let ShardAnswerer { node_id, disk_id } = self.admit(&request, None).await?;
        let status = self.store.status().await;
        let disk = disk_status_to_wire(disk_id, DiskGeneration(1), "local", status, None);
        Ok(Response::new(StatusResponse {
            node_id: node_id.0.to_vec(),
            run: vec![0; 16],
            name: "far".to_owned(),
            version: "test".to_owned(),
            epoch: 1,
            disks: vec![disk],
        }))
    }

    async fn set_scrub(
        &self,
        request: Request<SetScrubRequest>,
    ) -> Result<Response<SetScrubResponse>, Status> {
        self.admit(&request, None).await?;
        Ok(Response::new(SetScrubResponse {}))
    }

    async fn add_disk(
        &self,
        request: Request<AddDiskRequest>,
    ) -> Result<Response<AddDiskResponse>, Status> {
        self.admit(&request, None).await?;
        let refusal =
            WireError::invalid("path", format_args!("{} is no disk", request.get_ref().path));
        Err(refusal.into())
    }

    async fn detach_disk(
        &self,
        request: Request<DetachDiskRequest>,
    ) -> Result<Response<DetachDiskResponse>, Status> {
        self.admit(&request, None).await?;
        Ok(Response::new(DetachDiskResponse {}))
    }
}

fn altered(payload: &Bytes) -> Bytes {
    let mut bytes = payload.to_vec();
    bytes[0] ^= 1;
    bytes.into()
}

/// A cluster of one storage node, and a caller that knows it through a real ledger.
pub(crate) struct World {
    pub(crate) authority: TestAuthority,
    pub(crate) ledger: Arc<MemoryLedger>,
    pub(crate) node: StorageNode,
    pub(crate) server: TestServer,
    pub(crate) peers: ClusterPeers,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_deadline(Duration::from_secs(60)).await
    }

    pub(crate) async fn with_deadline(deadline: Duration) -> Self {
        let authority = TestAuthority::new();
        let node = StorageNode::new();
        let server = node.serve(&authority);
        let ledger = Arc::new(MemoryLedger::new("2026-03-01T08:00:00Z".parse().expect("a time")));
        register_node(&*ledger, NODE, "far", &server.endpoint(), 1).await;
        register_disk(&*ledger, NODE, DISK, 1).await;
        let channels = Channels::new(authority.client("gateway-1", Role::System));
        let peers = spawn(ledger.clone(), Some(channels), deadline);
        peers.refresh().await.expect("the map");
        Self { authority, ledger, node, server, peers }
    }

    pub(crate) fn store(&self) -> Arc<dyn ShardStore> {
        self.peers.store(DISK)
    }
}

/// Peers that read the map when they begin and then never by themselves.
pub(crate) fn spawn(
    ledger: Arc<dyn Ledger>,
    channels: Option<Channels>,
    deadline: Duration,
) -> ClusterPeers {
    let deadlines = Deadlines {
        write: deadline,
        read: deadline,
        list: deadline,
        verify: deadline,
        remove: deadline,
        status: deadline,
    };
    let options = ClusterOptions { poll_interval: Duration::from_hours(24), deadlines };
    ClusterPeers::spawn(options, ledger, channels, Arc::new(CountingEntropy::default()))
}

pub(crate) async fn register_node(
    ledger: &dyn Ledger,
    node_id: NodeId,
    name: &str,
    endpoint: &str,
    run: u8,
) -> Epoch {
    let labels = Labels { host: name.to_owned(), ..Labels::default() };
    let run = RunId([run; 16]);
    let (name, endpoint) = (name.to_owned(), endpoint.to_owned());
    submit(ledger, Command::RegisterNode { node_id, name, endpoint, labels, run }).await
}

pub(crate) async fn register_disk(
    ledger: &dyn Ledger,
    node_id: NodeId,
    disk_id: DiskId,
    generation: u64,
) -> Epoch {
    let disk = DiskClaim {
        disk_id,
        name: "disk 0".to_owned(),
        weight: 1,
        generation: DiskGeneration(generation),
        opening: RunId([u8::try_from(generation).expect("small"); 16]),
    };
    submit(ledger, Command::RegisterDisks { node_id, disks: vec![disk] }).await
}

pub(crate) async fn submit(ledger: &dyn Ledger, command: Command) -> Epoch {
    static COMMANDS: AtomicU64 = AtomicU64::new(0);
    let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
    let request_id = u128::from(number).to_be_bytes();
    let envelope = Envelope { request_id, actor: Actor::system(), entry_salt: [7; 16], command };
    match ledger.submit(envelope).await {
        Ok(Outcome::MapChanged(epoch)) => epoch,
        other => panic!("the map does not change: {other:?}"),
    }
}

pub(crate) fn key(evidence: u8, slot: u8) -> ShardKey {
    ShardKey {
        vault: VaultId(0),
        evidence_id: EvidenceId::from_bytes([evidence; 16]),
        chunk: ChunkIndex(3),
        slot: ShardSlot(slot),
        salt: Salt([5; 16]),
    }
}

pub(crate) fn shard(evidence: u8, slot: u8, len: usize) -> ShardWrite {
    ShardWrite {
        key: key(evidence, slot),
        retain_until: Timestamp::from_millis(4_000_000_000_000),
        purpose: WritePurpose::Ingest,
        header: Bytes::from(format!("header of {evidence}/{slot}")),
        payload: (0..len).map(|at| u8::try_from(at % 253).expect("small")).collect(),
    }
}
