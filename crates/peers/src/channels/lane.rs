use parking_lot::RwLock;
use tokio::{sync::Mutex, time::Instant};
use tonic::transport::{Channel, Endpoint};

use super::backoff::Backoff;
use crate::causes::with_causes;

/// One connection, made when it is first used. Tonic makes a broken one again at the next call,
/// but then every call that waits tries for itself, one after the other; so after a failed attempt
/// the connection is given up, and the next is made here, once for all who wait.
pub(super) struct Lane {
    endpoint: Endpoint,
    link: RwLock<Option<Link>>,
    connecting: Mutex<Backoff>,
}

/// A connection that was made.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) channel: Channel,
    /// Tells it from the one before.
    made_at: Instant,
}

impl Lane {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, link: RwLock::new(None), connecting: Mutex::default() }
    }

    /// The connection, made if there is none; an error is the reason why it cannot be made now.
    pub(super) async fn link(&self) -> Result<Link, String> {
        if let Some(link) = self.link.read().clone() {
            return Ok(link);
        }
        let mut backoff = self.connecting.lock().await;
        if let Some(link) = self.link.read().clone() {
            return Ok(link);
        }
        if let Some(reason) = backoff.closed(Instant::now()) {
            return Err(reason.to_owned());
        }
        match self.endpoint.connect().await {
            Ok(channel) => {
                backoff.succeeded();
                let link = Link { channel, made_at: Instant::now() };
                *self.link.write() = Some(link.clone());
                Ok(link)
            }
            Err(error) => {
                let reason = with_causes(&error);
                backoff.failed(Instant::now(), reason.clone());
                Err(reason)
            }
        }
    }

    /// Gives a connection up that could not be made again.
    pub(super) fn give_up(&self, link: &Link) {
        let mut current = self.link.write();
        if current.as_ref().is_some_and(|current| current.made_at == link.made_at) {
            *current = None;
        }
    }
}
