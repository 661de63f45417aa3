use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use custos_core::{MetaId, Refusal, Rule};
use custos_ports::{LedgerError, MetaPeer, PeerLane};
use futures::future::join_all;
use openraft::{
    BasicNode, ChangeMembers, RaftMetrics,
    error::{ChangeMembershipError, ClientWriteError, RaftError},
};
use tokio::{
    sync::Mutex,
    time::{self, sleep},
};

use crate::{
    commands::CommandQueue,
    elections::LEADER_LEASE,
    leadership::Leader,
    network::{Answer, Group, MemberChange, MemberStatus, Request},
    raft_types::Raft,
    tasks,
};

/// Entries that a learner may be behind when it gets its vote.
const LAG_ENTRIES_MAX: u64 = 100;
/// Longest wait for one member to say how it is.
const STATUS_DEADLINE: Duration = Duration::from_secs(1);
/// Longest wait for one change to be committed.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest wait for another member to lead after it was asked to.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(3);

type Metrics = RaftMetrics<u64, BasicNode>;

/// A member that was asked something.
pub(crate) struct Asked<T> {
    pub(crate) peer: MetaPeer,
    pub(crate) is_voter: bool,
    /// Its answer, or why there is none.
    pub(crate) said: Result<T, String>,
}

/// Changes of the group, made by the leader, one at a time. What would lose the quorum is refused.
#[derive(Clone)]
pub(crate) struct Members {
    raft: Raft,
    group: Group,
    commands: CommandQueue,
    alone: Arc<Mutex<()>>,
}

impl Members {
    pub(crate) fn new(raft: Raft, group: Group, commands: CommandQueue) -> Self {
        Self { raft, group, commands, alone: Arc::default() }
    }

    /// Makes a change, if this member leads. One that is made already is fine.
    ///
    /// # Errors
    /// `Unavailable` when this member does not lead, or a member is not ready yet; a refusal for
    /// what would lose the quorum; `Unknown` when the change may yet be committed.
    pub(crate) async fn change(&self, change: MemberChange) -> Result<(), LedgerError> {
        let _alone = self.alone.lock().await;
        match change {
            MemberChange::AddLearner { id, endpoint } => self.add_learner(id, endpoint).await,
            MemberChange::Promote(id) => self.promote(id).await,
            MemberChange::Remove(id) => self.remove(id).await,
            MemberChange::Lead(id) => self.lead(id).await,
        }
    }

    async fn add_learner(&self, id: MetaId, endpoint: String) -> Result<(), LedgerError> {
        let metrics = self.leading()?;
        match metrics.membership_config.membership().get_node(&id.0) {
            Some(node) if node.addr == endpoint => return Ok(()),
            Some(node) => {
                let reason = format!(
                    "node {id} is a member at {}: to move it to {endpoint}, remove it and let it \
                     join anew with an empty folder",
                    node.addr
                );
                return Err(Refusal::refused(Rule::I6, "endpoint", reason).into());
            }
            None => {}
        }
        let node = BasicNode { addr: endpoint.clone() };
        self.commit(ChangeMembers::AddNodes(BTreeMap::from([(id.0, node)]))).await?;
        tracing::info!(%id, endpoint, "member added as a learner");
        Ok(())
    }

    async fn promote(&self, id: MetaId) -> Result<(), LedgerError> {
        let metrics = self.leading()?;
        if is_voter(&metrics, id) {
            return Ok(());
        }
        known(&metrics, id)?;
        let last = metrics.last_log_index.unwrap_or(0);
        let replicated = metrics.replication.as_ref().and_then(|all| all.get(&id.0).copied());
        let matching = replicated.flatten().map_or(0, |log_id| log_id.index);
        if matching + LAG_ENTRIES_MAX < last {
            let reason = format!("node {id} is still {} entries behind", last - matching);
            return Err(LedgerError::Unavailable { reason });
        }
        self.commit(ChangeMembers::AddVoterIds(BTreeSet::from([id.0]))).await?;
        tracing::info!(%id, "member has a vote");
        Ok(())
    }

