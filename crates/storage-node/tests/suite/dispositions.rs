//! I3, I8: shards of sealed evidence go by an order of the ledger alone, which the node looks up for
//! itself, and not before the record on its own disk says so by its own clock.

use custos_core::law::{
    ApproveDisposition, Classification, ConfirmClock, LawCommand, OrderDisposition, Person,
    ProposeDisposition, Record, SetPerson, SetUnit, Unit,
};
use custos_core::{
    Actor, Blake3Hash, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, LogIndex,
    Role, Salt, SealedParts, Sha256Hash, ShardWrite, Timestamp, UploadKey, VaultId,
};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_ports::fakes::MemoryLedger;
use custos_ports::{Ledger, RemovalOrder, RemovalReason, ShardError, ShardStore};
use custos_storage_node::StorageNodeHandle;

use crate::rig::{Rig, now, shard_of, store};

/// Retention and grace are over after that.
const RETENTION_DAYS: u32 = 366;
const GRACE_DAYS: u32 = 8;

/// Gives commands to a ledger, each under a request id of its own.
struct Clerk<'a> {
    ledger: &'a MemoryLedger,
    requests: u8,
}

impl<'a> Clerk<'a> {
    fn new(ledger: &'a MemoryLedger) -> Self {
        Self { ledger, requests: 0 }
    }

    async fn submit(&mut self, actor: &Actor, command: Command) -> Outcome {
        self.requests += 1;
        let request_id = [self.requests; 16];
        let envelope = Envelope { request_id, actor: actor.clone(), entry_salt: [0; 16], command };
        self.ledger.submit(envelope).await.expect("the law takes it")
    }

    async fn act(&mut self, actor: &Actor, command: impl Into<LawCommand>) -> Option<Record> {
        match self.submit(actor, Command::Law(Box::new(command.into()))).await {
            Outcome::LawDone { record, .. } => record.map(|it| it.record),
            other => panic!("{other:?}"),
        }
    }

    /// Evidence that is sealed.
    async fn seal(&mut self, evidence_id: EvidenceId) {
        let open = Command::OpenUpload {
            upload_key: UploadKey([evidence_id.as_bytes()[0]; 32]),
            evidence_id,
            descriptor: Descriptor::of_kind(EvidenceKind::Video),
            profile: ErasureProfile::P2_1,
            chunk_size: ChunkSize::DEFAULT,
            vault: VaultId(0),
            wrapped_key: vec![0x5a; 60],
        };
        self.submit(&developer(), open).await;
        let parts = SealedParts {
            size: 10,
            blake3: Blake3Hash([1; 32]),
            sha256: Sha256Hash([2; 32]),
            head_salt: Some(Salt([0x4e; 16])),
            missing_shards: 0,
        };
        self.submit(&developer(), Command::Seal { evidence_id, parts }).await;
    }

    /// People who agree with the developer.
    async fn register(&mut self) {
        let unit = Unit { id: "city".into(), title: "City".into(), parent: None, active: true };
        self.act(&developer(), SetUnit { unit }).await;
        for (id, role) in [("head", Role::UnitHead), ("auditor", Role::Auditor)] {
            let person = Person {
                id: id.to_owned(),
                title: None,
                role,
                unit: "city".to_owned(),
                certificate_no: None,
                clearance: Classification::Ordinary,
                active: true,
            };
            self.act(&developer(), SetPerson { person }).await;
        }
    }

    /// Moves cluster time on, and has it confirmed.
    async fn wait(&mut self, until: Timestamp) {
        self.ledger.set_time(until);
        self.submit(&Actor::system(), Command::KeepTime).await;
        for who in [developer(), actor("auditor", Role::Auditor)] {
            self.act(&who, ConfirmClock { reason: "looked at another clock".to_owned() }).await;
        }
    }

    /// Has the end of evidence proposed, agreed to and ordered; gives the entry of the order.
    async fn order(&mut self, evidence_id: EvidenceId) -> LogIndex {
        let reason = || "the retention is over".to_owned();
        let propose = ProposeDisposition { evidence: vec![evidence_id], reason: reason() };
        let Some(Record::Disposition(it)) = self.act(&developer(), propose).await else {
            panic!("no disposition");
        };
        for who in [actor("head", Role::UnitHead), actor("auditor", Role::Auditor)] {
            let approve = ApproveDisposition { disposition: it.id.clone(), reason: reason() };
            self.act(&who, approve).await;
        }
        self.wait(now().plus_days(RETENTION_DAYS + GRACE_DAYS)).await;
        self.act(&Actor::system(), OrderDisposition { disposition: it.id }).await;
        let query = Query::Checkpoint;
        let Ok(Answer::Checkpoint(checkpoint)) = self.ledger.query(query).await else {
            panic!("no checkpoint");
        };
        LogIndex(checkpoint.size - 1)
    }
}

