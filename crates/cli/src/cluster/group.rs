//! The group that keeps the ledger, as people see it.

use custos_client::{MetaGroup, MetaMember, MetaVote};
use custos_core::{MetaId, MetaMemberState};

use super::{
    NameError,
    trouble::{Severity, Trouble},
};
use crate::{
    table::{Align, Table},
    units,
};

/// A clock that differs from the others' by more than this is wrong: 10 s.
const CLOCK_DIFFERENCE_MS_MAX: u64 = 10_000;

/// The member that is meant: by name, or by id. Whether an id is one, the server judges.
pub(crate) fn find_member(group: &MetaGroup, name: &str) -> Result<MetaId, NameError> {
    let named = || group.members.iter().filter(|member| member.name.as_deref() == Some(name));
    // One that was removed may have had the same name.
    let stays = |member: &&MetaMember| member.state == Some(MetaMemberState::Admitted);
    if let Some(member) = named().find(stays).or_else(|| named().next()) {
        return Ok(member.id);
    }
    let nothing =
        |_| NameError::Nothing { what: "meta node", list: "custos meta ls", name: name.to_owned() };
    name.parse().map(MetaId).map_err(nothing)
}

/// A table of members.
pub(crate) fn meta_table() -> Table {
    Table::new(&[
        ("META", Align::Left),
        ("ID", Align::Right),
        ("ROLE", Align::Left),
        ("BEHIND", Align::Right),
        ("ENDPOINT", Align::Left),
        ("STATE", Align::Left),
    ])
}

/// A row for each member.
pub(crate) fn meta_rows(group: &MetaGroup) -> Vec<Vec<String>> {
    let dash = || "-".to_owned();
    let row = |member: &MetaMember| {
        let endpoint = Some(member.endpoint.clone()).filter(|endpoint| !endpoint.is_empty());
        let role = member.report.as_ref().map(|report| report.role.clone());
        vec![
            member.name.clone().unwrap_or_else(dash),
            member.id.to_string(),
            role.unwrap_or_else(|| member.vote.name().to_owned()),
            group.entries_behind(member).map_or_else(dash, units::grouped),
            endpoint.unwrap_or_else(dash),
            state_of(member),
        ]
    };
    group.members.iter().map(row).collect()
}

fn state_of(member: &MetaMember) -> String {
    match (member.vote, member.state, &member.unreachable) {
        (MetaVote::Absent, ..) => "not in the group".to_owned(),
        (_, Some(MetaMemberState::Retired), _) => "removed, not yet out of the group".to_owned(),
        (_, _, Some(why)) => format!("does not answer: {why}"),
        (_, _, None) => "answers".to_owned(),
    }
}

/// All that is not as it should be with the group.
pub(super) fn troubles(group: &MetaGroup) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    if let Some(why) = &group.unreachable {
        let message = format!("the ledger's group does not say how it is: {why}");
        troubles.push(of_group(Severity::Wrong, "meta-unreachable", message));
    }
    troubles.extend(of_votes(group));
    troubles.extend(of_leader(group));
    for member in &group.members {
        troubles.extend(of_member(group, member));
        troubles.extend(of_clock(group, member));
    }
    troubles
}

/// Whether the group would outlive a loss more than it has.
fn of_votes(group: &MetaGroup) -> Vec<Trouble> {
    let voters = group.voters().count() as u64;
    let answering = group.voters().filter(|member| member.report.is_some()).count() as u64;
    let quorum = voters / 2 + 1;
    let mut troubles = Vec::new();
    let answer = if answering == 1 { "answers" } else { "answer" };
    let says = format!("only {answering} of the {voters} voters of the ledger's group {answer}");
    if voters > 0 && answering < quorum {
        let message = format!("{says}: nothing can be put or read");
        troubles.push(of_group(Severity::Wrong, "meta-no-quorum", message));
    } else if voters > 2 && answering == quorum {
        let message = format!("{says}: if one more fails, nothing can be put or read");
        troubles.push(of_group(Severity::Wrong, "meta-no-redundancy", message));
    }
    if voters == 2 {
        let message = "the ledger's group has 2 voters: if either fails, nothing can be put or \
                       read; let a third join";
        troubles.push(of_group(Severity::Wrong, "meta-even", message.to_owned()));
    } else if voters > 0 && voters.is_multiple_of(2) {
        let (outlives, odd) = (quorum - 2, voters - 1);
        let losses = units::count(outlives, "loss", "losses");
        let message = format!(
            "the ledger's group has {voters} voters and outlives {losses}, as {odd} do: let one \
             more join, or remove one"
        );
        troubles.push(of_group(Severity::Notice, "meta-even", message));
    }
    troubles
}

