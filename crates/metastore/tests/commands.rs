//! Commands and queries through the port: answered once each, in batches, refusals as refusals.

mod support;

use custos_core::{ErrorKind, MetaId, Rule};
use custos_ledger::Outcome;
use custos_metastore::{MetaStore, NodeRole, Options};
use custos_ports::{Ledger, LedgerError};
use futures::future::join_all;
use support::{
    StepClock, has_upload, init, log_size, open, open_begun, open_upload, view_of_nothing,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_concurrent_commands_are_answered_once_each_in_fewer_raft_entries() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    let entries_before = store.status().expect("running").last_log_index.expect("entries");
    let log_before = log_size(&store).await;

    let answers = join_all((0..200).map(|number| store.submit(open_upload(number)))).await;
    for (number, answer) in (0..).zip(answers) {
        match answer.expect("the upload opens") {
            Outcome::UploadOpen(session) => {
                assert_eq!(session.evidence_id, support::evidence_id(number), "own answer");
            }
            other => panic!("upload {number}: {other:?}"),
        }
    }

    assert_eq!(log_size(&store).await, log_before + 200, "each took effect once");
    let entries_after = store.status().expect("running").last_log_index.expect("entries");
    let entries = entries_after - entries_before;
    assert!((1..200).contains(&entries), "200 commands in {entries} raft entries");
    store.shutdown().await;
}

#[tokio::test]
async fn a_refused_command_comes_back_with_its_rule_and_field() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open(dir.path()).await;
    let too_early = store.submit(open_upload(1)).await.expect_err("no cluster yet");
    let LedgerError::Refused(refusal) = &too_early else { panic!("{too_early:?}") };
    assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::R10, "cluster"));

    store.submit(init()).await.expect("the cluster begins");
    let nothing = store.submit(view_of_nothing(1)).await.expect_err("nothing to view");
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
    let LedgerError::Refused(refusal) = &nothing else { panic!("{nothing:?}") };
    assert_eq!(refusal.field, "evidence_id");
    // The attempt itself is on the custody log.
    assert_eq!(log_size(&store).await, 2);
    store.shutdown().await;
}

#[tokio::test]
async fn a_command_over_the_size_limit_is_refused_before_the_log() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    let entries = store.status().expect("running").last_log_index;
    let mut envelope = open_upload(1);
    envelope.actor.name = "x".repeat(custos_core::limits::COMMAND_BYTES_MAX);
    let error = store.submit(envelope).await.expect_err("too large");
    let LedgerError::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.rule, refusal.kind), (Rule::I10, ErrorKind::Invalid));
    log_size(&store).await;
    assert_eq!(store.status().expect("running").last_log_index, entries);
    store.shutdown().await;
}

// One thread: all submitters queue before the batcher runs once.
#[tokio::test]
async fn i10_commands_over_the_queue_limit_are_shed_as_exhausted() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let options = Options { queue_items_max: 8, ..support::options(dir.path()) };
    let store = MetaStore::open(options).await.expect("opens");
    store.submit(init()).await.expect("the cluster begins");

    let answers = join_all((0..100).map(|number| store.submit(open_upload(number)))).await;
    let (done, shed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), shed.len()), (8, 92));
    for error in shed.into_iter().map(|answer| answer.expect_err("shed")) {
        assert!(matches!(error, LedgerError::QueueFull { limit: 8 }), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Exhausted);
    }
    assert!(!has_upload(&store, 99).await, "what was shed had no effect");
    store.shutdown().await;
}

// One thread: the submitter leaves before the batcher runs once.
#[tokio::test]
async fn a_command_whose_caller_left_before_its_turn_has_no_effect() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    let mut left = Box::pin(store.submit(open_upload(1)));
    assert!(futures::poll!(&mut left).is_pending(), "it waits in the queue");
    drop(left);
    store.submit(open_upload(2)).await.expect("the upload opens");
    assert!(!has_upload(&store, 1).await);
    store.shutdown().await;
}

#[tokio::test]
async fn i6_a_query_sees_every_command_acknowledged_before_it() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    for number in 0..50 {
        store.submit(open_upload(number)).await.expect("the upload opens");
        assert!(has_upload(&store, number).await, "upload {number}");
    }
    store.shutdown().await;
}

#[tokio::test]
async fn a_single_node_leads_itself_and_says_so() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let options = Options { node_id: MetaId(7), ..Options::new(dir.path(), StepClock::new()) };
    let store = MetaStore::open(options).await.expect("opens");
    let status = store.status().expect("running");
    assert_eq!(status.node_id, MetaId(7));
    assert_eq!((status.role, status.leader), (NodeRole::Leader, Some(MetaId(7))));
    assert_eq!(status.voters, [MetaId(7)]);
    store.shutdown().await;
}

#[tokio::test]
async fn a_stopped_store_answers_unavailable_and_stops_twice() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let store = open_begun(dir.path()).await;
    store.shutdown().await;
    store.shutdown().await;
    assert_eq!(store.status(), None);
    let error = store.submit(open_upload(1)).await.expect_err("stopped");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}
