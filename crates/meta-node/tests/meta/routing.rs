//! A ledger of two groups, as the table may one day have it: each is asked for what it keeps.

use std::sync::{Arc, atomic::Ordering};

use async_trait::async_trait;
use custos_core::{ErrorKind, EvidenceId, Refusal, Rule};
use custos_ledger::{
    Answer, Command, Envelope, LedgerGroup, LedgerGroupId, MISROUTED_FIELD, Outcome, Query,
    Routing, ShardRange, VirtualShard,
};
use custos_meta_node::MetaService;
use custos_peers::fakes::TestServer;
use custos_ports::{Ledger, LedgerError};
use parking_lot::Mutex;

use crate::world::{LossyLedger, ORIGIN, World, command};

const CUT: u16 = 512;

/// The system's group: it has a table, and refuses what that gives to others.
struct SystemGroup {
    inner: Arc<LossyLedger>,
    table: Mutex<Routing>,
}

impl SystemGroup {
    fn check(&self, groups: &[LedgerGroupId]) -> Result<(), LedgerError> {
        if groups.contains(&LedgerGroupId(1)) {
            return Ok(());
        }
        Err(Refusal::refused(Rule::I6, MISROUTED_FIELD, "kept by another group").into())
    }
}

#[async_trait]
impl Ledger for SystemGroup {
    async fn submit(&self, envelope: Envelope) -> Result<Outcome, LedgerError> {
        let groups = self.table.lock().groups_of(envelope.command.scope());
        self.check(&groups)?;
        self.inner.submit(envelope).await
    }

    async fn query(&self, query: Query) -> Result<Answer, LedgerError> {
        let groups = self.table.lock().groups_of(query.scope());
        self.check(&groups)?;
        let mut answer = self.inner.query(query).await?;
        if let Answer::Cluster(Some(info)) = &mut answer {
            info.routing = self.table.lock().clone();
        }
        Ok(answer)
    }
}

fn in_shards(wanted: impl Fn(u16) -> bool) -> EvidenceId {
    let mut ids = (0..u8::MAX).map(|number| EvidenceId::from_bytes([number; 16]));
    ids.find(|id| wanted(VirtualShard::of(id.as_bytes()).number())).expect("one of them")
}

#[tokio::test]
async fn every_group_is_asked_for_what_it_keeps_also_when_the_table_has_changed() {
    let world = World::new().await;
    let system =
        Arc::new(SystemGroup { inner: LossyLedger::new(), table: Mutex::new(Routing::single()) });
    let service = MetaService::new(system.clone(), world.group(), ORIGIN.to_owned()).into_server();
    let server =
        TestServer::start(world.authority.server(), |mut server| server.add_service(service));
    let options = custos_peers::RemoteLedgerOptions::new(vec![server.endpoint()], None);
    let remote = world.remote_by(options);
    let (here, there) = (in_shards(|shard| shard < CUT), in_shards(|shard| shard >= CUT));
    let calls = |ledger: &LossyLedger| ledger.calls.load(Ordering::SeqCst);

    remote.query(Query::Cluster).await.expect("answered");
    remote.query(Query::Evidence(there)).await.expect("one group keeps everything");
    assert_eq!((calls(&system.inner), calls(&world.ledger)), (2, 0));

    // The second half goes to the group that `world` is; nobody tells the client.
    let (one, two) = (LedgerGroupId(1), LedgerGroupId(2));
    *system.table.lock() = Routing {
        here: one,
        system: one,
        groups: vec![
            LedgerGroup { id: one, endpoints: Vec::new() },
            LedgerGroup { id: two, endpoints: vec![world.server.endpoint()] },
        ],
        shards: vec![
            ShardRange { first: 0, last: CUT - 1, group: one },
            ShardRange { first: CUT, last: VirtualShard::COUNT - 1, group: two },
        ],
    };
    remote.query(Query::Evidence(there)).await.expect("the table is looked up anew");
    assert_eq!((calls(&system.inner), calls(&world.ledger)), (3, 1));
    let (before, reason) = (calls(&system.inner), "nothing to see".to_owned());
    let abort = Command::AbortUpload { evidence_id: there, reason };
    let refused = remote.submit(command(7, abort)).await.expect_err("there is none");
    let LedgerError::Refused(refusal) = refused else { panic!("{refused}") };
    assert_eq!(refusal.kind, ErrorKind::NotFound, "the other group judged it: {refusal}");
    assert_eq!(world.ledger.requests.lock().len(), 1);
    assert_eq!(calls(&system.inner), before);

    remote.query(Query::Evidence(here)).await.expect("answered");
    assert_eq!((calls(&system.inner), calls(&world.ledger)), (before + 1, 2));
    // A listing of all evidence asks both.
    let everything = Query::ListEvidence { after: None, limit: 10, case: None, recording: None };
    let listed = remote.query(everything).await.expect("answered");
    assert_eq!(listed, Answer::List { items: Vec::new(), resume_after: None });
    assert_eq!((calls(&system.inner), calls(&world.ledger)), (before + 2, 3));
}
