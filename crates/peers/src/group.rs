use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use custos_core::{ErrorKind, MetaId};
use custos_ports::{MetaPeer, PeerFault, PeerLane, PeerTransport};
use custos_wire::{
    WireError,
    internal_v1::{JoinRequest, Packet, group_client::GroupClient},
};
use parking_lot::RwLock;
use tokio::time::Instant;
use tonic::{Request, transport::Channel};

use crate::{
    Channels, PeerError,
    channels::{Call, CallError, Peer},
    group_stream::GroupStream,
    limits::{GROUP_MESSAGE_BYTES_MAX, STATUS_DEADLINE},
};

/// Carries messages between the members of the ledger's group. Its connections are its own:
/// nothing that goes to gateways or disks can hold up a heartbeat.
#[derive(Clone)]
pub struct GroupTransport {
    channels: Channels,
    streams: Arc<RwLock<Streams>>,
}

/// By endpoint and lane. Members come and go seldom, so those of members that went may stay.
type Streams = HashMap<(String, PeerLane), Arc<GroupStream>>;

/// What a process is told that joins a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Origin line of the cluster.
    pub origin: String,
    /// Its identity in the group.
    pub id: MetaId,
}

impl GroupTransport {
    /// Over these connections, which must serve nothing else.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        Self { channels, streams: Arc::default() }
    }

    fn stream(&self, peer: &Arc<Peer>, lane: PeerLane) -> Arc<GroupStream> {
        let key = (peer.endpoint().to_owned(), lane);
        if let Some(stream) = self.streams.read().get(&key) {
            return Arc::clone(stream);
        }
        let made = || Arc::new(GroupStream::new(Arc::clone(peer), lane));
        Arc::clone(self.streams.write().entry(key).or_insert_with(made))
    }

    /// Asks the member at `member` to take this process in, which is `name` and is reached at
    /// `endpoint`. With the same `token` it is the same process.
    ///
    /// # Errors
    /// See [`PeerError`]; a refusal of the group is a `Failed` of kind `Refused` or `Invalid`.
    pub async fn join(
        &self,
        member: &str,
        token: [u8; 16],
        name: &str,
        endpoint: &str,
    ) -> Result<Joined, PeerError> {
        let peer = self.channels.peer(member)?;
        let limit = STATUS_DEADLINE * 4;
        let mut request = Request::new(JoinRequest {
            token: token.to_vec(),
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
        });
        request.set_timeout(limit);
        let answer = peer.call(Call::Control(Instant::now() + limit), |channel| async move {
            Ok(client(channel).join(request).await?.into_inner())
        });
        let answer = answer.await.map_err(|error| peer.error(error))?;
        Ok(Joined { origin: answer.origin, id: MetaId(answer.id) })
    }
}

#[async_trait]
impl PeerTransport for GroupTransport {
    async fn exchange(
        &self,
        to: &MetaPeer,
        lane: PeerLane,
        message: Bytes,
        deadline: Duration,
    ) -> Result<Bytes, PeerFault> {
        let unreachable = |error: PeerError| PeerFault::Unreachable { reason: error.to_string() };
        let peer = self.channels.peer(&to.endpoint).map_err(unreachable)?;
        let at = Instant::now() + deadline;
        if lane != PeerLane::Snapshot {
            return self.stream(&peer, lane).exchange(message, at).await;
        }
        let mut request = Request::new(Packet { body: message, ..Packet::default() });
        request.set_timeout(deadline);
        let answer = peer.call(Call::Bulk(at), |channel| async move {
            Ok(client(channel).ask(request).await?.into_inner().body)
        });
        answer.await.map_err(|error| fault_of(&peer, error))
    }
}

/// What is certain about a message whose call failed.
pub(super) fn fault_of(peer: &Peer, error: CallError) -> PeerFault {
    let sort = sort_of(&error);
    let reason = peer.error(error).to_string();
    match sort {
        Sort::Undelivered => PeerFault::Unreachable { reason },
        Sort::Refused => PeerFault::Refused { reason },
        Sort::Unknown => PeerFault::Unknown { reason },
    }
}

enum Sort {
    Undelivered,
    Refused,
    Unknown,
}

fn sort_of(error: &CallError) -> Sort {
    match error {
        CallError::Unreachable(_) | CallError::Busy => Sort::Undelivered,
        CallError::Failed(status) => match WireError::from(status.clone()).kind {
            ErrorKind::Refused | ErrorKind::Invalid | ErrorKind::NotFound => Sort::Refused,
            _ => Sort::Unknown,
        },
        CallError::Late(_) | CallError::Broken(_) | CallError::WrongAnswer(_) => Sort::Unknown,
    }
}

pub(super) fn client(channel: Channel) -> GroupClient<Channel> {
    GroupClient::new(channel)
        .max_decoding_message_size(GROUP_MESSAGE_BYTES_MAX)
        .max_encoding_message_size(GROUP_MESSAGE_BYTES_MAX)
}
