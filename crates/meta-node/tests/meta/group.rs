//! Members of the ledger's group as processes have them: each with a store of its own, a port for
//! the others and a port for the cluster, all over TLS.

use std::{collections::BTreeMap, net::TcpListener, path::Path, sync::Arc, time::Duration};

use custos_core::{Actor, MetaId, MetaMember, Role};
use custos_ledger::{Answer, Command, Envelope, IncompleteDescriptor, Outcome, Policy, Query};
use custos_meta_node::{GroupAdmin, GroupService, MetaService};
use custos_metastore::{Beginning, GroupOptions, MetaStore, MetaStoreHandle, Options};
use custos_peers::{
    Channels, GroupTransport, RemoteLedger, RemoteLedgerOptions,
    fakes::{TestAuthority, TestServer},
};
use custos_ports::{
    Ledger,
    fakes::{CountingEntropy, FixedClock},
};
use custos_wire::internal_v1::GroupMember;
use tempfile::TempDir;

use crate::world::{ORIGIN, command, now};

pub(crate) struct Group {
    authority: TestAuthority,
    folder: TempDir,
    entropy: Arc<CountingEntropy>,
    members: BTreeMap<u64, Member>,
}

struct Member {
    store: MetaStoreHandle,
    for_members: TestServer,
    for_cluster: TestServer,
}

impl Group {
    /// Three with votes, called meta-1 to meta-3.
    pub(crate) async fn of_three() -> Self {
        let mut group = Self {
            authority: TestAuthority::new(),
            folder: TempDir::new().expect("a folder"),
            entropy: Arc::default(),
            members: BTreeMap::new(),
        };
        group.found().await;
        group.join(2).await;
        group.join(3).await;
        group
    }

    async fn found(&mut self) {
        let endpoint = free_endpoint();
        self.open(1, &endpoint, Beginning::Founding).await;
        let policy = Policy {
            incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
            retention_days_av: 365,
            retention_days_other: 365,
        };
        let begin = Command::InitCluster { origin: ORIGIN.to_owned(), policy };
        self.store(1).submit(command(200, begin)).await.expect("the cluster begins");
        let admit = Command::AdmitMeta { token: [1; 16], name: "meta-1".to_owned(), endpoint };
        let admitted = self.store(1).submit(command(201, admit)).await.expect("on record");
        assert!(matches!(admitted, Outcome::MetaAdmitted(member) if member.id == MetaId(1)));
    }

    async fn join(&mut self, id: u8) {
        let endpoint = free_endpoint();
        let founder = self.members[&1].for_members.endpoint();
        let name = format!("meta-{id}");
        let joined = self.transport().join(&founder, [id; 16], &name, &endpoint).await;
        assert_eq!(joined.expect("taken in").id, MetaId(u64::from(id)));
        self.open(id.into(), &endpoint, Beginning::Joining).await;
        self.store(id.into()).promote(MetaId(id.into())).await.expect("a vote");
    }

    async fn open(&mut self, id: u64, endpoint: &str, beginning: Beginning) {
        let transport = Arc::new(self.transport());
        let dir: &Path = &self.folder.path().join(id.to_string());
        let options = Options {
            node_id: MetaId(id),
            group: Some(GroupOptions::new(ORIGIN, endpoint, transport, beginning)),
            ..Options::new(dir, Arc::new(FixedClock(now())))
        };
        let store = MetaStore::open(options).await.expect("it opens");
        let address = endpoint.trim_start_matches("https://").parse().expect("an address");
        let origin = || ORIGIN.to_owned();
        let service = GroupService::new(store.clone(), origin(), self.entropy.clone());
        let for_members = TestServer::start_at(address, self.authority.server(), |mut server| {
            server.add_service(service.into_server())
        });
        let admin = GroupAdmin::new(store.clone());
        let service = MetaService::new(Arc::new(store.clone()), admin, origin());
        let for_cluster = TestServer::start(self.authority.server(), |mut server| {
            server.add_service(service.into_server())
        });
        self.members.insert(id, Member { store, for_members, for_cluster });
    }

    fn channels(&self) -> Channels {
        Channels::new(self.authority.client("meta", Role::System))
    }

    fn transport(&self) -> GroupTransport {
        GroupTransport::new(self.channels())
    }

    pub(crate) fn store(&self, id: u64) -> &MetaStoreHandle {
        &self.members[&id].store
    }

    /// As a process that is killed: nobody reaches it any more.
    pub(crate) async fn kill(&mut self, id: u64) {
        let Member { store, mut for_members, mut for_cluster } =
            self.members.remove(&id).expect("it runs");
        for_members.kill();
        for_cluster.kill();
        store.shutdown().await;
    }

    /// The cluster's way to the ledger, over this member alone.
    pub(crate) fn over(&self, id: u64) -> RemoteLedger {
        let endpoints = vec![self.members[&id].for_cluster.endpoint()];
        let options = RemoteLedgerOptions::new(endpoints, Some(ORIGIN.to_owned()));
        RemoteLedger::new(options, &self.channels(), self.entropy.clone()).expect("an endpoint")
    }

    /// All members as this one shows them.
    pub(crate) async fn seen_by(&self, id: u64) -> Vec<GroupMember> {
        self.over(id).members().await.expect("it answers")
    }

    /// The members on record.
    pub(crate) async fn recorded(&self, id: u64) -> Vec<MetaMember> {
        match self.store(id).query(Query::MetaMembers).await.expect("an answer") {
            Answer::MetaMembers(members) => members,
            other => panic!("{other:?}"),
        }
    }

    /// Entries in the custody log.
    pub(crate) async fn entries(&self, id: u64) -> u64 {
        match self.store(id).query(Query::Checkpoint).await.expect("an answer") {
            Answer::Checkpoint(checkpoint) => checkpoint.size,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn end(mut self) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.kill(id).await;
        }
    }
}

/// An order of an administrator under this request id.
pub(crate) fn retire(request: u8, id: u64, reason: &str) -> Envelope {
    let order = Command::RetireMeta { id: MetaId(id), reason: reason.to_owned() };
    let actor =
        Actor { name: "administrator".to_owned(), role: Role::Developer, fingerprint: [3; 32] };
    Envelope { actor, ..command(request, order) }
}

/// Waits, looking again and again, until the members are as they should be.
pub(crate) async fn until(
    group: &Group,
    id: u64,
    is_so: impl Fn(&[GroupMember]) -> bool,
) -> Vec<GroupMember> {
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let members = group.seen_by(id).await;
        if is_so(&members) {
            return members;
        }
        assert!(tokio::time::Instant::now() < limit, "{members:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port that is free now, and that no other test takes at once.
fn free_endpoint() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("https://{}", socket.local_addr().expect("an address"))
}
