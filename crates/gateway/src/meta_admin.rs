use async_trait::async_trait;
use custos_core::MetaId;
use custos_ledger::Envelope;
use custos_peers::{BackupParts, RemoteLedger};
use custos_ports::LedgerError;
use custos_wire::internal_v1::GroupMember;

/// Reaches the group that keeps the ledger for its administrators: over the network, or in this
/// process. Every call ends within a deadline of its own.
#[async_trait]
pub trait MetaAdmin: Send + Sync {
    /// The members, each asked how it is; also while none of them leads.
    ///
    /// # Errors
    /// When no meta node answers.
    async fn members(&self) -> Result<Vec<GroupMember>, LedgerError>;

    /// Takes a member out of the group and off the record, as the envelope of a `RetireMeta` says.
    /// Asked again, it finishes what was begun.
    ///
    /// # Errors
    /// A refusal of the law or of the group; `Unavailable` and `Unknown` may be tried again.
    async fn remove_member(&self, order: Envelope) -> Result<(), LedgerError>;

    /// Makes a member with a vote the leader.
    ///
    /// # Errors
    /// As [`remove_member`](Self::remove_member).
    async fn lead_member(&self, id: MetaId) -> Result<(), LedgerError>;

    /// A copy of the ledger as it is now, part by part, without the files of which the caller has the
    /// BLAKE3, 32 bytes each. It lasts as long as it takes.
    ///
    /// # Errors
    /// When no meta node can give one.
    async fn backup(&self, have: Vec<u8>) -> Result<BackupParts, LedgerError>;
}

/// Over the network: one meta node after the other is asked.
#[async_trait]
impl MetaAdmin for RemoteLedger {
    async fn members(&self) -> Result<Vec<GroupMember>, LedgerError> {
        self.members().await
    }

    async fn remove_member(&self, order: Envelope) -> Result<(), LedgerError> {
        self.remove_member(order).await
    }

    async fn lead_member(&self, id: MetaId) -> Result<(), LedgerError> {
        self.lead_member(id).await
    }

    async fn backup(&self, have: Vec<u8>) -> Result<BackupParts, LedgerError> {
        self.backup(have).await
    }
}
