use custos_core::{Actor, EvidenceId, VaultId};
use custos_ledger::{Answer, Command, Outcome, Query};
use tracing::debug;

use super::cleanup;
use crate::{Gateway, GatewayError};

impl Gateway {
    /// Gives an open upload up and removes what was stored of it.
    ///
    /// # Errors
    /// What the law refuses, or a ledger that does not answer.
    pub async fn abort_upload(
        &self,
        actor: &Actor,
        evidence_id: EvidenceId,
        reason: &str,
    ) -> Result<(), GatewayError> {
        let vault = match self.query(Query::Upload(evidence_id)).await? {
            Answer::Upload(session) => session.map(|session| session.vault),
            _ => return Err(GatewayError::unexpected("Upload")),
        };
        self.abort(actor, evidence_id, vault, reason).await
    }

    /// An upload that is not open any more has no vault: what was stored of it went before.
    pub(super) async fn abort(
        &self,
        actor: &Actor,
        evidence_id: EvidenceId,
        vault: Option<VaultId>,
        reason: &str,
    ) -> Result<(), GatewayError> {
        let command = Command::AbortUpload { evidence_id, reason: reason.to_owned() };
        match self.submit(actor, command).await? {
            Outcome::Aborted(index) => {
                debug!(evidence = %evidence_id, reason, "upload given up");
                if let Some(vault) = vault {
                    cleanup::spawn_aborted(self.clone(), (vault, evidence_id), index);
                }
                Ok(())
            }
            _ => Err(GatewayError::unexpected("AbortUpload")),
        }
    }
}
