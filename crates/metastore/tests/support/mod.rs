//! What the metastore's tests share: a clock by hand, commands to submit, a store to open.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod fabric;

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use custos_core::{
    Actor, ChunkSize, Descriptor, ErasureProfile, EvidenceId, EvidenceKind, Role, Timestamp,
    UploadKey, VaultId,
};
use custos_ledger::{Answer, Command, Envelope, IncompleteDescriptor, Outcome, Policy, Query};
use custos_metastore::{MetaStore, MetaStoreHandle, Options};
use custos_ports::{Clock, Ledger};

/// A clock that advances one second whenever it is read.
pub(crate) struct StepClock(AtomicI64);

impl StepClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_700_000_000_000)))
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1000, Ordering::Relaxed))
    }
}

pub(crate) fn options(dir: &Path) -> Options {
    Options::new(dir, StepClock::new())
}

pub(crate) async fn open(dir: &Path) -> MetaStoreHandle {
    MetaStore::open(options(dir)).await.expect("the metastore opens")
}

/// Opens, and begins the cluster when it has not begun.
pub(crate) async fn open_begun(dir: &Path) -> MetaStoreHandle {
    let store = open(dir).await;
    let outcome = store.submit(init()).await.expect("the cluster begins");
    assert_eq!(outcome, Outcome::Initialised);
    store
}

fn envelope(number: u64, command: Command) -> Envelope {
    let mut request_id = [0; 16];
    request_id[..8].copy_from_slice(&number.to_be_bytes());
    let actor = Actor { name: "station-1".to_owned(), role: Role::Station, fingerprint: [7; 32] };
    Envelope { request_id, actor, entry_salt: request_id, command }
}

pub(crate) fn init() -> Envelope {
    let policy = Policy {
        incomplete_descriptor: IncompleteDescriptor::AcceptUnfiled,
        retention_days_av: 365,
        retention_days_other: 365,
    };
    let origin = "custos.test/0123abcd".to_owned();
    envelope(u64::MAX, Command::InitCluster { origin, policy })
}

pub(crate) fn evidence_id(number: u64) -> EvidenceId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    EvidenceId::from_parts(Timestamp::from_millis(1_700_000_000_000), random)
}

/// Opens upload `number`.
pub(crate) fn open_upload(number: u64) -> Envelope {
    let mut key = [1; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    envelope(
        number,
        Command::OpenUpload {
            upload_key: UploadKey(key),
            evidence_id: evidence_id(number),
            descriptor: Descriptor::of_kind(EvidenceKind::Video),
            profile: ErasureProfile::P2_1,
            chunk_size: ChunkSize::DEFAULT,
            vault: VaultId(0),
            wrapped_key: vec![9; 64],
        },
    )
}

/// A view of evidence that does not exist: always refused.
pub(crate) fn view_of_nothing(number: u64) -> Envelope {
    envelope(
        number,
        Command::RecordView {
            evidence_id: evidence_id(number),
            start: 0,
            end: 1,
            purpose: Some("a test".to_owned()),
            scope: custos_core::law::GrantScope::View,
            grant: None,
        },
    )
}

pub(crate) async fn has_upload(store: &MetaStoreHandle, number: u64) -> bool {
    match store.query(Query::Upload(evidence_id(number))).await.expect("the query is answered") {
        Answer::Upload(found) => found.is_some(),
        other => panic!("an answer to another query: {other:?}"),
    }
}

/// Entries in the custody log.
pub(crate) async fn log_size(store: &MetaStoreHandle) -> u64 {
    match store.query(Query::Checkpoint).await.expect("the query is answered") {
        Answer::Checkpoint(checkpoint) => checkpoint.size,
        other => panic!("an answer to another query: {other:?}"),
    }
}
