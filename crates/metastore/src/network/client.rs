use std::{future::Future, iter, time::Duration};

use custos_core::MetaId;
use custos_ports::{MetaPeer, PeerFault, PeerLane};
use openraft::{
    BasicNode, OptionalSend, RaftNetwork, RaftNetworkFactory,
    error::{
        Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
    },
    network::{Backoff, RPCOption},
    raft::{
        AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
    },
};

use super::{Answer, Group, Request, continuity::is_continuous, snapshot_sender::SnapshotSender};
use crate::raft_types::{Snapshot, TypeConfig, Vote};

/// Pause after a member that is not reached: short, so that one that comes back is fed at once.
const BACKOFF: Duration = Duration::from_millis(100);

/// Makes openraft's way to each of the other members.
#[derive(Clone)]
pub(crate) struct PeerNetwork {
    group: Group,
    snapshot_bytes_per_second: u64,
}

impl PeerNetwork {
    pub(crate) fn new(group: Group, snapshot_bytes_per_second: u64) -> Self {
        Self { group, snapshot_bytes_per_second }
    }
}

/// openraft's way to one other member.
pub(crate) struct PeerClient {
    group: Group,
    peer: MetaPeer,
    snapshot_bytes_per_second: u64,
}

type RpcError = RPCError<u64, BasicNode, RaftError<u64>>;

impl RaftNetworkFactory<TypeConfig> for PeerNetwork {
    type Network = PeerClient;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> PeerClient {
        PeerClient {
            group: self.group.clone(),
            peer: MetaPeer { id: MetaId(target), endpoint: node.addr.clone() },
            snapshot_bytes_per_second: self.snapshot_bytes_per_second,
        }
    }
}

impl PeerClient {
    async fn ask(
        &self,
        lane: PeerLane,
        request: &Request,
        option: &RPCOption,
    ) -> Result<Answer, RpcError> {
        let answer = self.group.ask(&self.peer, lane, request, option.hard_ttl()).await;
        match answer.map_err(|fault| unreachable(&fault))? {
            Answer::Fault(reason) => Err(unreachable(&PeerFault::Refused { reason })),
            answer => Ok(answer),
        }
    }
}

impl RaftNetwork<TypeConfig> for PeerClient {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, RpcError> {
        if !is_continuous(&request) {
            // openraft then looks anew at what this member needs: now it is a snapshot.
            let purged = PeerFault::Refused {
                reason: "the entries were purged before they were sent".to_owned(),
            };
            return Err(RPCError::Network(NetworkError::new(&purged)));
        }
        match self.ask(PeerLane::Log, &Request::Append(request), &option).await? {
            Answer::Append(answer) => Ok(answer),
            _ => Err(unreachable(&another_answer())),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, RpcError> {
        match self.ask(PeerLane::Control, &Request::Vote(request), &option).await? {
            Answer::Vote(answer) => Ok(answer),
            _ => Err(unreachable(&another_answer())),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, StreamingError<TypeConfig, Fatal<u64>>> {
        let sender = SnapshotSender {
            group: &self.group,
            peer: &self.peer,
            bytes_per_second: self.snapshot_bytes_per_second,
        };
        tokio::select! {
            biased;
            closed = cancel => Err(closed.into()),
            sent = sender.send(vote, &snapshot) => match sent {
                Ok(vote) => Ok(SnapshotResponse { vote }),
                Err(fault) => {
                    tracing::warn!(peer = ?self.peer, %fault, "snapshot was not sent; it goes on");
                    Err(Unreachable::new(&fault).into())
                }
            },
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(iter::repeat(BACKOFF))
    }
}

fn unreachable(fault: &PeerFault) -> RpcError {
    RPCError::Unreachable(Unreachable::new(fault))
}

pub(super) fn another_answer() -> PeerFault {
    PeerFault::Unknown { reason: "it answers another question than was asked".to_owned() }
}
