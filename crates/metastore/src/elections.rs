//! When a member stands for election, instead of openraft's own timer.
//!
//! openraft draws one time-out for the life of a process and looks at it every 1.5 heartbeats. Two
//! members that notice a dead leader together then split the votes, and the one with the shorter
//! log is refused and holds its rival up for another second and a half. So members ask first
//! (a pre-vote; Ongaro, "Consensus: Bridging Theory and Practice", section 9.6): who still hears a
//! leader, and how long is your log? Only a member that a majority would elect stands, and of
//! several the one with the most of the log, then with the highest id. One that was cut off and
//! comes back disturbs nobody, and one that was taken out learns of it here: the others do not know
//! it any more.
//!
//! Nothing here bears on safety: openraft grants votes by its own rules.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::Duration,
};

use custos_core::MetaId;
use custos_ports::{MetaPeer, PeerLane};
use futures::future::join_all;
use openraft::{
    ServerState,
    error::{Fatal, RaftError},
    raft::VoteRequest,
};
use tokio::time::{Instant, sleep};

use crate::{
    fault::Fault,
    network::{Answer, Group, PreVote, Request},
    raft_types::{LogId, Membership, Raft, Vote},
    tasks,
};

/// A follower votes for nobody else so long after it has heard the leader.
pub(crate) const LEADER_LEASE: Duration = Duration::from_millis(800);
/// A follower that hears no leader for so long looks for another one: the lease, and room for a
/// heartbeat that is late. Far longer than an fsync takes.
const SILENCE_MAX: Duration = Duration::from_millis(1000);
/// Time that a candidate gets to be elected.
const CANDIDACY: Duration = Duration::from_millis(500);
/// Time that the better candidate gets to stand. It may be one that cannot reach the others.
const DEFERENCE: Duration = Duration::from_millis(600);
/// Longest wait for a pre-vote.
const PRE_VOTE_DEADLINE: Duration = Duration::from_millis(200);
/// Pause after a pre-vote that had no majority, or went for another member.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// Pause of a member that leads, or has no vote.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// Lets this member stand for election when there is no leader, for as long as it is kept.
pub(crate) struct Elections {
    raft: Raft,
    group: Group,
    fault: Fault,
    began: Instant,
}

/// Where this member stands.
struct View {
    me: u64,
    vote: Vote,
    /// When that vote was given, or its leader last heard.
    vote_at: Option<Instant>,
    last_log: Option<LogId>,
    leads: bool,
    /// The newest that it has, and the newest that is decided.
    membership: Membership,
    decided: Membership,
}

impl Elections {
    pub(crate) fn start(raft: Raft, group: Group, fault: Fault) -> Arc<Self> {
        let elections = Arc::new(Self { raft, group, fault, began: Instant::now() });
        tasks::spawn(keep(Arc::downgrade(&elections)));
        elections
    }

    /// What this member says to one that hears no leader.
    ///
    /// # Errors
    /// When Raft has stopped.
    pub(crate) async fn pre_vote(&self, asker: MetaId) -> Result<PreVote, String> {
        let view = self.view().await.map_err(|error| error.to_string())?;
        Ok(view.pre_vote(Instant::now(), asker))
    }

    /// One look; gives the pause until the next.
    async fn round(&self) -> Result<Duration, Fatal<u64>> {
        let view = self.view().await?;
        if view.leads {
            return Ok(LOOK_PAUSE);
        }
        let due = view.vote_at.map_or(self.began, |at| at + view.patience());
        let now = Instant::now();
        if now < due {
            return Ok(due - now);
        }
        let mut said = vec![(view.me, view.pre_vote(now, MetaId(view.me)))];
        said.extend(self.ask_others(&view).await);
        if was_taken_out(&said, &view.decided) {
            self.fault.raise(format!("node {} was taken out of the ledger's group", view.me));
        }
        if !view.voters().contains(&view.me) {
            return Ok(LOOK_PAUSE);
        }
        let is_overdue = Instant::now() >= due + DEFERENCE;
        if !view.membership.get_joint_config().iter().all(|voters| would_elect(&said, voters))
            || !(is_overdue || is_best(&said))
        {
            return Ok(RETRY_PAUSE);
        }
        tracing::info!(after = ?now.duration_since(due), "no leader is heard, this member stands");
        self.raft.trigger().elect().await?;
        Ok(CANDIDACY)
    }

