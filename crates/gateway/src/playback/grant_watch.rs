use std::{sync::Arc, time::Duration};

use custos_core::{
    EvidenceId, Refusal, Rule, Timestamp,
    law::{Grant, GrantState, Record, RecordKind},
};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::{Gateway, GatewayError};

/// How often the grant of a running stream is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a stream goes on while the ledger does not tell how its grant stands: a ledger that
/// elects a leader must not end every stream.
const UNSEEN_MAX: Duration = Duration::from_secs(10);

/// Ends a stream when its grant is revoked or over (rule R18).
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
        let found = match self.gateway.law_record(RecordKind::Grant, &self.grant).await {
            Ok(found) => found.record,
            Err(error)
                if error.kind().is_retryable() && self.seen.lock().elapsed() < UNSEEN_MAX =>
            {
                debug!(%error, grant = self.grant, "the grant of a stream cannot be looked at");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let Record::Grant(grant) = found else {
            return Err(GatewayError::unexpected("Record of a grant"));
        };
        check(&grant, self.gateway.inner.deps.clock.now(), self.evidence_id)?;
        *self.seen.lock() = Instant::now();
        Ok(())
    }
}

/// The ledger judged the grant when the stream was opened; only what may have ended it since then
/// is judged here.
fn check(grant: &Grant, now: Timestamp, evidence_id: EvidenceId) -> Result<(), Refusal> {
    let id = &grant.id;
    let why = match (grant.state, grant.valid_until) {
        (GrantState::Approved, Some(until)) if until <= now => format!("ended at {until}"),
        (GrantState::Approved, _) => return Ok(()),
        (state, _) => format!("is {state}"),
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
        let check =
            |state, until| check(&grant(state, until), at(10), EvidenceId::from_bytes([7; 16]));
        assert_eq!(check(GrantState::Approved, None), Ok(()));
        // What was used up by this very stream does not end it.
        assert_eq!(check(GrantState::Approved, Some(at(11))), Ok(()));
        for ended in [check(GrantState::Approved, Some(at(10))), check(GrantState::Revoked, None)] {
            let refusal = ended.expect_err("is over");
            assert_eq!((refusal.rule, refusal.field.as_str()), (Rule::R18, "grant"));
        }
    }
}
