use std::sync::Arc;
use std::time::Duration;

use custos_core::{Actor, ClusterMap, DiskGeneration, Epoch, NodeId, Refusal, RunId};
use custos_ledger::{Command, DiskClaim, Envelope, Outcome};
use custos_ports::{Cluster, Entropy, Ledger, LedgerError};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::StorageOptions;
use crate::disk::{Backend, OpeningError};
use crate::limits::{RETRY_PAUSE_MAX, RETRY_PAUSE_MIN};

/// What is said again of a ledger that does not answer, no sooner than after this.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Tells the ledger of the node and its disks.
pub(crate) struct Registrar {
    ledger: Arc<dyn Ledger>,
    entropy: Arc<dyn Entropy>,
    actor: Actor,
    /// What the ledger said last when it did not answer, for whoever gives up waiting.
    last_trouble: Mutex<Option<String>>,
}

/// Why something is not registered.
#[derive(Debug)]
pub(crate) enum NotRegistered {
    Refused(Refusal),
    /// A fault of the ledger that a retry does not mend.
    Fault(String),
    /// The disk's identity could not be written.
    Opening(OpeningError),
}

/// Waiting for a ledger that does not answer.
struct Waiting<'a> {
    what: &'a str,
    pause: Duration,
    logged: Option<Instant>,
}

impl<'a> Waiting<'a> {
    fn to(what: &'a str) -> Self {
        Self { what, pause: RETRY_PAUSE_MIN, logged: None }
    }

    /// Says now and then why, and waits a little longer each time.
    async fn after(&mut self, error: &LedgerError) {
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_PAUSE) {
            tracing::warn!(what = self.what, %error, "waiting for the ledger to register");
            self.logged = Some(Instant::now());
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(RETRY_PAUSE_MAX);
    }
}

/// A disk that the ledger has accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registered {
    pub(crate) generation: DiskGeneration,
    /// Maps older than this do not know of it.
    pub(crate) epoch: Epoch,
}

impl Registrar {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, entropy: Arc<dyn Entropy>, actor: Actor) -> Self {
        Self { ledger, entropy, actor, last_trouble: Mutex::new(None) }
    }

    /// The newest map. Waits for the ledger as long as it takes.
    pub(crate) async fn newest_map(
        &self,
        cluster: &dyn Cluster,
        name: &str,
    ) -> Result<Arc<ClusterMap>, NotRegistered> {
        let what = format!("node {name}");
        let mut waiting = Waiting::to(&what);
        loop {
            match cluster.refresh().await {
                Ok(map) => return Ok(map),
                Err(LedgerError::Fault { reason }) => return Err(NotRegistered::Fault(reason)),
                Err(error) => waiting.after(&error).await,
            }
        }
    }

    /// Says who this node is. Waits for the ledger as long as it takes.
    pub(crate) async fn node(
        &self,
        options: &StorageOptions,
        node_id: NodeId,
        run: RunId,
    ) -> Result<Epoch, NotRegistered> {
        let command = Command::RegisterNode {
            node_id,
            name: options.name.clone(),
            endpoint: options.endpoint.clone(),
            labels: options.labels.clone(),
            run,
        };
        self.change_map(command, &format!("node {}", options.name)).await
    }

    /// Takes a disk into service: what is claimed stands on the disk before it is claimed, and
    /// becomes its generation when it is accepted. Waits for the ledger as long as it takes.
    pub(crate) async fn disk(
        &self,
        node_id: NodeId,
        name: &str,
        weight: u32,
        backend: &Arc<dyn Backend>,
    ) -> Result<Registered, NotRegistered> {
        let opening = RunId(self.entropy.array());
        let begun = backend.clone().begin_opening(opening).await;
        let (generation, opening) = begun.map_err(NotRegistered::Opening)?;
        let (disk_id, name) = (backend.id(), name.to_owned());
        let claim = DiskClaim { disk_id, name, weight, generation, opening };
        let command = Command::RegisterDisks { node_id, disks: vec![claim] };
        let epoch = self.change_map(command, backend.name()).await?;
        backend.clone().finish_opening().await.map_err(NotRegistered::Opening)?;
        Ok(Registered { generation, epoch })
    }

    /// What the ledger said last, if it did not answer.
    pub(crate) fn last_trouble(&self) -> Option<String> {
        self.last_trouble.lock().clone()
    }

    async fn change_map(&self, command: Command, what: &str) -> Result<Epoch, NotRegistered> {
        let envelope = Envelope {
            request_id: self.entropy.array(),
            actor: self.actor.clone(),
            entry_salt: self.entropy.array(),
            command,
        };
        let mut waiting = Waiting::to(what);
        loop {
            let error = match self.ledger.submit(envelope.clone()).await {
                Ok(Outcome::MapChanged(epoch)) => return Ok(epoch),
                Ok(other) => {
                    return Err(NotRegistered::Fault(format!("it answered {other:?}")));
                }
                Err(LedgerError::Refused(refusal)) => return Err(NotRegistered::Refused(refusal)),
                Err(LedgerError::Fault { reason }) => return Err(NotRegistered::Fault(reason)),
                Err(error) => error,
            };
            *self.last_trouble.lock() = Some(error.to_string());
            waiting.after(&error).await;
        }
    }
}
