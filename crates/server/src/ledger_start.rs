//! Opens the ledger of a node, begins it at the first start, and makes sure that it is the node's.

use std::{fs, path::Path, path::PathBuf};

use custos_core::{Actor, ErrorKind};
use custos_ledger::{Answer, ClusterInfo, Command, Envelope, Policy, Query};
use custos_metastore::{MetaStore, MetaStoreHandle, OpenError, Options};
use custos_ports::{Entropy, Ledger, LedgerError};

use crate::{data_dir::Stage, waiting::Waiting};

/// Why the ledger of a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum LedgerStartError {
    /// The ledger's folder is gone or empty.
    #[error(
        "the ledger in {} is gone: restore it from a copy; without it the shards on the disks \
         cannot be used",
        dir.display()
    )]
    Lost {
        /// The ledger's folder.
        dir: PathBuf,
    },
    /// The ledger is that of another cluster.
    #[error(
        "the ledger in {} is that of cluster {found}, this node belongs to {expected}",
        dir.display()
    )]
    Foreign {
        /// The ledger's folder.
        dir: PathBuf,
        /// Origin in the ledger.
        found: String,
        /// Origin of the node.
        expected: String,
    },
    /// It did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It opened and does not answer.
    #[error(transparent)]
    Call(#[from] LedgerError),
}

impl LedgerStartError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Lost { .. } | Self::Foreign { .. } => ErrorKind::Integrity,
            Self::Open(error) => error.kind(),
            Self::Call(error) => error.kind(),
        }
    }
}

/// The cluster that a ledger is of.
#[derive(Clone, Copy)]
pub(crate) struct Begun<'a> {
    /// Origin line of its custody log.
    pub(crate) origin: &'a str,
    /// Whether it begins now.
    pub(crate) stage: Stage,
    /// Parameters of the rules, if it begins now.
    pub(crate) policy: &'a Policy,
}

/// Opens the ledger of a node that has been here before, or begins.
pub(crate) async fn open(
    options: Options,
    stage: Stage,
) -> Result<MetaStoreHandle, LedgerStartError> {
    if stage == Stage::Settled && !has_contents(&options.dir) {
        return Err(LedgerStartError::Lost { dir: options.dir });
    }
    Ok(MetaStore::open(options).await?)
}

/// Begins the cluster, or makes sure that the ledger is of it. Waits for the other members of the
/// ledger's group as long as it takes, saying so in the log.
pub(crate) async fn settle(
    ledger: &MetaStoreHandle,
    dir: &Path,
    begun: Begun<'_>,
    entropy: &(dyn Entropy + 'static),
) -> Result<(), LedgerStartError> {
    let Begun { origin, stage, policy } = begun;
    let mut waiting = Waiting::on("the other members of the ledger's group");
    while let Err(error) = ledger.wait_until_current().await {
        if !matches!(error, LedgerError::Unavailable { .. }) || ledger.status().is_none() {
            return Err(error.into());
        }
        waiting.say(&error);
    }
    waiting.end();
    if stage == Stage::Beginning {
        // Asked for again after a first start that was cut short, it changes nothing.
        let command = Command::InitCluster { origin: origin.to_owned(), policy: policy.clone() };
        let envelope = Envelope {
            request_id: entropy.array(),
            actor: Actor::system(),
            entry_salt: entropy.array(),
            command,
        };
        ledger.submit(envelope).await?;
        tracing::info!(%origin, "cluster begun");
        return Ok(());
    }
    let Answer::Cluster(Some(cluster)) = ledger.query(Query::Cluster).await? else {
        return Err(LedgerStartError::Lost { dir: dir.to_owned() });
    };
    check_cluster(cluster, dir, origin, policy)
}

fn check_cluster(
    cluster: ClusterInfo,
    dir: &Path,
    expected: &str,
    policy: &Policy,
) -> Result<(), LedgerStartError> {
    if cluster.origin != expected {
        let (dir, found, expected) = (dir.to_owned(), cluster.origin, expected.to_owned());
        return Err(LedgerStartError::Foreign { dir, found, expected });
    }
    if cluster.policy != *policy {
        tracing::warn!(
            configured = ?policy, in_force = ?cluster.policy,
            "the policy in the configuration is not the one in the ledger; the ledger's counts"
        );
    }
    Ok(())
}

fn has_contents(dir: &Path) -> bool {
    fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}
