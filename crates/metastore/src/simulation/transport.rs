use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use custos_ports::{MetaPeer, PeerFault, PeerLane, PeerTransport};
use openraft::raft::AppendEntriesResponse;

use super::{
    fabric::Fabric,
    messages,
    plant::{Plant, is_planted},
};
use crate::network::{Answer, encode_answer};

/// One node's way into the fabric.
pub(crate) struct SimTransport {
    pub(crate) from: u64,
    pub(crate) fabric: Fabric,
}

/// Where a simulated node says that it is.
pub(crate) fn endpoint(node: u64) -> String {
    format!("sim://{node}")
}

#[async_trait]
impl PeerTransport for SimTransport {
    async fn exchange(
        &self,
        to: &MetaPeer,
        _lane: PeerLane,
        message: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, PeerFault> {
        if is_planted(Plant::CommitWithoutQuorum)
            && messages::brings_entries(&message)
            && self.fabric.permille(100)
        {
            return Ok(encode_answer(&Answer::Append(AppendEntriesResponse::Success)));
        }
        let node = to.endpoint.strip_prefix("sim://").and_then(|node| node.parse().ok());
        let node = node.ok_or_else(|| PeerFault::Unreachable {
            reason: format!("{:?} is no place", to.endpoint),
        })?;
        self.fabric.carry((self.from, node), message, deadline).await
    }
}
