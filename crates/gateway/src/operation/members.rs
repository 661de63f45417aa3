use custos_core::{Actor, MetaId};
use custos_ledger::Command;
use custos_wire::internal_v1::GroupMember;
use tracing::info;

use crate::{Gateway, GatewayError};

impl Gateway {
    /// The members of the group that keeps the ledger, each asked how it is; also while none of
    /// them leads.
    ///
    /// # Errors
    /// When no meta node answers.
    pub async fn meta_members(&self) -> Result<Vec<GroupMember>, GatewayError> {
        Ok(self.inner.deps.meta_admin.members().await?)
    }

    /// Takes a member out of the group for good. Asked again, it finishes what was begun.
    ///
    /// # Errors
    /// `NotFound`; what the law refuses, and what would lose the group its quorum.
    pub async fn remove_meta(
        &self,
        actor: &Actor,
        id: MetaId,
        reason: String,
    ) -> Result<(), GatewayError> {
        let order = self.envelope(actor, Command::RetireMeta { id, reason });
        self.inner.deps.meta_admin.remove_member(order).await?;
        info!(actor = %actor.name, %id, "metadata node removed");
        Ok(())
    }

    /// Makes a member of the group its leader.
    ///
    /// # Errors
    /// `NotFound`, and a refusal for one that has no vote.
    pub async fn lead_meta(&self, actor: &Actor, id: MetaId) -> Result<(), GatewayError> {
        self.inner.deps.meta_admin.lead_member(id).await?;
        info!(actor = %actor.name, %id, "metadata node was made the leader");
        Ok(())
    }
}