fn actor(name: &str, role: Role) -> Actor {
    Actor { name: name.to_owned(), role, fingerprint: [7; 32] }
}

fn developer() -> Actor {
    actor("dev", Role::Developer)
}

fn evidence() -> EvidenceId {
    EvidenceId::from_bytes([2; 16])
}

/// A shard that this disk keeps for as long as the evidence is.
async fn kept_shard(store: &dyn ShardStore) -> ShardWrite {
    let write = ShardWrite {
        retain_until: now().plus_days(RETENTION_DAYS - 1),
        ..shard_of(evidence(), 0, 1000)
    };
    store.write(write.clone()).await.expect("written");
    write
}

async fn refused(store: &dyn ShardStore, write: &ShardWrite, index: LogIndex) -> String {
    let order = RemovalOrder { reason: RemovalReason::Disposition, ledger_index: index };
    match store.remove(&[write.key], order).await {
        Err(ShardError::NotOrdered { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

async fn three_disks(rig: &Rig) -> StorageNodeHandle {
    let node = rig.start("a", 3).await;
    rig.create_vault(node.stores().iter().map(|(id, _)| *id).collect()).await;
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn i8_shards_end_by_an_order_that_stands_and_not_before_the_disk_says_so_itself() {
    let rig = Rig::new();
    let node = three_disks(&rig).await;
    let store = store(&node, 0).1;
    let mut clerk = Clerk::new(&rig.ledger.law);
    clerk.register().await;
    clerk.seal(evidence()).await;
    clerk.seal(EvidenceId::from_bytes([3; 16])).await;
    let write = kept_shard(&*store).await;

    clerk.wait(now().plus_days(RETENTION_DAYS)).await;
    let ordered = clerk.order(evidence()).await;
    // The disposition's own entry is about no evidence.
    let reason = refused(&*store, &write, LogIndex(ordered.0 - 1)).await;
    assert!(reason.contains("is not about"), "{reason}");
    // The ledger may say what it likes: by this machine's clock it is too early.
    let reason = refused(&*store, &write, ordered).await;
    assert!(reason.contains("this disk keeps it until"), "{reason}");
    store.read(&write.key, None).await.expect("it is still there");

    rig.clock.set(now().plus_days(RETENTION_DAYS));
    let order = RemovalOrder { reason: RemovalReason::Disposition, ledger_index: ordered };
    store.remove(&[write.key], order).await.expect("removed");
    assert!(matches!(store.read(&write.key, None).await, Err(ShardError::NotFound { .. })));
    // Given again, as after a crash, it harms nothing.
    store.remove(&[write.key], order).await.expect("nothing is left to remove");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i8_an_order_out_of_a_forged_ledger_moves_no_node() {
    let rig = Rig::new();
    let node = three_disks(&rig).await;
    let store = store(&node, 0).1;
    rig.clock.set(now().plus_days(RETENTION_DAYS + GRACE_DAYS));
    let mut clerk = Clerk::new(&rig.ledger.law);
    clerk.seal(evidence()).await;
    let write = kept_shard(&*store).await;

    // In the gateway's place: a ledger of its own, in which everything was agreed to.
    let forged = MemoryLedger::new(now());
    let mut forger = Clerk::new(&forged);
    forger.register().await;
    forger.seal(evidence()).await;
    forger.wait(now().plus_days(RETENTION_DAYS)).await;
    let ordered = forger.order(evidence()).await;
    let reason = refused(&*store, &write, ordered).await;
    assert!(reason.contains("custody log has no entry"), "{reason}");
    // Also where the true log has grown as long.
    for number in 0..=u8::try_from(ordered.0).expect("few entries") {
        clerk.seal(EvidenceId::from_bytes([100 + number; 16])).await;
    }
    let reason = refused(&*store, &write, ordered).await;
    assert!(reason.contains("not disposition-ordered"), "{reason}");
    store.read(&write.key, None).await.expect("it is still there");
    node.shutdown().await;
}