fn of_leader(group: &MetaGroup) -> Option<Trouble> {
    let mut roles = group.members.iter().filter_map(|it| Some(it.report.as_ref()?.role.as_str()));
    // When nobody answers, that is the trouble.
    let somebody = group.members.iter().any(|member| member.report.is_some());
    (somebody && !roles.any(|role| role == "leader")).then(|| {
        let message = "nobody leads the ledger's group: nothing can be put or read";
        of_group(Severity::Wrong, "meta-no-leader", message.to_owned())
    })
}

fn of_member(group: &MetaGroup, member: &MetaMember) -> Option<Trouble> {
    let id = member.id;
    let (severity, kind, says) = match (member.vote, member.state, &member.unreachable) {
        (MetaVote::Absent, ..) => (
            Severity::Notice,
            "meta-outside",
            format!(
                "is on record and not in the ledger's group: it is joining, or its removal was cut \
                 off, which `custos meta remove {id}` finishes"
            ),
        ),
        (_, Some(MetaMemberState::Retired), _) => (
            Severity::Wrong,
            "meta-outside",
            format!(
                "was removed and is still in the ledger's group: `custos meta remove {id}` \
                 finishes it"
            ),
        ),
        (_, _, Some(why)) => {
            let at = match member.endpoint.as_str() {
                "" => String::new(),
                endpoint => format!("at {endpoint} "),
            };
            (Severity::Wrong, "meta-unreachable", format!("{at}does not answer: {why}"))
        }
        (MetaVote::Learner, _, None) => {
            let behind = group.entries_behind(member).unwrap_or(0);
            let behind = units::count(behind, "entry", "entries");
            (Severity::Notice, "meta-learner", format!("has no vote yet: it is {behind} behind"))
        }
        (MetaVote::Voter, _, None) => return None,
    };
    Some(of(member, severity, kind, &says))
}

/// Whether its clock is with the others'. The ledger's time is the lower median of its voters'
/// clocks: with a wrong one, one less may go wrong.
fn of_clock(group: &MetaGroup, member: &MetaMember) -> Option<Trouble> {
    let clock = |member: &MetaMember| Some(member.report.as_ref()?.clock.as_millis());
    let mut clocks: Vec<i64> = group.members.iter().filter_map(clock).collect();
    clocks.sort_unstable();
    // Of two, nobody knows which one is right: the later one is named, as the group does.
    let median = *clocks.get(clocks.len().checked_sub(1)? / 2)?;
    let own = clock(member)?;
    let difference = own.abs_diff(median);
    if difference <= CLOCK_DIFFERENCE_MS_MAX {
        return None;
    }
    let side = if own > median { "ahead of" } else { "behind" };
    let seconds = units::grouped(difference.div_ceil(1000));
    let says = format!("has a clock that is {seconds} s {side} the others': set it");
    Some(of(member, Severity::Wrong, "meta-clock", &says))
}

fn of_group(severity: Severity, kind: &'static str, message: String) -> Trouble {
    Trouble { severity, kind, node: None, disk_id: None, message }
}

fn of(member: &MetaMember, severity: Severity, kind: &'static str, predicate: &str) -> Trouble {
    let label = member.name.clone().unwrap_or_else(|| member.id.to_string());
    let message = format!("meta node {label} {predicate}");
    Trouble { severity, kind, node: member.name.clone(), disk_id: None, message }
}

#[cfg(test)]
mod tests {
    use custos_client::MetaReport;
    use custos_core::Timestamp;

    use super::{
        Severity::{Notice, Wrong},
        *,
    };

    fn member(number: u64) -> MetaMember {
        let role = if number == 1 { "leader" } else { "follower" };
        MetaMember {
            id: MetaId(number),
            name: Some(format!("meta-{number}")),
            endpoint: format!("https://meta-{number}:7402"),
            vote: MetaVote::Voter,
            state: Some(MetaMemberState::Admitted),
            unreachable: None,
            report: Some(MetaReport {
                role: role.to_owned(),
                term: 3,
                leader: Some(MetaId(1)),
                last_log: Some(1_000),
                applied: Some(1_000),
                snapshot: None,
                clock: Timestamp::from_millis(1_000_000),
            }),
        }
    }

    fn group(voters: u64) -> MetaGroup {
        MetaGroup { members: (1..=voters).map(member).collect(), unreachable: None }
    }

    fn silence(member: &mut MetaMember) {
        member.report = None;
        member.unreachable = Some("connection refused".to_owned());
    }

    fn said(group: &MetaGroup) -> Vec<(Severity, &'static str, String)> {
        let troubles = troubles(group).into_iter();
        troubles.map(|it| (it.severity, it.kind, it.message)).collect()
    }

    #[test]
    fn a_ledger_that_is_alone_and_groups_of_three_and_five_are_well() {
        for voters in [1, 3, 5] {
            assert_eq!(said(&group(voters)), [], "{voters}");
        }
        assert_eq!(said(&MetaGroup::default()), [], "an earlier server says nothing of it");
    }

