use custos_core::{ChunkIndex, VaultId};
use custos_peers::convert::{entries_to_wire, key_from_wire, quarantined_to_wire};
use custos_peers::limits::SHARD_ITEMS_MAX;
use custos_ports::{ShardEntry, ShardStore};
use custos_wire::evidence_id_from_wire;
use custos_wire::internal_v1::{
    Key, ListAllRequest, ListAllResponse, ListQuarantineRequest, ListQuarantineResponse,
    ListRequest, ListResponse,
};
use tonic::Status;

use super::{ShardService, failed, page_items};

impl ShardService {
    pub(super) async fn list_evidence(&self, request: ListRequest) -> Result<ListResponse, Status> {
        let vault = VaultId(request.vault);
        let evidence_id = evidence_id_from_wire(&request.evidence_id)?;
        let after = after(request.after.as_ref())?;
        let disk = self.aim(request.target.as_ref(), Some(vault)).await?;
        let (items, more) = match request.chunk {
            Some(chunk) => {
                let chunk = ChunkIndex(chunk);
                let listed = disk.store.list_chunk(vault, evidence_id, chunk).await;
                first(listed.map_err(failed)?)
            }
            None => {
                let limit = page_items(request.limit);
                let page = disk.store.list(vault, evidence_id, after, limit).await;
                let page = page.map_err(failed)?;
                (page.items, page.more)
            }
        };
        Ok(ListResponse { answerer: self.answerer(&disk), items: entries_to_wire(items), more })
    }

    pub(super) async fn list_disk(
        &self,
        request: ListAllRequest,
    ) -> Result<ListAllResponse, Status> {
        let vault = request.vault.map(VaultId);
        let after = after(request.after.as_ref())?;
        let disk = self.aim(request.target.as_ref(), vault).await?;
        let page = disk.store.list_all(vault, after, page_items(request.limit)).await;
        let page = page.map_err(failed)?;
        Ok(ListAllResponse {
            answerer: self.answerer(&disk),
            items: entries_to_wire(page.items),
            more: page.more,
        })
    }

    pub(super) async fn quarantined(
        &self,
        request: ListQuarantineRequest,
    ) -> Result<ListQuarantineResponse, Status> {
        let disk = self.aim(request.target.as_ref(), None).await?;
        let items = disk.store.quarantine(page_items(request.limit)).await.map_err(failed)?;
        Ok(ListQuarantineResponse { items: quarantined_to_wire(items) })
    }
}

fn after(key: Option<&Key>) -> Result<Option<custos_core::ShardKey>, Status> {
    Ok(key.map(|key| key_from_wire(Some(key))).transpose()?)
}

/// A chunk has few shards on one disk; more than a message holds are cut, and it is said.
fn first(mut items: Vec<ShardEntry>) -> (Vec<ShardEntry>, bool) {
    let more = items.len() > SHARD_ITEMS_MAX;
    items.truncate(SHARD_ITEMS_MAX);
    (items, more)
}
