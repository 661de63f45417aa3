use std::{sync::atomic::Ordering, time::Duration};

use custos_core::{Epoch, ErrorKind, Rule};
use custos_ledger::{Answer, Command, Outcome, Query};
use custos_meta_node::MetaService;
use custos_peers::{RemoteLedgerOptions, fakes::TestServer};
use custos_ports::{Ledger, LedgerError};

use crate::world::{Fate, ORIGIN, World, command, hasty, register};

#[tokio::test]
async fn commands_and_reads_over_the_network_do_what_the_law_says() {
    let world = World::new().await;
    let remote = world.remote();
    let outcome = remote.submit(register(1, 1)).await.expect("registered");
    let Outcome::MapChanged(epoch) = outcome else { panic!("{outcome:?}") };
    let newer_than = Epoch(0);
    let answer = remote.query(Query::ClusterMap { newer_than }).await.expect("a map");
    let Answer::ClusterMap(Some(map)) = answer else { panic!("{answer:?}") };
    assert_eq!((map.epoch, map.nodes[0].name.as_str()), (epoch, "storage-1"));
    let log = |query| async { remote.query(query).await.expect("an answer") };
    let same = |query| async { world.ledger.query(query).await.expect("an answer") };
    assert_eq!(log(Query::Checkpoint).await, same(Query::Checkpoint).await);
    assert_eq!(log(Query::Cluster).await, same(Query::Cluster).await);
}

#[tokio::test]
async fn a_refusal_keeps_its_kind_rule_field_and_words() {
    let world = World::new().await;
    let nameless = |mut envelope: custos_ledger::Envelope| {
        if let Command::RegisterNode { name, .. } = &mut envelope.command {
            name.clear();
        }
        envelope
    };
    let here = world.ledger.submit(nameless(register(1, 1))).await.expect_err("no name");
    let there = world.remote().submit(nameless(register(1, 1))).await.expect_err("no name");
    let (LedgerError::Refused(here), LedgerError::Refused(there)) = (&here, &there) else {
        panic!("{here:?} {there:?}");
    };
    assert_eq!(here, there);
    assert_eq!(there.field, "name");
}

#[tokio::test]
async fn i6_a_command_whose_answer_is_lost_is_asked_again_under_the_same_name_and_done_once() {
    let world = World::new().await;
    world.ledger.fates.lock().extend([Fate::Lost, Fate::NoLeader, Fate::Lost]);
    let outcome = world.remote().submit(register(9, 1)).await.expect("known in the end");
    assert_eq!(outcome, Outcome::MapChanged(Epoch(1)));
    assert_eq!(*world.ledger.requests.lock(), [[9; 16]; 4]);
}

#[tokio::test]
async fn i6_a_command_that_was_perhaps_taken_is_unknown_and_never_failed() {
    let world = World::new().await;
    let remote = world.remote_by(hasty(vec![world.server.endpoint()]));
    world.ledger.fates.lock().extend([Fate::Never; 99]);
    let error = remote.submit(register(1, 1)).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    assert!(world.ledger.calls.load(Ordering::SeqCst) > 1, "asked again within the deadline");
    let error = remote.query(Query::Checkpoint).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "a read changes nothing: {error}");
}

#[tokio::test]
async fn a_ledger_that_nobody_reaches_is_unavailable_and_its_endpoints_are_named() {
    let mut world = World::new().await;
    let endpoint = world.server.endpoint();
    world.server.kill();
    let remote = world.remote_by(hasty(vec![endpoint.clone()]));
    let error = remote.submit(register(1, 1)).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[tokio::test]
async fn a_command_that_may_be_done_is_not_reported_as_shed() {
    let world = World::new().await;
    let remote = world.remote_by(hasty(vec![world.server.endpoint()]));
    world.ledger.fates.lock().push_back(Fate::Full);
    let error = remote.submit(register(1, 1)).await.expect_err("shed");
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    let fates = std::iter::once(Fate::Lost).chain(std::iter::repeat_n(Fate::Full, 1000));
    world.ledger.fates.lock().extend(fates);
    let error = remote.submit(register(2, 2)).await.expect_err("nobody says");
    assert_eq!(error.kind(), ErrorKind::Unknown, "the first attempt did it: {error}");
}

#[tokio::test]
async fn the_next_meta_node_is_asked_when_one_is_away_or_has_no_leader() {
    let world = World::new().await;
    let other = World::new().await;
    let away = {
        let mut server = TestServer::start(world.authority.server(), |mut server| {
            server.add_service(
                MetaService::new(other.ledger.clone(), other.group(), ORIGIN.to_owned())
                    .into_server(),
            )
        });
        server.kill();
        server.endpoint()
    };
    let options = RemoteLedgerOptions {
        deadline: Duration::from_secs(30),
        ..RemoteLedgerOptions::new(vec![away, world.server.endpoint()], None)
    };
    let remote = world.remote_by(options);
    remote.submit(register(1, 1)).await.expect("the second serves");
    world.ledger.fates.lock().push_back(Fate::NoLeader);
    remote.submit(register(2, 2)).await.expect("asked again");
}

#[tokio::test]
async fn a_caller_of_another_cluster_is_refused_and_both_clusters_are_named() {
    let world = World::new().await;
    let endpoints = vec![world.server.endpoint()];
    let origin = Some("custos.elsewhere/1".to_owned());
    let stranger = world.remote_by(RemoteLedgerOptions::new(endpoints, origin));
    let error = stranger.submit(register(1, 1)).await.expect_err("refused");
    let LedgerError::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::R14, "origin"));
    let text = error.to_string();
    assert!(text.contains(ORIGIN) && text.contains("custos.elsewhere/1"), "{text}");
    assert!(stranger.query(Query::Checkpoint).await.is_err());
    assert_eq!(world.ledger.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_caller_that_has_learnt_its_cluster_follows_its_endpoint_to_no_other() {
    let mut world = World::new().await;
    let remote = world.remote_by(hasty(vec![world.server.endpoint()]));
    remote.query(Query::Cluster).await.expect("learnt");
    let address = world.server.address();
    world.server.kill();
    let elsewhere =
        MetaService::new(world.ledger.clone(), world.group(), "custos.elsewhere/1".to_owned());
    let tls = world.authority.server();
    world.server = TestServer::start_at(address, tls, |mut server| {
        server.add_service(elsewhere.into_server())
    });
    let error = loop {
        match remote.submit(register(1, 1)).await.expect_err("not ours") {
            // The connection is still being made again.
            LedgerError::Unavailable { .. } | LedgerError::Unknown { .. } => {}
            error => break error,
        }
    };
    assert!(error.to_string().contains("belongs to cluster custos.elsewhere/1"), "{error}");
}

#[tokio::test]
async fn i10_a_command_that_is_too_long_never_leaves() {
    let world = World::new().await;
    let reason = "x".repeat(100_000);
    let disk_id = custos_core::DiskId([1; 16]);
    let long = command(1, Command::RemoveDisk { disk_id, reason });
    let error = world.remote().submit(long).await.expect_err("too long");
    let LedgerError::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::I10, "command"));
    assert_eq!(world.ledger.calls.load(Ordering::SeqCst), 0);
}