    #[test]
    fn an_even_group_outlives_no_more_than_one_with_a_member_less() {
        let of_two = "the ledger's group has 2 voters: if either fails, nothing can be put or \
                      read; let a third join";
        assert_eq!(said(&group(2)), [(Wrong, "meta-even", of_two.to_owned())]);
        let of_four = "the ledger's group has 4 voters and outlives 1 loss, as 3 do: let one more \
                       join, or remove one";
        assert_eq!(said(&group(4)), [(Notice, "meta-even", of_four.to_owned())]);
    }

    #[test]
    fn a_group_says_when_it_has_no_member_to_lose_and_when_it_has_lost_too_many() {
        let mut three = group(3);
        silence(&mut three.members[2]);
        let expected = [
            (
                Wrong,
                "meta-no-redundancy",
                "only 2 of the 3 voters of the ledger's group answer: if one more fails, nothing \
                 can be put or read"
                    .to_owned(),
            ),
            (
                Wrong,
                "meta-unreachable",
                "meta node meta-3 at https://meta-3:7402 does not answer: connection refused"
                    .to_owned(),
            ),
        ];
        assert_eq!(said(&three), expected);
        let mut five = group(5);
        silence(&mut five.members[4]);
        let kinds: Vec<_> = said(&five).into_iter().map(|it| it.1).collect();
        assert_eq!(kinds, ["meta-unreachable"], "it can lose one more");

        silence(&mut three.members[0]);
        three.members[1].report.as_mut().expect("answers").role = "candidate".to_owned();
        let all = said(&three);
        assert!(all[0].2.contains("only 1 of the 3 voters of the ledger's group answers: nothing"));
        assert_eq!((all[1].1, all.len()), ("meta-no-leader", 4), "{all:?}");
    }

    #[test]
    fn a_clock_is_wrong_when_it_is_more_than_ten_seconds_from_the_median() {
        let with_clock = |millis: i64| {
            let mut three = group(3);
            let report = three.members[1].report.as_mut().expect("answers");
            report.clock = Timestamp::from_millis(millis);
            three
        };
        for fine in [990_000, 1_010_000] {
            assert_eq!(said(&with_clock(fine)), [], "{fine}");
        }
        for (wrong, says) in [(989_999, "11 s behind"), (1_075_000, "75 s ahead of")] {
            let message =
                format!("meta node meta-2 has a clock that is {says} the others': set it");
            assert_eq!(said(&with_clock(wrong)), [(Wrong, "meta-clock", message)]);
        }
    }

    #[test]
    fn who_joins_and_who_is_half_removed_is_named() {
        let mut group = group(3);
        let mut learner = member(4);
        learner.vote = MetaVote::Learner;
        learner.report.as_mut().expect("answers").applied = Some(400);
        let mut outside = member(5);
        (outside.vote, outside.report) = (MetaVote::Absent, None);
        group.members.extend([learner, outside]);
        group.members[2].state = Some(MetaMemberState::Retired);
        let kinds: Vec<_> = said(&group).into_iter().map(|it| (it.0, it.1)).collect();
        let expected =
            [(Wrong, "meta-outside"), (Notice, "meta-learner"), (Notice, "meta-outside")];
        assert_eq!(kinds, expected);
        assert!(said(&group)[1].2.ends_with("has no vote yet: it is 600 entries behind"));
    }

    #[test]
    fn a_member_is_found_by_name_before_id_and_the_one_that_stays_before_one_that_went() {
        let mut group = group(3);
        group.members[0].name = Some("3".to_owned());
        group.members[1].name = Some("meta-3".to_owned());
        group.members[1].state = Some(MetaMemberState::Retired);
        for (name, id) in [("3", 1), ("meta-3", 3), ("2", 2), ("99", 99)] {
            assert_eq!(find_member(&group, name), Ok(MetaId(id)), "{name}");
        }
        let error = find_member(&group, "meta-9").expect_err("nobody").to_string();
        assert_eq!(error, "no meta node is named \"meta-9\"; `custos meta ls` lists them");
    }

    #[test]
    fn a_group_is_shown_with_its_leader_and_who_is_behind() {
        let mut group = group(3);
        group.members[1].report.as_mut().expect("answers").applied = None;
        silence(&mut group.members[2]);
        group.members[2].name = None;
        let expected = "\
META    ID  ROLE      BEHIND  ENDPOINT             STATE
meta-1   1  leader         0  https://meta-1:7402  answers
meta-2   2  follower   1,000  https://meta-2:7402  answers
-        3  voter          -  https://meta-3:7402  does not answer: connection refused";
        assert_eq!(meta_table().page(&meta_rows(&group)).join("\n"), expected);
    }
}
