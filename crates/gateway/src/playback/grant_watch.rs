use std::{sync::Arc, time::Duration};

use custos_core::{
    Actor, ErrorKind, EvidenceId, Refusal, Rule, Timestamp,
    law::{Grant, GrantState, Record, RecordKind},
};
use custos_wire::WireError;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::{Gateway, GatewayError};

/// How often the grant of a running stream is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a stream goes on while the ledger does not tell how its grant stands: a ledger that
/// elects a leader must not end every stream.
const UNSEEN_MAX: Duration = Duration::from_secs(10);

/// Ends a stream when its grant is revoked or over, or when its holder may not see the evidence any
/// more (rules R18, R19).
#[derive(Clone)]
pub struct GrantWatch {
    gateway: Gateway,
    grant: String,
    evidence_id: EvidenceId,
    /// When the ledger last said that the grant is good.
    seen: Arc<Mutex<Instant>>,
}

impl GrantWatch {
    /// Of a grant under which the ledger has just let a stream begin.
    pub(super) fn new(gateway: Gateway, grant: String, evidence_id: EvidenceId) -> Self {
        Self { gateway, grant, evidence_id, seen: Arc::new(Mutex::new(Instant::now())) }
    }

    /// Comes back only when the stream must end, with the reason.
    pub async fn broken(&self) -> GatewayError {
        loop {
            sleep(LOOK_EVERY).await;
            if let Err(error) = self.look().await {
                return error;
            }
        }
    }

    /// Looks once.
    ///
    /// # Errors
    /// A refusal under R18 when the grant allows nothing any more; a ledger that has not answered
    /// for too long.
    pub(super) async fn look(&self) -> Result<(), GatewayError> {
        let (grant, hidden) = match self.standing().await {
            Ok(found) => found,
            Err(error)
                if error.kind().is_retryable() && self.seen.lock().elapsed() < UNSEEN_MAX =>
            {
                debug!(%error, grant = self.grant, "the grant of a stream cannot be looked at");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let now = self.gateway.inner.deps.clock.now();
        check(&grant, hidden.as_deref(), now, self.evidence_id)?;
        *self.seen.lock() = Instant::now();
        Ok(())
    }

    /// The grant, and why its holder may not read of the evidence any more: they may not act, their
    /// clearance does not cover it, it has ended.
    async fn standing(&self) -> Result<(Grant, Option<String>), GatewayError> {
        let system = Actor::system();
        let found = self.gateway.law_record(&system, RecordKind::Grant, &self.grant).await?.record;
        let Record::Grant(grant) = found else {
            return Err(GatewayError::unexpected("Record of a grant"));
        };
        let (name, role) = (grant.holder.clone(), grant.applied.role);
        let holder = Actor { name, role, ..system };
        match self.gateway.evidence(&holder, self.evidence_id).await {
            Ok(_) => Ok((grant, None)),
            Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::NotFound) => {
                let error = WireError::from(error);
                // How far one reaches is not what a grant is judged by.
                let is_reach = error.rule == Some(Rule::R23);
                Ok((grant, (!is_reach).then(|| error.to_string())))
            }
            Err(error) => Err(error),
        }
    }
}

/// The ledger judged the grant when the stream was opened; only what may have ended it since then
/// is judged here.
fn check(
    grant: &Grant,
    hidden: Option<&str>,
    now: Timestamp,
    evidence_id: EvidenceId,
) -> Result<(), Refusal> {
    let id = &grant.id;
    let why = match (grant.state, grant.valid_until, hidden) {
        (GrantState::Approved, Some(until), _) if until <= now => format!("ended at {until}"),
        (GrantState::Approved, _, Some(why)) => {
            format!("is held by {}, who may not see it: {why}", grant.holder)
        }
        (GrantState::Approved, _, None) => return Ok(()),
        (state, ..) => format!("is {state}"),
    };
    let reason = format!("grant {id}, under which {evidence_id} was streamed, {why}");
    Err(Refusal::refused(Rule::R18, "grant", reason))
}

#[cfg(test)]
mod tests {
    use custos_core::{
        Role,
        law::{GrantScope, Sign},
    };

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn grant(state: GrantState, valid_until: Option<Timestamp>) -> Grant {
        let applied =
            Sign { by: "a".to_owned(), role: Role::Officer, at: at(0), reason: "r".to_owned() };
        Grant {
            id: "G1".to_owned(),
            holder: "a".to_owned(),
            outside: None,
            scope: GrantScope::Copy,
            evidence: Vec::new(),
            case: Some("C-1".to_owned()),
            range: None,
            purpose: "p".to_owned(),
            unit: None,
            applied,
            answer_due: at(0),
            state,
            decided: None,
            revoked: None,
            valid_until,
            uses_max: 1,
            uses: 1,
        }
    }

    #[test]
    fn r18_a_stream_ends_when_its_grant_is_revoked_or_over() {
        let evidence = EvidenceId::from_bytes([7; 16]);
        let check = |state, until, hidden| check(&grant(state, until), hidden, at(10), evidence);
        assert_eq!(check(GrantState::Approved, None, None), Ok(()));
        // What was used up by this very stream does not end it.
        assert_eq!(check(GrantState::Approved, Some(at(11)), None), Ok(()));
        for ended in [
            check(GrantState::Approved, Some(at(10)), None),
            check(GrantState::Revoked, None, None),
            check(GrantState::Approved, None, Some("R19: above the clearance")),
        ] {
            let refusal = ended.expect_err("is over");
            assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::R18, "grant"));
        }
    }
}
