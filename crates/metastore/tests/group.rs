//! Several members of a group: what one commits, all have; what is cut off, decides nothing.

mod support;

use std::time::Duration;

use custos_core::{ErrorKind, MetaId, Rule};
use custos_ledger::{Answer, Query};
use custos_metastore::{Beginning, NodeRole, OpenError, Options};
use custos_ports::{Ledger, LedgerError};
use support::{
    fabric::{Group, snapshots},
    has_upload, open_upload,
};

#[tokio::test(flavor = "multi_thread")]
async fn i6_every_member_takes_commands_and_reads_what_another_committed() {
    let group = Group::of_three().await;
    for number in 0..30 {
        let writer = group.member(1 + number % 3);
        writer.submit(open_upload(number)).await.expect("committed");
        let reader = group.member(1 + (number + 1) % 3);
        assert!(has_upload(&reader, number).await, "upload {number} is read at once elsewhere");
    }
    let members = group.member(2).members().await.expect("answers");
    assert_eq!(members.len(), 3);
    assert!(members.iter().all(|member| member.is_voter && member.status.is_ok()), "{members:?}");
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_a_leader_that_is_gone_is_replaced_and_nothing_committed_is_lost() {
    let mut group = Group::of_three().await;
    for number in 0..10 {
        group.member(1).submit(open_upload(number)).await.expect("committed");
    }
    let leader = group.leader().await;
    group.stop(leader).await;
    let other = 1 + leader % 3;
    // Waits for the new leader by itself.
    group.member(other).submit(open_upload(10)).await.expect("committed");
    for number in 0..=10 {
        assert!(has_upload(&group.member(other), number).await, "{number}");
    }
    group.start(leader, Beginning::Founding).await.expect("it comes back");
    group.member(leader).wait_until_current().await.expect("it catches up");
    for number in 0..=10 {
        assert!(has_upload(&group.member(leader), number).await, "{number}");
    }
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_a_leader_that_is_cut_off_answers_no_read_and_commits_nothing() {
    let mut group = Group::of_three().await;
    let leader = group.leader().await;
    let rest: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    group.stop(leader).await;
    let options = group.options(leader, Beginning::Founding);
    let short = Options { request_timeout: Duration::from_millis(1500), ..options };
    group.start_with(leader, short).await.expect("it comes back");
    group.member(leader).wait_until_current().await.expect("current");
    group.member(rest[0]).lead(MetaId(leader)).await.expect("it leads again");

    group.fabric.cut_off(MetaId(leader));
    group.member(rest[0]).submit(open_upload(1)).await.expect("the others go on");
    let cut_off = group.member(leader);
    let read = cut_off.query(Query::Checkpoint).await;
    assert!(matches!(read, Err(LedgerError::Unavailable { .. })), "{read:?}");
    let written = cut_off.submit(open_upload(2)).await;
    let kind = written.as_ref().expect_err("no quorum").kind();
    assert!(matches!(kind, ErrorKind::Unavailable | ErrorKind::Unknown), "{written:?}");

    group.fabric.heal();
    cut_off.wait_until_current().await.expect("it follows");
    assert!(has_upload(&cut_off, 1).await, "what was committed meanwhile");
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_gets_a_snapshot_that_goes_on_after_a_break() {
    let mut group = Group::found().await;
    group.stop(1).await;
    let small = |options| Options { snapshot_entries: 50, snapshot_tail_entries: 0, ..options };
    group.start_with(1, small(group.options(1, Beginning::Founding))).await.expect("it opens");
    for number in 0..200 {
        group.member(1).submit(open_upload(number)).await.expect("committed");
    }
    while snapshots(&group.dir(1)) == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The manifest and one piece pass, then nothing.
    group.fabric.break_after_pieces(2);
    group.start(2, Beginning::Joining).await.expect("it opens");
    group.member(1).add_learner(MetaId(2), Group::endpoint(2)).await.expect("a learner");
    while *group.fabric.pieces.lock() < 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = group.member(2).status().expect("it runs");
    assert_eq!(status.applied_index, None, "nothing arrived yet");
    group.fabric.heal();
    group.member(2).wait_until_current().await.expect("it catches up");
    group.member(1).promote(MetaId(2)).await.expect("a voter");
    for number in 0..200 {
        assert!(has_upload(&group.member(2), number).await, "{number}");
    }
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_what_would_lose_the_quorum_is_refused_with_the_reason() {
    let mut group = Group::of_three().await;
    group.member(1).lead(MetaId(1)).await.expect("leads");
    group.stop(3).await;
    // With 2 removed, 1 and 3 would be left, of which one does not answer.
    let refused = group.member(1).remove_member(MetaId(2)).await.expect_err("refused");
    let LedgerError::Refused(refusal) = refused else { panic!("{refused:?}") };
    assert_eq!((refusal.kind, refusal.rule), (ErrorKind::Refused, Rule::I6));
    assert!(refusal.reason.contains("node 3 does not"), "{refusal}");

    // The dead one goes, and another takes its place.
    group.member(2).remove_member(MetaId(3)).await.expect("removed");
    group.join(4).await;
    group.stop(2).await;
    group.member(4).submit(open_upload(7)).await.expect("a quorum of 1 and 4");
    let members = group.member(4).members().await.expect("answers");
    let ids: Vec<u64> = members.iter().map(|member| member.id.0).collect();
    assert_eq!(ids, [1, 2, 4]);
    let last = group.member(4).remove_member(MetaId(1)).await.expect_err("refused");
    assert_eq!(last.kind(), ErrorKind::Refused);
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_moves_on_request_and_before_a_planned_stop() {
    let mut group = Group::of_three().await;
    for heir in [2, 3, 1] {
        group.member(1).lead(MetaId(heir)).await.expect("handed over");
        assert_eq!(group.leader().await, heir);
    }
    group.member(1).leave_lead().await;
    let status = group.member(1).status().expect("it runs");
    assert_ne!(status.role, NodeRole::Leader);
    group.stop(1).await;
    group.member(2).submit(open_upload(1)).await.expect("at once");
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_that_nobody_waits_for_any_more_leaves_no_leader_that_takes_nothing() {
    let group = Group::of_three().await;
    group.member(1).lead(MetaId(1)).await.expect("leads");
    let leader = group.member(1);
    // The hand-over begins with a pause of the old leader, which is longer than this.
    let given_up = tokio::time::timeout(Duration::from_millis(200), leader.lead(MetaId(2))).await;
    assert!(given_up.is_err(), "it was cut off in the middle");
    leader.lead(MetaId(1)).await.expect("it leads, still or again");
    leader.submit(open_upload(1)).await.expect("it takes commands");
    assert!(has_upload(&group.member(3), 1).await);
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_moved_or_is_of_another_cluster_is_refused() {
    let mut group = Group::of_three().await;
    group.stop(3).await;
    let mut moved = group.options(3, Beginning::Joining);
    let member = moved.group.as_mut().expect("it has one");
    member.endpoint = "https://elsewhere:7401".to_owned();
    let error = group.start_with(3, moved).await.expect_err("refused");
    assert!(matches!(error, OpenError::Moved { .. }), "{error}");

    let mut foreign = group.options(3, Beginning::Joining);
    foreign.group.as_mut().expect("it has one").origin = "custos.test/ffffffff".to_owned();
    foreign.request_timeout = Duration::from_millis(1500);
    group.start_with(3, foreign).await.expect("it opens");
    let error = group.member(3).query(Query::Checkpoint).await.expect_err("nobody hears it");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    group.member(1).submit(open_upload(1)).await.expect("the others go on");
    group.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_members_have_the_same_custody_log() {
    let group = Group::of_three().await;
    for number in 0..20 {
        group.member(1 + number % 3).submit(open_upload(number)).await.expect("committed");
    }
    let mut checkpoints = Vec::new();
    for id in 1..=3 {
        match group.member(id).query(Query::Checkpoint).await.expect("read") {
            Answer::Checkpoint(checkpoint) => checkpoints.push(checkpoint),
            other => panic!("{other:?}"),
        }
    }
    assert!(checkpoints.windows(2).all(|pair| pair[0] == pair[1]), "{checkpoints:?}");
    group.stop_all().await;
}
