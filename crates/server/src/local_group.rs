use async_trait::async_trait;
use custos_core::MetaId;
use custos_gateway::MetaAdmin;
use custos_ledger::Envelope;
use custos_meta_node::GroupAdmin;
use custos_peers::BackupParts;
use custos_ports::LedgerError;
use custos_wire::internal_v1::GroupMember;

/// Reaches the ledger's group through the member in this process.
pub(crate) struct LocalGroup(pub(crate) GroupAdmin);

#[async_trait]
impl MetaAdmin for LocalGroup {
    async fn members(&self) -> Result<Vec<GroupMember>, LedgerError> {
        self.0.members().await
    }

    async fn remove_member(&self, order: Envelope) -> Result<(), LedgerError> {
        self.0.remove(order).await
    }

    async fn lead_member(&self, id: MetaId) -> Result<(), LedgerError> {
        self.0.lead(id).await
    }

    async fn backup(&self, have: Vec<u8>) -> Result<BackupParts, LedgerError> {
        self.0.backup(&have).await
    }
}
