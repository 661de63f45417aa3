//! Long-lived connections: for each endpoint two that carry shards and one for everything else, so
//! that a question about a node's health never waits behind footage.

mod backoff;
mod lane;
mod peer;
mod tls;

pub(crate) use peer::{Call, CallError, Peer, RpcError};
pub use tls::PeerTls;

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;

use crate::PeerError;

/// The connections of one process, made when they are first used and again when they broke. Cheap
/// to clone.
#[derive(Clone)]
pub struct Channels {
    inner: Arc<Inner>,
}

struct Inner {
    tls: PeerTls,
    peers: RwLock<HashMap<String, Arc<Peer>>>,
}

impl Channels {
    /// No connection yet; all will be made with this certificate and to peers of this authority.
    #[must_use]
    pub fn new(tls: PeerTls) -> Self {
        Self { inner: Arc::new(Inner { tls, peers: RwLock::default() }) }
    }

    /// The connections to an endpoint, such as `https://10.0.0.7:7400`. The certificate there must
    /// be for that host.
    pub(crate) fn peer(&self, endpoint: &str) -> Result<Arc<Peer>, PeerError> {
        if let Some(peer) = self.inner.peers.read().get(endpoint) {
            return Ok(peer.clone());
        }
        let made = Arc::new(Peer::new(endpoint, &self.inner.tls)?);
        let mut peers = self.inner.peers.write();
        Ok(peers.entry(endpoint.to_owned()).or_insert(made).clone())
    }

    /// Forgets the connections to every other endpoint; what uses one goes on.
    pub(crate) fn retain(&self, endpoints: impl Fn(&str) -> bool) {
        self.inner.peers.write().retain(|endpoint, _| endpoints(endpoint));
    }
}
