//! The gRPC face of the node: `custos.internal.v1.Shard`. Only for holders of certificates with
//! the role `system`.

mod admin;
mod listing;
mod local;
mod reading;
mod writing;

pub use local::LocalNode;

use std::sync::Arc;

use custos_core::limits::GRPC_MESSAGE_BYTES_MAX;
use custos_core::{RemovalOrder, ShardKey, VaultId};
use custos_peers::convert::{ShardAnswerer, ShardTarget, key_from_wire, order_from_wire};
use custos_peers::failure::shard_error_to_status;
use custos_peers::limits::SHARD_ITEMS_MAX;
use custos_peers::system_actor_of;
use custos_ports::{ShardError, ShardStore};
use custos_wire::WireError;
use custos_wire::internal_v1::{self, shard_server};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::node::{Node, ServingDisk};

/// Serves the disks of one node.
#[derive(Clone)]
pub struct ShardService {
    node: Arc<Node>,
}

pub(crate) fn shard(node: Arc<Node>) -> shard_server::ShardServer<ShardService> {
    shard_server::ShardServer::new(ShardService { node })
        .max_decoding_message_size(GRPC_MESSAGE_BYTES_MAX)
}

impl ShardService {
    /// The disk that is asked for.
    async fn aim(
        &self,
        target: Option<&internal_v1::Target>,
        vault: Option<VaultId>,
    ) -> Result<Arc<ServingDisk>, Status> {
        let target = ShardTarget::from_wire(target)?;
        self.node.aim(target, vault).await
    }

    /// The disk and the shard that are asked for.
    async fn aim_at_shard(
        &self,
        target: Option<&internal_v1::Target>,
        key: Option<&internal_v1::Key>,
    ) -> Result<(Arc<ServingDisk>, ShardKey), Status> {
        let key = key_from_wire(key)?;
        Ok((self.aim(target, Some(key.vault)).await?, key))
    }

    fn answerer(&self, disk: &ServingDisk) -> Option<internal_v1::Answerer> {
        let node_id = self.node.own().node_id;
        Some(ShardAnswerer { node_id, disk_id: disk.store.disk_id() }.to_wire())
    }
}

/// Refuses callers that are not nodes of the cluster.
fn only_nodes<T>(request: &Request<T>) -> Result<(), Status> {
    system_actor_of(request)?;
    Ok(())
}

fn failed(error: ShardError) -> Status {
    shard_error_to_status(&error)
}

/// Items on a page: 1 to 1000; 0 asks for the most.
fn page_items(asked: u32) -> usize {
    match asked as usize {
        0 => SHARD_ITEMS_MAX,
        some => some.min(SHARD_ITEMS_MAX),
    }
}

fn removal(
    request: &internal_v1::RemoveRequest,
) -> Result<(Vec<ShardKey>, RemovalOrder), WireError> {
    if request.keys.len() > SHARD_ITEMS_MAX {
        let given = request.keys.len();
        let what = format_args!("{given} of them, at most {SHARD_ITEMS_MAX} are allowed");
        return Err(WireError::invalid("keys", what));
    }
    let order = order_from_wire(request.reason, request.ledger_index)?;
    let keys: Result<Vec<_>, _> = request.keys.iter().map(|key| key_from_wire(Some(key))).collect();
    Ok((keys?, order))
}

#[tonic::async_trait]
impl shard_server::Shard for ShardService {
    async fn write(
        &self,
        request: Request<Streaming<internal_v1::WriteRequest>>,
    ) -> Result<Response<internal_v1::WriteResponse>, Status> {
        only_nodes(&request)?;
        self.receive(request.into_inner()).await.map(Response::new)
    }

    type ReadStream = ReceiverStream<Result<internal_v1::ReadResponse, Status>>;

    async fn read(
        &self,
        request: Request<internal_v1::ReadRequest>,
    ) -> Result<Response<Self::ReadStream>, Status> {
        only_nodes(&request)?;
        self.send(request.into_inner()).await.map(Response::new)
    }

    async fn list(
        &self,
        request: Request<internal_v1::ListRequest>,
    ) -> Result<Response<internal_v1::ListResponse>, Status> {
        only_nodes(&request)?;
        self.list_evidence(request.into_inner()).await.map(Response::new)
    }

    async fn list_all(
        &self,
        request: Request<internal_v1::ListAllRequest>,
    ) -> Result<Response<internal_v1::ListAllResponse>, Status> {
        only_nodes(&request)?;
        self.list_disk(request.into_inner()).await.map(Response::new)
    }

    async fn verify(
        &self,
        request: Request<internal_v1::VerifyRequest>,
    ) -> Result<Response<internal_v1::VerifyResponse>, Status> {
        only_nodes(&request)?;
        let internal_v1::VerifyRequest { target, key } = request.into_inner();
        let (disk, key) = self.aim_at_shard(target.as_ref(), key.as_ref()).await?;
        disk.store.verify(&key).await.map_err(failed)?;
        Ok(Response::new(internal_v1::VerifyResponse { answerer: self.answerer(&disk) }))
    }

    async fn remove(
        &self,
        request: Request<internal_v1::RemoveRequest>,
    ) -> Result<Response<internal_v1::RemoveResponse>, Status> {
        only_nodes(&request)?;
        let request = request.into_inner();
        let (keys, order) = removal(&request)?;
        let vault = keys.first().map(|key| key.vault);
        let disk = self.aim(request.target.as_ref(), vault).await?;
        disk.store.remove(&keys, order).await.map_err(failed)?;
        Ok(Response::new(internal_v1::RemoveResponse { answerer: self.answerer(&disk) }))
    }

    async fn list_quarantine(
        &self,
        request: Request<internal_v1::ListQuarantineRequest>,
    ) -> Result<Response<internal_v1::ListQuarantineResponse>, Status> {
        only_nodes(&request)?;
        self.quarantined(request.into_inner()).await.map(Response::new)
    }

    async fn status(
        &self,
        request: Request<internal_v1::StatusRequest>,
    ) -> Result<Response<internal_v1::StatusResponse>, Status> {
        only_nodes(&request)?;
        Ok(Response::new(admin::status_to_wire(self.node.status().await)))
    }

    async fn set_scrub(
        &self,
        request: Request<internal_v1::SetScrubRequest>,
    ) -> Result<Response<internal_v1::SetScrubResponse>, Status> {
        only_nodes(&request)?;
        self.change_scrub(&request.into_inner()).map(Response::new)
    }

    async fn add_disk(
        &self,
        request: Request<internal_v1::AddDiskRequest>,
    ) -> Result<Response<internal_v1::AddDiskResponse>, Status> {
        only_nodes(&request)?;
        self.take_disk(request.into_inner()).await.map(Response::new)
    }

    async fn detach_disk(
        &self,
        request: Request<internal_v1::DetachDiskRequest>,
    ) -> Result<Response<internal_v1::DetachDiskResponse>, Status> {
        only_nodes(&request)?;
        self.give_disk_up(&request.into_inner()).await.map(Response::new)
    }
}
