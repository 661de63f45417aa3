use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use custos_core::{ClusterMap, ErasureProfile, ErrorKind};
use custos_ports::LedgerError;
use custos_storage_node::NodeFailure;
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tonic::transport::server::Router;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    connections::accept,
    data_dir::DataDir,
    metrics::{self, MetricsPage},
    roles::Roles,
    sockets::Sockets,
};

/// Longest wait for requests under way when a server is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What is waited for, while serving already, before a process calls itself ready.
pub(crate) enum Readiness {
    /// It is.
    AtOnce,
    /// Storage nodes of other processes, of which vaults of this profile are to be made.
    WithVaults {
        /// The cluster map.
        changes: watch::Receiver<Arc<ClusterMap>>,
        /// Profile of the vaults.
        profile: ErasureProfile,
    },
}

/// A server that can serve; [`run`](Self::run) does.
pub struct Server {
    pub(crate) router: Router,
    pub(crate) health: HealthReporter,
    pub(crate) address: SocketAddr,
    pub(crate) sockets: Sockets,
    pub(crate) page: MetricsPage,
    pub(crate) readiness: Readiness,
    pub(crate) roles: Roles,
    pub(crate) data_dir: DataDir,
}

/// Why a server stopped without being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger cannot go on.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The storage node must not go on.
    #[error(transparent)]
    Storage(#[from] NodeFailure),
    /// Nobody could be told that it is ready.
    #[error("it cannot be told that this process is ready")]
    Announce(#[source] io::Error),
    /// The gRPC services ended.
    #[error("gRPC services ended: {reason}")]
    Ended {
        /// What they say.
        reason: String,
    },
}

impl RunError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Storage(failure) => failure.kind(),
            Self::Ledger(_) | Self::Announce(_) | Self::Ended { .. } => ErrorKind::Internal,
        }
    }
}

impl Server {
    /// Where the gRPC services are.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves; then takes no new connection, gives requests under way 10 s
    /// to end, and closes disks and ledger. Clients go on later from what was acknowledged.
    /// `announce` is called once, when the process can do its work.
    ///
    /// # Errors
    /// When it had to stop without being told to; everything is closed then too.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        announce: impl FnOnce(SocketAddr) -> io::Result<()>,
    ) -> Result<(), RunError> {
        let Self { router, health, address, sockets, page, readiness, roles, data_dir } = self;
        let (draining, _) = watch::channel(false);
        let Sockets { api, metrics, group: _ } = sockets;
        let signal = drained(&draining);
        let mut serving = tokio::spawn(router.serve_with_incoming_shutdown(accept(api), signal));
        let metrics = metrics
            .map(|listener| tokio::spawn(metrics::serve(listener, page, drained(&draining))));
        tracing::info!(%address, "serving");

        let announced = async {
            readiness.wait().await;
            match announce(address) {
                Ok(()) => std::future::pending().await,
                Err(error) => RunError::Announce(error),
            }
        };
        let result = tokio::select! {
            () = stop => Ok(()),
            error = roles.failed() => Err(error),
            error = announced => Err(error),
            ended = &mut serving => Err(RunError::Ended { reason: reason_of(ended) }),
        };
        health.set_service_status("", ServingStatus::NotServing).await;
        roles.leave_lead().await;
        draining.send_replace(true);
        if !serving.is_finished() && timeout(DRAIN_TIMEOUT, &mut serving).await.is_err() {
            tracing::warn!(seconds = DRAIN_TIMEOUT.as_secs(), "requests under way were cut off");
            serving.abort();
        }
        if let Some(metrics) = metrics {
            end(metrics).await;
        }
        roles.close().await;
        tracing::info!("stopped");
        // The folder is free for another process only now.
        drop(data_dir);
        result
    }
}

impl Readiness {
    async fn wait(self) {
        let Self::WithVaults { mut changes, profile } = self else { return };
        let has_vaults =
            |map: &Arc<ClusterMap>| map.vaults.iter().any(|vault| vault.profile == profile);
        // An error means that the server is gone altogether.
        let _ = changes.wait_for(has_vaults).await;
    }
}

/// Resolves when the server begins to drain.
fn drained(draining: &watch::Sender<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut draining = draining.subscribe();
    async move {
        // An error means that the server is gone altogether.
        let _ = draining.wait_for(|draining| *draining).await;
    }
}

/// The metrics page is never waited for: it has nothing that could be lost.
async fn end(task: JoinHandle<std::io::Result<()>>) {
    task.abort();
    if let Ok(Err(error)) = task.await {
        tracing::warn!(%error, "metrics page ended");
    }
}

fn reason_of(ended: Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>) -> String {
    match ended {
        Ok(Ok(())) => "without a reason".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    }
}
