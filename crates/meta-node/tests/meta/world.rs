use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use custos_core::{Actor, Labels, NodeId, Role, RunId, Timestamp};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_meta_node::{GroupAdmin, MetaService};
use custos_metastore::{MetaStore, MetaStoreHandle, Options};
use custos_peers::{
    Channels, RemoteLedger, RemoteLedgerOptions,
    fakes::{TestAuthority, TestServer},
};
use custos_ports::{
    Ledger, LedgerError,
    fakes::{CountingEntropy, FixedClock, MemoryLedger},
};
use parking_lot::Mutex;
use tempfile::TempDir;

/// What the fake ledger calls its cluster.
pub(crate) const ORIGIN: &str = "custos.test/00000000";

/// What becomes of the next answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives.
    Heard,
    /// The command is done and the answer lost.
    Lost,
    /// The command is done and the answer never comes.
    Never,
    /// Nothing is done: there is no leader.
    NoLeader,
    /// Nothing is done: too many wait.
    Full,
}

/// The real law, whose answers get lost.
pub(crate) struct LossyLedger {
    inner: MemoryLedger,
    pub(crate) fates: Mutex<VecDeque<Fate>>,
    pub(crate) requests: Mutex<Vec<[u8; 16]>>,
    pub(crate) calls: AtomicUsize,
}

impl LossyLedger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryLedger::new(now()),
            fates: Mutex::default(),
            requests: Mutex::default(),
            calls: AtomicUsize::new(0),
        })
    }

    async fn meet<T>(&self, result: Result<T, LedgerError>) -> Result<T, LedgerError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let fate = self.fates.lock().pop_front();
        match fate {
            None | Some(Fate::Heard | Fate::NoLeader | Fate::Full) => result,
            Some(Fate::Lost) => Err(LedgerError::Unknown { reason: "lost".to_owned() }),
            Some(Fate::Never) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Ledger for LossyLedger {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        self.requests.lock().push(envelope.request_id);
        let fate = self.fates.lock().front().copied();
        let result = match fate {
            Some(Fate::NoLeader) => {
                Err(LedgerError::Unavailable { reason: "no leader is known".to_owned() })
            }
            Some(Fate::Full) => Err(LedgerError::QueueFull { limit: 1 }),
            _ => self.inner.submit(envelope).await,
        };
        self.meet(result).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let result = self.inner.query(query).await;
        self.meet(result).await
    }
}

pub(crate) struct World {
    pub(crate) authority: TestAuthority,
    pub(crate) ledger: Arc<LossyLedger>,
    pub(crate) server: TestServer,
    store: MetaStoreHandle,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let authority = TestAuthority::new();
        let ledger = LossyLedger::new();
        let folder = TempDir::new().expect("a folder");
        let clock = Arc::new(FixedClock(now()));
        let store = MetaStore::open(Options::new(folder.path(), clock)).await.expect("it opens");
        let group = GroupAdmin::new(store.clone());
        let service = MetaService::new(ledger.clone(), group, ORIGIN.to_owned()).into_server();
        let server =
            TestServer::start(authority.server(), |mut server| server.add_service(service));
        Self { authority, ledger, server, store, _folder: folder }
    }

    /// The group that is served: one member alone.
    pub(crate) fn group(&self) -> GroupAdmin {
        GroupAdmin::new(self.store.clone())
    }

    pub(crate) fn channels(&self) -> Channels {
        Channels::new(self.authority.client("gateway-1", Role::System))
    }

    pub(crate) fn remote(&self) -> RemoteLedger {
        self.remote_by(RemoteLedgerOptions::new(vec![self.server.endpoint()], None))
    }

    pub(crate) fn remote_by(&self, options: RemoteLedgerOptions) -> RemoteLedger {
        RemoteLedger::new(options, &self.channels(), Arc::new(CountingEntropy::default()))
            .expect("endpoints")
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().expect("a time")
}

/// Short deadlines, for what never answers.
pub(crate) fn hasty(endpoints: Vec<String>) -> RemoteLedgerOptions {
    RemoteLedgerOptions {
        deadline: Duration::from_millis(600),
        attempt_deadline: Duration::from_millis(200),
        ..RemoteLedgerOptions::new(endpoints, None)
    }
}

/// A command of this request id; `number` names the node.
pub(crate) fn register(request: u8, number: u8) -> Envelope {
    let name = format!("storage-{number}");
    command(
        request,
        Command::RegisterNode {
            node_id: NodeId([number; 16]),
            endpoint: format!("https://{name}:7400"),
            labels: Labels { host: name.clone(), ..Labels::default() },
            name,
            run: RunId([1; 16]),
        },
    )
}

pub(crate) fn command(request: u8, command: Command) -> Envelope {
    Envelope {
        request_id: [request; 16],
        actor: Actor::system(),
        entry_salt: [request; 16],
        command,
    }
}