    async fn ask_others(&self, view: &View) -> Vec<(u64, PreVote)> {
        let asked = view.voters().into_iter().filter(|id| *id != view.me).map(|id| async move {
            let node = view.membership.get_node(&id)?;
            let peer = MetaPeer { id: MetaId(id), endpoint: node.addr.clone() };
            let (lane, request) = (PeerLane::Control, &Request::PreVote);
            match self.group.ask(&peer, lane, request, PRE_VOTE_DEADLINE).await {
                Ok(Answer::PreVote(pre_vote)) => Some((id, pre_vote)),
                Ok(_) | Err(_) => None,
            }
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn view(&self) -> Result<View, Fatal<u64>> {
        let me = self.group.me().0;
        let last_log = self.last_log().await?;
        let view = self.raft.with_raft_state(move |state| View {
            me,
            vote: *state.vote_ref(),
            vote_at: state.vote_last_modified(),
            last_log,
            leads: state.server_state == ServerState::Leader,
            membership: state.membership_state.effective().membership().clone(),
            decided: state.membership_state.committed().membership().clone(),
        });
        view.await
    }

    /// Where this member's log ends. openraft tells it to candidates only, so this asks for the one
    /// vote that is never given: by a candidate without a log, in a term before the first.
    async fn last_log(&self) -> Result<Option<LogId>, Fatal<u64>> {
        match self.raft.vote(VoteRequest::new(Vote::default(), None)).await {
            Ok(answer) => Ok(answer.last_log_id),
            Err(RaftError::Fatal(fatal)) => Err(fatal),
            Err(RaftError::APIError(never)) => match never {},
        }
    }
}

async fn keep(elections: Weak<Elections>) {
    loop {
        let Some(kept) = elections.upgrade() else { return };
        let Ok(pause) = kept.round().await else { return };
        drop(kept);
        sleep(pause).await;
    }
}

impl View {
    fn voters(&self) -> BTreeSet<u64> {
        self.membership.voter_ids().collect()
    }

    /// How long this member keeps still after it has given its vote or heard its leader.
    fn patience(&self) -> Duration {
        if self.vote.committed { SILENCE_MAX } else { CANDIDACY }
    }

    fn pre_vote(&self, now: Instant, asker: MetaId) -> PreVote {
        let knows = |membership: &Membership| membership.get_node(&asker.0).is_some();
        let is_heard = self.vote_at.is_some_and(|at| now <= at + LEADER_LEASE);
        PreVote {
            last_log: self.last_log,
            hears_leader: self.leads || (self.vote.committed && is_heard),
            knows_asker: knows(&self.membership) || knows(&self.decided),
        }
    }
}

/// Whether a majority of `voters` would vote for the first who `said` something.
fn would_elect(said: &[(u64, PreVote)], voters: &BTreeSet<u64>) -> bool {
    let log = said[0].1.last_log;
    let votes = said
        .iter()
        .filter(|(id, it)| voters.contains(id) && !it.hears_leader && it.last_log <= log);
    votes.count() > voters.len() / 2
}

/// Whether a majority of those who decide, by what was `decided` last, do not know the first any
/// more. Its own membership counts for nothing before it was decided: others may never have heard
/// of that.
fn was_taken_out(said: &[(u64, PreVote)], decided: &Membership) -> bool {
    let strangers = |voters: &BTreeSet<u64>| {
        let said = said.iter().filter(|(id, it)| voters.contains(id) && !it.knows_asker);
        said.count() > voters.len() / 2
    };
    decided.get_node(&said[0].0).is_some() && decided.get_joint_config().iter().all(strangers)
}

/// Whether the first is the one whom all of them would choose.
fn is_best(said: &[(u64, PreVote)]) -> bool {
    let rank = |(id, it): &(u64, PreVote)| (it.last_log, *id);
    said.iter().all(|other| rank(other) <= rank(&said[0]))
}

#[cfg(test)]
mod tests {
    use openraft::CommittedLeaderId;

    use super::*;

    fn silent(index: u64) -> PreVote {
        let last_log = Some(LogId::new(CommittedLeaderId::new(1, 1), index));
        PreVote { last_log, hears_leader: false, knows_asker: true }
    }

    #[test]
    fn a_member_that_a_majority_does_not_know_was_taken_out() {
        let group = |ids: &[u64]| {
            let voters: BTreeSet<u64> = ids.iter().copied().collect();
            Membership::new(vec![voters.clone()], voters)
        };
        let stranger = || PreVote { knows_asker: false, ..silent(5) };
        let (one, two, three) = ((1, silent(5)), (2, stranger()), (3, stranger()));
        assert!(was_taken_out(&[one.clone(), two.clone(), three.clone()], &group(&[1, 2, 3])));
        assert!(!was_taken_out(&[one.clone(), two.clone()], &group(&[1, 2, 3])), "one says so");
        assert!(!was_taken_out(&[one, two, three], &group(&[2, 3])), "it never was one");
    }

    #[test]
    fn a_majority_that_hears_no_leader_and_has_no_more_of_the_log_elects() {
        let voters = BTreeSet::from([1, 2, 3]);
        assert!(!would_elect(&[(1, silent(5))], &voters), "alone");
        assert!(would_elect(&[(1, silent(5)), (2, silent(5))], &voters));
        assert!(would_elect(&[(1, silent(5)), (2, silent(4))], &voters));
        assert!(!would_elect(&[(1, silent(5)), (2, silent(6))], &voters), "its log is short");
        let hears = PreVote { hears_leader: true, ..silent(5) };
        assert!(!would_elect(&[(1, silent(5)), (2, hears.clone())], &voters), "there is a leader");
        assert!(would_elect(&[(1, silent(5)), (2, hears), (3, silent(5))], &voters));
        assert!(!would_elect(&[(1, silent(5)), (9, silent(5))], &voters), "one without a vote");
        assert!(would_elect(&[(1, silent(5))], &BTreeSet::from([1])), "the only one");
    }

    #[test]
    fn of_those_who_notice_together_exactly_one_stands() {
        let (one, two, three) = ((1, silent(7)), (2, silent(7)), (3, silent(6)));
        assert!(!is_best(&[one.clone(), two.clone(), three.clone()]));
        assert!(is_best(&[two.clone(), one.clone(), three.clone()]));
        assert!(!is_best(&[three, one, two]));
    }
}
