use std::sync::Arc;

use custos_core::{DiskId, NodeId};
use custos_wire::internal_v1::{
    AddDiskRequest, DetachDiskRequest, SetScrubRequest, StatusRequest, StatusResponse,
    shard_client::ShardClient,
};
use tokio::time::Instant;
use tonic::{Request, transport::Channel};

use crate::{
    PeerError,
    channels::{Call, CallError, Peer, RpcError},
    convert::id_from_wire,
    limits::{ADMIN_DEADLINE, STATUS_DEADLINE},
};

/// Asks one storage node about itself and operates its disks.
#[derive(Clone)]
pub struct NodeClient {
    node_id: NodeId,
    peer: Arc<Peer>,
}

impl NodeClient {
    pub(super) fn new(node_id: NodeId, peer: Arc<Peer>) -> Self {
        Self { node_id, peer }
    }

    /// The node, its disks and their scrub, within [`STATUS_DEADLINE`]. An answer of another node
    /// is refused: something else listens at its endpoint.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn status(&self) -> Result<StatusResponse, PeerError> {
        let request = timed(StatusRequest {}, STATUS_DEADLINE);
        let call = Call::Control(Instant::now() + STATUS_DEADLINE);
        let expected = self.node_id;
        let answer = self.peer.call(call, |channel| async move {
            let answer = ShardClient::new(channel).status(request).await?.into_inner();
            let found = node_of(&answer.node_id)?;
            if found != expected {
                let reason = format!("node {found} answers where node {expected} should be");
                return Err(RpcError::WrongAnswer(reason));
            }
            Ok(answer)
        });
        answer.await.map_err(|error| self.peer.error(error))
    }

    /// Changes the pace of the scrub, or starts a pass.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn set_scrub(&self, request: SetScrubRequest) -> Result<(), PeerError> {
        self.identified().await?;
        let request = timed(request, ADMIN_DEADLINE);
        let answer = self.admin(|channel| async move {
            ShardClient::new(channel).set_scrub(request).await?;
            Ok(())
        });
        answer.await.map_err(|error| self.peer.error(error))
    }

    /// Takes the folder `path` of the node into service as a disk; `create` makes a disk there
    /// when the folder is empty or missing.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn add_disk(&self, request: AddDiskRequest) -> Result<DiskId, PeerError> {
        self.identified().await?;
        let request = timed(request, ADMIN_DEADLINE);
        let answer = self.admin(|channel| async move {
            let answer = ShardClient::new(channel).add_disk(request).await?.into_inner();
            let id = id_from_wire("disk_id", &answer.disk_id);
            id.map(DiskId).map_err(|error| RpcError::WrongAnswer(error.to_string()))
        });
        answer.await.map_err(|error| self.peer.error(error))
    }

    /// Takes a disk of the node out of service until it is added, or the node started, again.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn detach_disk(&self, disk_id: DiskId) -> Result<(), PeerError> {
        self.identified().await?;
        let request = timed(DetachDiskRequest { disk_id: disk_id.0.to_vec() }, ADMIN_DEADLINE);
        let answer = self.admin(|channel| async move {
            ShardClient::new(channel).detach_disk(request).await?;
            Ok(())
        });
        answer.await.map_err(|error| self.peer.error(error))
    }

    /// These requests name no node: so make sure that it is the right one that takes them.
    async fn identified(&self) -> Result<(), PeerError> {
        self.status().await.map(drop)
    }

    async fn admin<T, F>(&self, rpc: impl FnOnce(Channel) -> F + Send) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, RpcError>> + Send,
    {
        self.peer.call(Call::Control(Instant::now() + ADMIN_DEADLINE), rpc).await
    }
}

fn node_of(bytes: &[u8]) -> Result<NodeId, RpcError> {
    let id = id_from_wire("node_id", bytes);
    id.map(NodeId).map_err(|error| RpcError::WrongAnswer(error.to_string()))
}

fn timed<T>(message: T, deadline: std::time::Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}
