use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use custos_ports::{PeerFault, PeerLane};
use custos_wire::internal_v1::{Packet, group_client::GroupClient};
use parking_lot::Mutex;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
    task::AbortHandle,
    time::{Instant, timeout_at},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use crate::{
    causes::with_causes,
    channels::{Call, Peer},
    group::{client, fault_of},
    limits::GROUP_CALLS_MAX,
};

const BUSY: &str = "too many messages are under way";
const BROKEN: &str = "the connection broke";

/// The messages of one lane to one member: they take one long-lived call of the connection, which
/// is begun when it is first used and again after it broke. A call for every message would cost
/// several times as much as a heartbeat or a few log entries.
pub(super) struct GroupStream {
    peer: Arc<Peer>,
    lane: PeerLane,
    open: Mutex<Option<Arc<Open>>>,
    opening: AsyncMutex<()>,
}

/// A call that was begun.
struct Open {
    outgoing: mpsc::Sender<Packet>,
    replies: Arc<Replies>,
    reader: AbortHandle,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

type Reply = Result<Bytes, PeerFault>;

/// Who waits for an answer, by the number of the message; nobody any more once the call has ended.
struct Replies {
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    last_number: u64,
    replies: HashMap<u64, oneshot::Sender<Reply>>,
}

impl GroupStream {
    pub(super) fn new(peer: Arc<Peer>, lane: PeerLane) -> Self {
        Self { peer, lane, open: Mutex::default(), opening: AsyncMutex::default() }
    }

    /// Sends a message and waits for its answer.
    pub(super) async fn exchange(&self, message: Bytes, deadline: Instant) -> Reply {
        let open = match timeout_at(deadline, self.opened(deadline)).await {
            Ok(open) => open?,
            Err(_) => return Err(self.undelivered("no connection in time")),
        };
        let (number, reply) = open.replies.expect_one().map_err(|why| self.undelivered(why))?;
        // From here on it is in the way when this call is dropped.
        let _asked = Asked { stream: self, open: &open, number };
        let packet = Packet { number, body: message, ..Packet::default() };
        if let Err(error) = open.outgoing.try_send(packet) {
            return Err(self.undelivered(match error {
                mpsc::error::TrySendError::Full(_) => BUSY,
                mpsc::error::TrySendError::Closed(_) => BROKEN,
            }));
        }
        match timeout_at(deadline, reply).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(_)) => Err(self.unknown("the exchange was given up")),
            Err(_) => Err(self.unknown("no answer in time")),
        }
    }

    async fn opened(&self, deadline: Instant) -> Result<Arc<Open>, PeerFault> {
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let _opening = self.opening.lock().await;
        if let Some(open) = self.usable() {
            return Ok(open);
        }
        let (outgoing, packets) = mpsc::channel(GROUP_CALLS_MAX);
        let begun = self.peer.call(Call::Control(deadline), |channel| async move {
            Ok(begin(channel, packets).await?)
        });
        let answers = begun.await.map_err(|error| fault_of(&self.peer, error))?;
        let replies = Arc::new(Replies { waiting: Mutex::new(Some(Waiting::default())) });
        let endpoint = self.peer.endpoint().to_owned();
        let reader = tokio::spawn(read(answers, Arc::clone(&replies), endpoint)).abort_handle();
        let open = Arc::new(Open { outgoing, replies, reader });
        *self.open.lock() = Some(Arc::clone(&open));
        Ok(open)
    }

    fn usable(&self) -> Option<Arc<Open>> {
        self.open.lock().clone().filter(|open| !open.outgoing.is_closed() && open.replies.is_open())
    }

    /// The next message begins another call.
    fn give_up(&self, open: &Arc<Open>) {
        let mut current = self.open.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, open)) {
            *current = None;
        }
    }

    fn undelivered(&self, reason: &str) -> PeerFault {
        PeerFault::Unreachable { reason: format!("{}: {reason}", self.peer.endpoint()) }
    }

    fn unknown(&self, reason: &str) -> PeerFault {
        PeerFault::Unknown { reason: format!("{}: {reason}", self.peer.endpoint()) }
    }
}

/// A message that was sent, until its answer is here or nobody wants it any more.
struct Asked<'a> {
    stream: &'a GroupStream,
    open: &'a Arc<Open>,
    number: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let is_unanswered = self.open.replies.forget(self.number);
        // Log entries go one after the other: behind one that is not answered, others would only
        // gather. The call goes, and what waits to be sent with it.
        if is_unanswered && self.stream.lane == PeerLane::Log {
            self.stream.give_up(self.open);
        }
    }
}

impl Replies {
    fn is_open(&self) -> bool {
        self.waiting.lock().is_some()
    }

    /// A number for a message, and where its answer comes; or why it cannot be sent.
    fn expect_one(&self) -> Result<(u64, oneshot::Receiver<Reply>), &'static str> {
        let mut waiting = self.waiting.lock();
        let waiting = waiting.as_mut().ok_or(BROKEN)?;
        if waiting.replies.len() >= GROUP_CALLS_MAX {
            return Err(BUSY);
        }
        let (sender, reply) = oneshot::channel();
        waiting.last_number += 1;
        waiting.replies.insert(waiting.last_number, sender);
        Ok((waiting.last_number, reply))
    }

    /// Says whether there was no answer yet.
    fn forget(&self, number: u64) -> bool {
        let mut waiting = self.waiting.lock();
        waiting.as_mut().is_some_and(|waiting| waiting.replies.remove(&number).is_some())
    }

    fn answer(&self, packet: Packet) {
        let mut waiting = self.waiting.lock();
        let reply = waiting.as_mut().and_then(|waiting| waiting.replies.remove(&packet.number));
        drop(waiting);
        // Without one, who asked has gone.
        if let Some(reply) = reply {
            let Packet { body, refused, .. } = packet;
            let answer = if refused.is_empty() {
                Ok(body)
            } else {
                Err(PeerFault::Refused { reason: refused })
            };
            let _ = reply.send(answer);
        }
    }

    /// All who wait are told that they will not know.
    fn close(&self, reason: &str) {
        let Some(waiting) = self.waiting.lock().take() else { return };
        for reply in waiting.replies.into_values() {
            let _ = reply.send(Err(PeerFault::Unknown { reason: reason.to_owned() }));
        }
    }
}

async fn begin(
    channel: Channel,
    packets: mpsc::Receiver<Packet>,
) -> Result<Streaming<Packet>, tonic::Status> {
    let mut client: GroupClient<Channel> = client(channel);
    Ok(client.exchange(ReceiverStream::new(packets)).await?.into_inner())
}

async fn read(mut answers: Streaming<Packet>, replies: Arc<Replies>, endpoint: String) {
    let reason = loop {
        match answers.message().await {
            Ok(Some(packet)) => replies.answer(packet),
            Ok(None) => break "the other side ended the exchange".to_owned(),
            Err(status) => break with_causes(&status),
        }
    };
    replies.close(&format!("{endpoint}: {reason}"));
}
