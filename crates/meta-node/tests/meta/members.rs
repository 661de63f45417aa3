use custos_core::{ErrorKind, MetaId, MetaMemberState, Rule};
use custos_ledger::Command;
use custos_ports::{Ledger, LedgerError};
use custos_wire::internal_v1::GroupMember;

use crate::{
    group::{Group, retire, until},
    world::{World, command},
};

fn shown(members: &[GroupMember]) -> Vec<(u64, &str, &str, &str)> {
    members
        .iter()
        .map(|it| (it.id, it.name.as_str(), it.vote.as_str(), it.state.as_str()))
        .collect()
}

fn leaders(members: &[GroupMember]) -> Vec<u64> {
    let leads = |member: &&GroupMember| {
        member.report.as_ref().is_some_and(|report| report.role == "leader")
    };
    members.iter().filter(leads).map(|member| member.id).collect()
}

fn refusal(error: LedgerError) -> custos_core::Refusal {
    match error {
        LedgerError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_member_shows_all_of_them_and_who_is_dead() {
    let mut group = Group::of_three().await;
    for id in 1..=3 {
        let members = group.seen_by(id).await;
        let expected = [1, 2, 3].map(|id| (id, format!("meta-{id}")));
        let named = members.iter().map(|it| (it.id, it.name.clone())).collect::<Vec<_>>();
        assert_eq!(named, expected, "as {id} sees it");
        assert!(members.iter().all(|it| (&*it.vote, &*it.state) == ("voter", "admitted")));
        assert_eq!(leaders(&members).len(), 1, "{members:?}");
        for member in &members {
            let report = member.report.as_ref().expect("it answers");
            assert!(report.applied.is_some() && report.last_log >= report.applied, "{report:?}");
            assert_eq!(report.clock_ms, crate::world::now().as_millis());
        }
    }
    group.kill(2).await;
    let members = group.seen_by(3).await;
    assert_eq!(members[1].report, None);
    assert!(members[1].unreachable.contains(&members[1].endpoint), "{members:?}");
    group.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_shown_without_a_leader_too_though_nobody_knows_their_names() {
    let mut group = Group::of_three().await;
    group.kill(1).await;
    group.kill(2).await;
    let members = until(&group, 3, |members| leaders(members).is_empty()).await;
    let ids: Vec<_> = members.iter().map(|it| (it.id, it.vote.as_str())).collect();
    assert_eq!(ids, [(1, "voter"), (2, "voter"), (3, "voter")]);
    let silent: Vec<_> = members.iter().filter(|it| it.report.is_none()).map(|it| it.id).collect();
    assert_eq!(silent, [1, 2]);
    group.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_a_dead_member_is_removed_over_any_other_and_on_record_once() {
    let mut group = Group::of_three().await;
    group.kill(3).await;
    let before = group.entries(1).await;
    let nameless = group.over(2).remove_member(retire(1, 3, "")).await.expect_err("no reason");
    assert_eq!(refusal(nameless).rule, Rule::R26);
    assert_eq!(group.seen_by(1).await.len(), 3, "what the law refuses changes nothing");

    let order = retire(2, 3, "its machine burnt");
    group.over(2).remove_member(order.clone()).await.expect("removed");
    let expected = [(1, "meta-1", "voter", "admitted"), (2, "meta-2", "voter", "admitted")];
    assert_eq!(shown(&group.seen_by(1).await), expected);
    assert_eq!(group.recorded(2).await[2].state, MetaMemberState::Retired);
    assert_eq!(group.entries(1).await, before + 1);

    group.over(1).remove_member(order).await.expect("the same order again");
    group.over(1).remove_member(retire(3, 3, "once more")).await.expect("another one again");
    assert_eq!(group.entries(1).await, before + 1, "nothing more is on record");
    let never = group.over(1).remove_member(retire(4, 9, "why")).await.expect_err("never was");
    assert_eq!(refusal(never).kind, ErrorKind::NotFound);
    group.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_what_would_lose_the_quorum_is_refused_and_is_not_on_record() {
    let mut group = Group::of_three().await;
    group.kill(3).await;
    let before = group.entries(1).await;
    let error = group.over(1).remove_member(retire(1, 2, "why")).await.expect_err("refused");
    let refusal = refusal(error);
    assert_eq!((refusal.kind, refusal.rule), (ErrorKind::Refused, Rule::I6));
    assert!(refusal.reason.contains("node 3 does not"), "{refusal}");
    assert!(group.recorded(1).await.iter().all(|it| it.state == MetaMemberState::Admitted));
    assert_eq!(group.entries(1).await, before);
    assert!(group.seen_by(2).await.iter().all(|it| it.vote == "voter"));
    group.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_was_cut_off_is_seen_and_finished_by_asking_again() {
    let group = Group::of_three().await;
    // Out of the group, and still on record.
    group.store(1).remove_member(MetaId(3)).await.expect("removed");
    let members = group.seen_by(1).await;
    assert_eq!(shown(&members)[2], (3, "meta-3", "none", "admitted"));
    group.over(1).remove_member(retire(1, 3, "worn out")).await.expect("finished");
    assert_eq!(group.seen_by(2).await.len(), 2);
    assert_eq!(group.recorded(1).await[2].state, MetaMemberState::Retired);

    // Off the record, and still in the group, as only somebody else than this service leaves it.
    let retired = Command::RetireMeta { id: MetaId(2), reason: "worn out".to_owned() };
    group.store(1).submit(command(90, retired)).await.expect("off the record");
    assert_eq!(shown(&group.seen_by(1).await)[1], (2, "meta-2", "voter", "retired"));
    group.over(1).remove_member(retire(2, 2, "worn out")).await.expect("finished");
    assert_eq!(shown(&group.seen_by(1).await), [(1, "meta-1", "voter", "admitted")]);

    let last = group.over(1).remove_member(retire(3, 1, "why")).await.expect_err("the last");
    assert_eq!(refusal(last).rule, Rule::R14);
    group.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_moves_to_whoever_is_named_and_the_leader_itself_can_go() {
    let group = Group::of_three().await;
    for heir in [2, 3] {
        group.over(1).lead_member(MetaId(heir)).await.expect("it leads");
        until(&group, 1, |members| leaders(members) == [heir]).await;
    }
    let error = group.over(1).lead_member(MetaId(9)).await.expect_err("nobody");
    assert_eq!(refusal(error).kind, ErrorKind::NotFound);

    group.over(1).remove_member(retire(1, 3, "moves")).await.expect("it hands over first");
    let members = until(&group, 1, |members| leaders(members).len() == 1).await;
    assert_eq!(shown(&members).iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2]);
    group.end().await;
}

#[tokio::test]
async fn a_ledger_that_is_alone_is_a_group_of_one() {
    let world = World::new().await;
    let members = world.remote().members().await.expect("it answers");
    let [one] = &members[..] else { panic!("{members:?}") };
    assert_eq!((one.id, one.vote.as_str(), one.name.as_str()), (1, "voter", ""));
    assert_eq!(leaders(&members), [1]);
    world.remote().lead_member(MetaId(1)).await.expect("it does already");
}
