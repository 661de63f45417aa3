use custos_core::{Actor, LogIndex};
use custos_ledger::{Command, Outcome};
use custos_peers::BackupParts;
use tracing::info;

use crate::{Gateway, GatewayError};

impl Gateway {
    /// Enters in the custody log that `actor` takes a backup of the ledger, and begins to give it,
    /// without the files of which the caller has the BLAKE3, 32 bytes each.
    ///
    /// # Errors
    /// What the law refuses; `Unavailable` when no meta node can give one.
    pub async fn begin_backup(
        &self,
        actor: &Actor,
        have: Vec<u8>,
    ) -> Result<(LogIndex, BackupParts), GatewayError> {
        let order = self.envelope(actor, Command::RecordBackup);
        let recorded_at = match self.inner.deps.ledger.submit(order).await? {
            Outcome::BackupRecorded(index) => index,
            _ => return Err(GatewayError::unexpected("RecordBackup")),
        };
        let parts = self.inner.deps.meta_admin.backup(have).await?;
        info!(actor = %actor.name, entry = %recorded_at, "a backup of the ledger begins");
        Ok((recorded_at, parts))
    }
}