    async fn remove(&self, id: MetaId) -> Result<(), LedgerError> {
        let metrics = self.leading()?;
        if metrics.membership_config.membership().get_node(&id.0).is_none() {
            return Ok(());
        }
        if !is_voter(&metrics, id) {
            return self.commit(ChangeMembers::RemoveNodes(BTreeSet::from([id.0]))).await;
        }
        let rest: BTreeSet<u64> = voters(&metrics).into_iter().filter(|it| *it != id.0).collect();
        if rest.is_empty() {
            let reason = format!("node {id} is the last one with a vote: nobody could decide");
            return Err(Refusal::refused(Rule::I6, "node", reason).into());
        }
        let silent = self.silent(&metrics, &rest).await;
        let quorum = rest.len() / 2 + 1;
        if rest.len() - silent.len() < quorum {
            let names: Vec<String> = silent.iter().map(u64::to_string).collect();
            let reason = format!(
                "without node {id}, {quorum} of the {} others must answer, and node {} does not: \
                 bring it back or remove it first",
                rest.len(),
                names.join(", ")
            );
            return Err(Refusal::refused(Rule::I6, "node", reason).into());
        }
        if id.0 == metrics.id {
            self.hand_over(&metrics, None).await?;
            let reason = "leadership moves before this node is removed".to_owned();
            return Err(LedgerError::Unavailable { reason });
        }
        self.commit(ChangeMembers::RemoveVoters(BTreeSet::from([id.0]))).await?;
        tracing::info!(%id, "member removed");
        Ok(())
    }

    async fn lead(&self, id: MetaId) -> Result<(), LedgerError> {
        let metrics = self.leading()?;
        if id.0 == metrics.id {
            return Ok(());
        }
        if !is_voter(&metrics, id) {
            known(&metrics, id)?;
            let reason = format!("node {id} has no vote yet: only a voter can lead");
            return Err(Refusal::refused(Rule::I6, "node", reason).into());
        }
        self.hand_over(&metrics, Some(id)).await
    }

    /// Before a planned stop: gives the lead to another voter, if there is one that answers.
    pub(crate) async fn leave_lead(&self) -> Result<(), LedgerError> {
        let _alone = self.alone.lock().await;
        let Ok(metrics) = self.leading() else { return Ok(()) };
        if voters(&metrics).len() < 2 {
            return Ok(());
        }
        self.hand_over(&metrics, None).await
    }

    /// Lets `heir`, or the voter that has most of the log, stand for election once the others'
    /// lease on this leader has run out. No command is taken meanwhile.
    async fn hand_over(&self, metrics: &Metrics, heir: Option<MetaId>) -> Result<(), LedgerError> {
        let heir = match heir {
            Some(heir) => heir,
            None => best_heir(metrics).ok_or_else(|| LedgerError::Unavailable {
                reason: "no other voter has the log".to_owned(),
            })?,
        };
        let peer = peer_of(metrics, heir).ok_or_else(|| unknown_member(heir))?;
        let _standstill = Standstill::begin(self);
        self.hand_over_to(&peer).await
    }

    async fn hand_over_to(&self, peer: &MetaPeer) -> Result<(), LedgerError> {
        sleep(LEADER_LEASE + Duration::from_millis(10)).await;
        let unavailable = |reason: String| LedgerError::Unavailable { reason };
        match self.group.ask(peer, PeerLane::Control, &Request::Elect, STATUS_DEADLINE).await {
            Ok(Answer::Elect) => {}
            Ok(_) => return Err(unavailable(format!("{peer:?} cannot stand for election"))),
            Err(fault) => return Err(unavailable(fault.to_string())),
        }
        let moved = tasks::wait_for(self.raft.metrics(), |metrics| {
            matches!(Leader::of(metrics), Leader::Other(_)) || metrics.running_state.is_err()
        });
        match time::timeout(HAND_OVER_TIMEOUT, moved).await {
            Ok(_) => {
                tracing::info!(to = ?peer, "leadership was handed over");
                Ok(())
            }
            Err(_) => Err(unavailable(format!("{peer:?} was not elected in time"))),
        }
    }

