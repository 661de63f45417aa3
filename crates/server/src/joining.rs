//! How a process without the ledger finds its cluster.

use std::{sync::Arc, time::Duration};

use custos_core::{ErrorKind, Refusal};
use custos_ledger::{Answer, Query};
use custos_peers::{Channels, PeerError, RemoteLedger, RemoteLedgerOptions};
use custos_ports::{Entropy, Ledger, LedgerError};
use tokio::time::sleep;

use crate::waiting::Waiting;

/// Longest single question while the ledger is waited for.
const ASK_TIMEOUT: Duration = Duration::from_secs(3);
/// Pause between two of them.
const ASK_PAUSE: Duration = Duration::from_millis(500);

/// Why a process cannot join a cluster.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The ledger is that of another cluster.
    #[error(
        "this folder belongs to cluster {expected}, the ledger at {endpoints} is that of {found}: \
         check `meta` and `data_dir` in the configuration; nothing was changed"
    )]
    OtherCluster {
        /// Cluster that the process has worked for.
        expected: String,
        /// Cluster of the ledger.
        found: String,
        /// Where that is.
        endpoints: String,
    },
    /// The ledger does not want to have to do with this process.
    #[error("the ledger at {endpoints} refuses this process: {refusal}")]
    Refused {
        /// Where it is.
        endpoints: String,
        /// Why.
        refusal: Refusal,
    },
    /// An endpoint of the ledger makes no sense.
    #[error(transparent)]
    Endpoint(#[from] PeerError),
}

impl JoinError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OtherCluster { .. } => ErrorKind::Integrity,
            Self::Refused { refusal, .. } => refusal.kind,
            Self::Endpoint(error) => error.kind(),
        }
    }
}

/// The ledger of the cluster, in other processes.
pub(crate) struct Joined {
    pub(crate) ledger: Arc<RemoteLedger>,
    /// Origin line of its custody log.
    pub(crate) origin: String,
}

/// Asks the ledger at `endpoints` which cluster it is. Waits for it as long as it takes, saying so
/// in the log. `known` is the cluster that this process has worked for.
pub(crate) async fn join(
    endpoints: &[String],
    known: Option<&str>,
    channels: &Channels,
    entropy: &Arc<dyn Entropy>,
) -> Result<Joined, JoinError> {
    // It asks without saying where it belongs: what the ledger answers is compared here.
    let asking = RemoteLedgerOptions {
        deadline: ASK_TIMEOUT,
        attempt_deadline: ASK_TIMEOUT,
        ..RemoteLedgerOptions::new(endpoints.to_vec(), None)
    };
    let asking = RemoteLedger::new(asking, channels, entropy.clone())?;
    let endpoints_text = endpoints.join(", ");
    let mut waiting = Waiting::on(format!("the ledger at {endpoints_text}"));
    let found = loop {
        match asking.query(Query::Cluster).await {
            Ok(Answer::Cluster(Some(cluster))) => break cluster.origin,
            Ok(_) => waiting.say(&"it has not begun its cluster yet"),
            Err(LedgerError::Refused(refusal)) => {
                return Err(JoinError::Refused { endpoints: endpoints_text, refusal });
            }
            Err(error) => waiting.say(&error),
        }
        sleep(ASK_PAUSE).await;
    };
    waiting.end();
    if let Some(expected) = known.filter(|known| *known != found) {
        let expected = expected.to_owned();
        return Err(JoinError::OtherCluster { expected, found, endpoints: endpoints_text });
    }
    let options = RemoteLedgerOptions::new(endpoints.to_vec(), Some(found.clone()));
    let ledger = Arc::new(RemoteLedger::new(options, channels, entropy.clone())?);
    Ok(Joined { ledger, origin: found })
}
