use std::sync::Arc;

use custos_core::ClusterMap;
use custos_wire::{
    WireError,
    internal_v1::{Answerer, shard_client::ShardClient},
};
use tokio::time::Instant;
use tonic::{Request, transport::Channel};

use crate::{
    channels::RpcError,
    cluster::named,
    convert::{ShardAnswerer, ShardTarget},
};

/// One attempt at a call: the connection, whom it asks, and until when.
pub(super) struct Session {
    pub(super) client: ShardClient<Channel>,
    pub(super) target: ShardTarget,
    pub(super) map: Arc<ClusterMap>,
    pub(super) deadline: Instant,
}

impl Session {
    /// A request that tells the node how long the caller waits.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline.saturating_duration_since(Instant::now()));
        request
    }

    /// Refuses the answer of any node or disk but the one that was asked.
    pub(super) fn check_answerer(&self, answerer: Option<&Answerer>) -> Result<(), RpcError> {
        let found = ShardAnswerer::from_wire(answerer).map_err(wrong)?;
        let asked = ShardAnswerer::from(self.target);
        if found == asked {
            return Ok(());
        }
        let found = named(&self.map, found.node_id, found.disk_id);
        let asked = named(&self.map, asked.node_id, asked.disk_id);
        Err(RpcError::WrongAnswer(format!("{found} answers where {asked} was asked")))
    }
}

/// A part of an answer that cannot be parsed.
pub(super) fn wrong(error: WireError) -> RpcError {
    RpcError::WrongAnswer(error.to_string())
}