    /// Which of these do not answer.
    async fn silent(&self, metrics: &Metrics, ids: &BTreeSet<u64>) -> Vec<u64> {
        let asked = ids.iter().map(|id| async move {
            let answers = *id == metrics.id || self.status(metrics, MetaId(*id)).await.is_ok();
            (!answers).then_some(*id)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// What a member says of itself, or why it does not.
    async fn status(&self, metrics: &Metrics, id: MetaId) -> Result<MemberStatus, String> {
        let peer = peer_of(metrics, id).ok_or_else(|| unknown_member(id).to_string())?;
        match self.group.ask(&peer, PeerLane::Control, &Request::Status, STATUS_DEADLINE).await {
            Ok(Answer::Status(status)) => Ok(status),
            Ok(_) => Err("it answers another question".to_owned()),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// Asks every member how it is; this one's answer is `own`, another's is made by `other`.
    pub(crate) async fn ask_all<T>(
        &self,
        own: impl Fn() -> T,
        other: impl Fn(MemberStatus) -> T,
    ) -> Vec<Asked<T>> {
        let metrics = self.raft.metrics().borrow().clone();
        let (metrics, own, other) = (&metrics, &own, &other);
        let nodes = metrics.membership_config.membership().nodes();
        let asked = nodes.map(|(id, node)| async move {
            let peer = MetaPeer { id: MetaId(*id), endpoint: node.addr.clone() };
            let said = match *id == metrics.id {
                true => Ok(own()),
                false => self.status(metrics, peer.id).await.map(other),
            };
            Asked { is_voter: is_voter(metrics, peer.id), peer, said }
        });
        join_all(asked).await
    }

    fn leading(&self) -> Result<Metrics, LedgerError> {
        let metrics = self.raft.metrics().borrow().clone();
        match Leader::of(&metrics) {
            // One that was taken out leads on until another does, and openraft asserts that it does
            // not change the group meanwhile.
            Leader::Me if peer_of(&metrics, MetaId(metrics.id)).is_none() => {
                let reason = "this node leads, and is no member any more".to_owned();
                Err(LedgerError::Unavailable { reason })
            }
            Leader::Me => Ok(metrics),
            leader => Err(LedgerError::Unavailable { reason: leader.elsewhere() }),
        }
    }

    async fn commit(&self, change: ChangeMembers<u64, BasicNode>) -> Result<(), LedgerError> {
        // A removal of this node that was cut short is finished by the next change, which this node
        // must then not be the one to make.
        let metrics = self.leading()?;
        let groups = metrics.membership_config.membership().get_joint_config();
        if groups.len() > 1 && !groups.last().is_some_and(|last| last.contains(&metrics.id)) {
            self.hand_over(&metrics, None).await?;
            let reason = "leadership moves before the change goes on".to_owned();
            return Err(LedgerError::Unavailable { reason });
        }
        let changed = time::timeout(CHANGE_TIMEOUT, self.raft.change_membership(change, false));
        match changed.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(change_error(&error)),
            Err(_) => {
                let reason = "the change was not committed in time".to_owned();
                Err(LedgerError::Unknown { reason })
            }
        }
    }
}

/// While it lives, this leader takes no command and sends no heartbeat. Whoever asked for the
/// change may go away in the middle of it: then too it ends.
struct Standstill<'a> {
    members: &'a Members,
}

impl<'a> Standstill<'a> {
    fn begin(members: &'a Members) -> Self {
        members.commands.pause();
        members.raft.runtime_config().heartbeat(false);
        Self { members }
    }
}

impl Drop for Standstill<'_> {
    fn drop(&mut self) {
        self.members.raft.runtime_config().heartbeat(true);
        self.members.commands.resume();
    }
}

fn change_error(error: &RaftError<u64, ClientWriteError<u64, BasicNode>>) -> LedgerError {
    let reason = error.to_string();
    match error {
        RaftError::APIError(ClientWriteError::ChangeMembershipError(
            ChangeMembershipError::InProgress(_),
        )) => LedgerError::Unavailable { reason },
        RaftError::APIError(ClientWriteError::ChangeMembershipError(_)) => {
            Refusal::refused(Rule::I6, "node", reason).into()
        }
        // The first step of two may have been taken.
        RaftError::APIError(ClientWriteError::ForwardToLeader(_)) | RaftError::Fatal(_) => {
            LedgerError::Unknown { reason }
        }
    }
}

fn voters(metrics: &Metrics) -> Vec<u64> {
    metrics.membership_config.voter_ids().collect()
}

fn is_voter(metrics: &Metrics, id: MetaId) -> bool {
    metrics.membership_config.voter_ids().any(|voter| voter == id.0)
}

fn known(metrics: &Metrics, id: MetaId) -> Result<(), LedgerError> {
    peer_of(metrics, id).map(drop).ok_or_else(|| unknown_member(id))
}

fn unknown_member(id: MetaId) -> LedgerError {
    let reason = format!("the group has no member {id}");
    Refusal::not_found(Rule::I6, "node", reason).into()
}

fn peer_of(metrics: &Metrics, id: MetaId) -> Option<MetaPeer> {
    let node = metrics.membership_config.membership().get_node(&id.0)?;
    Some(MetaPeer { id, endpoint: node.addr.clone() })
}

/// The other voter that has most of the log.
fn best_heir(metrics: &Metrics) -> Option<MetaId> {
    let replication = metrics.replication.as_ref()?;
    let others = voters(metrics).into_iter().filter(|id| *id != metrics.id);
    let best = others.max_by_key(|id| replication.get(id).copied().flatten().map(|it| it.index))?;
    Some(MetaId(best))
}
