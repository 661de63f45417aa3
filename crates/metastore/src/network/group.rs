use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use custos_core::MetaId;
use custos_ports::{MetaPeer, PeerFault, PeerLane, PeerTransport};

use super::{Answer, Request, encoding};

/// The group as one of its members sees it: who that is, and how the others are reached.
#[derive(Clone)]
pub(crate) struct Group {
    origin: Arc<str>,
    me: MetaId,
    transport: Arc<dyn PeerTransport>,
}

impl Group {
    /// Member `me` of the ledger with this origin line.
    pub(crate) fn new(origin: &str, me: MetaId, transport: Arc<dyn PeerTransport>) -> Self {
        Self { origin: origin.into(), me, transport }
    }

    pub(crate) fn me(&self) -> MetaId {
        self.me
    }

    /// Asks another member.
    pub(crate) async fn ask(
        &self,
        to: &MetaPeer,
        lane: PeerLane,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, PeerFault> {
        let message = encoding::encode_request(&self.origin, self.me, to.id, request);
        let answer = self.transport.exchange(to, lane, message, deadline).await?;
        // It made sense of the request, so it may have acted on it.
        encoding::decode_answer(&answer).map_err(|garbage| PeerFault::Unknown {
            reason: format!("the answer of {to:?} makes no sense: {garbage}"),
        })
    }

    /// Opens what another member sent to this one, and says who that is.
    pub(crate) fn open(&self, message: Bytes) -> Result<(MetaId, Request), PeerFault> {
        let refused = |reason: String| PeerFault::Refused { reason };
        let opened = encoding::decode_request(message)
            .map_err(|garbage| refused(format!("not a message of this group: {garbage}")))?;
        if opened.origin != *self.origin {
            let (theirs, ours) = (opened.origin, &self.origin);
            return Err(refused(format!("the sender is of cluster {theirs:?}, this is {ours:?}")));
        }
        if opened.to != self.me {
            return Err(refused(format!(
                "node {} was asked for, this is node {}: check the endpoints of the meta nodes",
                opened.to, self.me
            )));
        }
        Ok((opened.from, opened.request))
    }
}
