use std::{collections::BTreeMap, time::Duration};

use custos_core::{MetaId, MetaMember, MetaMemberState, Refusal, Rule};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query, check_retire_meta};
use custos_metastore::{GroupMember, MemberStatus, MetaStoreHandle};
use custos_peers::BackupParts;
use custos_ports::{Ledger, LedgerError};
use custos_wire::internal_v1;
use tokio::time::timeout;
use tracing::info;

use crate::backup::BackupSource;

/// Longest wait for the names of the members: while there is no leader, nobody tells them.
const RECORD_DEADLINE: Duration = Duration::from_millis(1500);

/// The group that keeps the ledger, for those who operate it. Any member does: what only the
/// leader can do is passed on to it.
#[derive(Clone)]
pub struct GroupAdmin {
    store: MetaStoreHandle,
    backups: BackupSource,
}

impl GroupAdmin {
    /// The group that `store` is a member of, which may be its only one.
    #[must_use]
    pub fn new(store: MetaStoreHandle) -> Self {
        Self { backups: BackupSource::new(store.clone()), store }
    }

    /// Every member, in the group or on record, each asked how it is.
    ///
    /// # Errors
    /// When this one is stopped.
    pub async fn members(&self) -> Result<Vec<internal_v1::GroupMember>, LedgerError> {
        let recorded = timeout(RECORD_DEADLINE, self.recorded());
        let (members, recorded) = tokio::join!(self.store.members(), recorded);
        // Who does not know the names shows the members all the same: then it matters most.
        let recorded = recorded.ok().and_then(Result::ok).unwrap_or_default();
        Ok(side_by_side(members?, recorded))
    }

    /// Takes a member out of the group and off the record, as the envelope of a `RetireMeta` says.
    /// Asked again, it finishes what was begun.
    ///
    /// The group first, then the law. The group refuses what would lose the quorum, and can tell
    /// only at the moment of the change itself; a member that the law had retired before, and that
    /// the group then keeps, would count for the quorum and yet not be let in when it starts again.
    /// This way round, what is cut off in the middle leaves a member that is out and still on
    /// record: nothing waits for it, its name and endpoint stay taken, and the same order ends it.
    /// What the law would refuse is refused before.
    ///
    /// # Errors
    /// A refusal of the law or of the group; `Unavailable` and `Unknown` may be tried again.
    pub async fn remove(&self, order: Envelope) -> Result<(), LedgerError> {
        let Command::RetireMeta { id, reason } = &order.command else {
            let reason = "is another than to retire a metadata node";
            return Err(Refusal::invalid(Rule::R14, "command", reason).into());
        };
        let id = *id;
        check_retire_meta(&self.recorded().await?, &order.actor, id, reason)?;
        self.store.remove_member(id).await?;
        match self.store.submit(order).await? {
            Outcome::MetaRetired(member) => {
                info!(%id, name = member.name, "member removed and retired");
                Ok(())
            }
            other => Err(LedgerError::Fault { reason: format!("it answered {other:?}") }),
        }
    }

    /// Makes a member the leader. No command is taken for about a second.
    ///
    /// # Errors
    /// A refusal for one that is not in the group or has no vote; `Unavailable` and `Unknown` may be
    /// tried again.
    pub async fn lead(&self, id: MetaId) -> Result<(), LedgerError> {
        self.store.lead(id).await
    }

    /// A copy of the ledger as it is now, part by part, without the files of which the caller has the
    /// BLAKE3, 32 bytes each.
    ///
    /// # Errors
    /// `Unavailable` when this member is behind, stopped or gives too many already.
    pub async fn backup(&self, have: &[u8]) -> Result<BackupParts, LedgerError> {
        self.backups.begin(have).await
    }

    async fn recorded(&self) -> Result<Vec<MetaMember>, LedgerError> {
        match self.store.query(Query::MetaMembers).await? {
            Answer::MetaMembers(members) => Ok(members),
            _ => {
                let reason = "the answer to a query for the metadata nodes is another".to_owned();
                Err(LedgerError::Fault { reason })
            }
        }
    }
}

/// Who is in the group beside what is on record of it. Who is in neither does not count any more.
fn side_by_side(
    members: Vec<GroupMember>,
    recorded: Vec<MetaMember>,
) -> Vec<internal_v1::GroupMember> {
    let members = members.into_iter().map(|member| (member.id, in_group(member)));
    let mut all: BTreeMap<MetaId, internal_v1::GroupMember> = members.collect();
    for record in recorded {
        if record.state == MetaMemberState::Admitted {
            all.entry(record.id).or_insert_with(|| outside(&record));
        }
        if let Some(member) = all.get_mut(&record.id) {
            member.name = record.name;
            member.state = record.state.name().to_owned();
        }
    }
    all.into_values().collect()
}

fn in_group(member: GroupMember) -> internal_v1::GroupMember {
    let (report, unreachable) = match member.status {
        Ok(status) => (Some(report(&status)), String::new()),
        Err(why) => (None, why),
    };
    internal_v1::GroupMember {
        id: member.id.0,
        endpoint: member.endpoint,
        vote: if member.is_voter { "voter" } else { "learner" }.to_owned(),
        unreachable,
        report,
        ..internal_v1::GroupMember::default()
    }
}

fn outside(record: &MetaMember) -> internal_v1::GroupMember {
    internal_v1::GroupMember {
        id: record.id.0,
        endpoint: record.endpoint.clone(),
        vote: "none".to_owned(),
        ..internal_v1::GroupMember::default()
    }
}

fn report(status: &MemberStatus) -> internal_v1::MemberReport {
    internal_v1::MemberReport {
        role: status.role.name().to_owned(),
        term: status.term,
        leader: status.leader.map_or(0, |id| id.0),
        last_log: status.last_log_index,
        applied: status.applied_index,
        snapshot: status.snapshot_index,
        clock_ms: status.clock.as_millis(),
    }
}

#[cfg(test)]
mod tests {
    use custos_core::Timestamp;

    use super::*;

    fn member(id: u64, is_voter: bool) -> GroupMember {
        GroupMember {
            id: MetaId(id),
            endpoint: format!("https://10.0.0.{id}:7402"),
            is_voter,
            status: Err("connection refused".to_owned()),
        }
    }

    fn record(id: u64, state: MetaMemberState) -> MetaMember {
        MetaMember {
            id: MetaId(id),
            name: format!("meta-{id}"),
            endpoint: format!("https://10.0.0.{id}:7402"),
            token: [0; 16],
            state,
            admitted_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn who_is_in_the_group_or_should_be_is_shown_and_who_is_gone_is_not() {
        use MetaMemberState::{Admitted, Retired};
        let recorded = [(1, Admitted), (2, Retired), (3, Retired), (5, Admitted)];
        let recorded = recorded.map(|(id, state)| record(id, state)).to_vec();
        let members = vec![member(1, true), member(3, true), member(4, false)];
        let all = side_by_side(members, recorded);
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.id, it.name.as_str(), it.vote.as_str(), it.state.as_str()))
            .collect();
        let expected = [
            (1, "meta-1", "voter", "admitted"),
            // A removal that was not finished, from either end.
            (3, "meta-3", "voter", "retired"),
            (4, "", "learner", ""),
            (5, "meta-5", "none", "admitted"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(all[0].unreachable, "connection refused");
        assert_eq!((all[3].endpoint.as_str(), &all[3].report), ("https://10.0.0.5:7402", &None));
    }
}
