//! How the ledger of this process becomes a member of its group, and what is served to the others.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use custos_core::{Actor, ErrorKind, MetaId};
use custos_ledger::{Command, Envelope, Outcome};
use custos_meta_node::GroupService;
use custos_metastore::{Beginning, GroupOptions, MetaStoreHandle};
use custos_peers::{Channels, GroupTransport, Joined, PeerError};
use custos_ports::{Entropy, Ledger, LedgerError};
use data_encoding::HEXLOWER;
use tokio::{net::TcpListener, time::sleep};

use crate::{
    config::{GroupConfig, TlsFiles},
    connections::accept,
    durable_file::{self, FileError, Readers},
    grpc,
    tls::TlsError,
    waiting::Waiting,
};

/// What this process calls itself when it joins, for ever: chosen once.
pub(crate) const TOKEN_FILE: &str = "group-token";
/// Pause between two rounds of asking to be taken in.
const JOIN_PAUSE: Duration = Duration::from_millis(500);
/// Pause between two requests for a vote.
const PROMOTION_PAUSE: Duration = Duration::from_millis(300);

/// Why the ledger is no member of its group.
#[derive(Debug, thiserror::Error)]
pub enum GroupStartError {
    /// The group does not take this process in.
    #[error("the ledger's group does not take this process in: {0}")]
    Refused(#[source] PeerError),
    /// The group is that of another cluster.
    #[error(
        "this folder belongs to cluster {expected}, the group at `group.join` is that of {found}: \
         check the configuration; nothing was changed"
    )]
    OtherCluster {
        /// Cluster of the folder.
        expected: String,
        /// Cluster of the group.
        found: String,
    },
    /// Its token cannot be understood.
    #[error("{} is damaged: it must hold 32 hexadecimal digits", path.display())]
    DamagedToken {
        /// The file.
        path: PathBuf,
    },
    /// The ledger knows this process under another id.
    #[error(
        "the ledger knows this process as metadata node {recorded}, its folder is that of {own}: \
         the folder is a copy; use the original, or empty it to join as a new node"
    )]
    OtherMember {
        /// In the ledger.
        recorded: MetaId,
        /// In the folder.
        own: MetaId,
    },
    /// The ledger did not record it.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file system failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its port cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl GroupStartError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(error) => error.kind(),
            Self::OtherCluster { .. } | Self::DamagedToken { .. } | Self::OtherMember { .. } => {
                ErrorKind::Integrity
            }
            Self::Ledger(error) => error.kind(),
            Self::File(error) => error.kind(),
            Self::Tls(error) => error.kind(),
        }
    }
}

/// This process as a member.
pub(crate) struct Member {
    config: GroupConfig,
    token: [u8; 16],
    transport: GroupTransport,
}

impl Member {
    /// Reads or chooses who it is. `channels` serve nothing else.
    pub(crate) fn new(
        config: &GroupConfig,
        data_dir: &Path,
        channels: Channels,
        entropy: &(dyn Entropy + 'static),
    ) -> Result<Self, GroupStartError> {
        let token = token(&data_dir.join(TOKEN_FILE), entropy)?;
        Ok(Self { config: config.clone(), token, transport: GroupTransport::new(channels) })
    }

    /// Asks the members that the configuration names to take this process in. Waits for them as
    /// long as it takes, saying so in the log.
    pub(crate) async fn join(&self) -> Result<Joined, GroupStartError> {
        let GroupConfig { name, endpoint, join, .. } = &self.config;
        let mut waiting = Waiting::on(format!("the ledger's group at {}", join.join(", ")));
        loop {
            for member in join {
                match self.transport.join(member, self.token, name, endpoint).await {
                    Ok(joined) => {
                        waiting.end();
                        tracing::info!(id = %joined.id, origin = joined.origin, "joined the group");
                        return Ok(joined);
                    }
                    Err(error @ PeerError::Failed { .. })
                        if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Invalid) =>
                    {
                        return Err(GroupStartError::Refused(error));
                    }
                    Err(error) => waiting.say(&error),
                }
            }
            sleep(JOIN_PAUSE).await;
        }
    }

    /// How the ledger's store is a member of the cluster with this origin line.
    pub(crate) fn options(&self, origin: &str, beginning: Beginning) -> GroupOptions {
        let transport = Arc::new(self.transport.clone());
        GroupOptions::new(origin, &self.config.endpoint, transport, beginning)
    }

    /// Whether it is to join others, and not to found a group.
    pub(crate) fn joins(&self) -> bool {
        !self.config.join.is_empty()
    }

    /// Makes sure that the ledger knows this process as member `own`.
    pub(crate) async fn record(
        &self,
        ledger: &MetaStoreHandle,
        own: MetaId,
        entropy: &(dyn Entropy + 'static),
    ) -> Result<(), GroupStartError> {
        let GroupConfig { name, endpoint, .. } = self.config.clone();
        let envelope = Envelope {
            request_id: entropy.array(),
            actor: Actor::system(),
            entry_salt: entropy.array(),
            command: Command::AdmitMeta { token: self.token, name, endpoint },
        };
        match ledger.submit(envelope).await? {
            Outcome::MetaAdmitted(member) if member.id == own => Ok(()),
            Outcome::MetaAdmitted(member) => {
                Err(GroupStartError::OtherMember { recorded: member.id, own })
            }
            other => Err(LedgerError::Fault { reason: format!("it answered {other:?}") }.into()),
        }
    }
}

/// Asks for a vote until this member has one, or is told that it gets none.
pub(crate) async fn ask_for_vote(ledger: MetaStoreHandle, own: MetaId) {
    let mut waiting = Waiting::on("a vote in the ledger's group".to_owned());
    loop {
        match ledger.promote(own).await {
            Ok(()) => {
                tracing::info!(id = %own, "this process has a vote in the ledger's group");
                break;
            }
            Err(error @ LedgerError::Refused(_)) => {
                tracing::error!(%error, "this process gets no vote in the ledger's group");
                return;
            }
            Err(error) => waiting.say(&error),
        }
        if ledger.status().is_none() {
            return;
        }
        sleep(PROMOTION_PAUSE).await;
    }
    waiting.end();
}

/// Serves the store to the other members, until it is dropped.
pub(crate) fn serve(
    files: &TlsFiles,
    listener: TcpListener,
    service: GroupService,
) -> Result<impl Future<Output = ()> + Send + 'static, TlsError> {
    let router = grpc::group_router(files, service)?;
    Ok(async move {
        if let Err(error) = router.serve_with_incoming(accept(listener)).await {
            tracing::error!(%error, "the group's port is not served any more");
        }
    })
}

fn token(path: &Path, entropy: &(dyn Entropy + 'static)) -> Result<[u8; 16], GroupStartError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = HEXLOWER.decode(text.trim_end().as_bytes()).ok();
            bytes
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| GroupStartError::DamagedToken { path: path.to_owned() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = entropy.array::<16>();
            write_token(path, &token)?;
            Ok(token)
        }
        Err(_) => Err(GroupStartError::DamagedToken { path: path.to_owned() }),
    }
}

/// Chooses for a folder what it calls itself when it joins.
pub(crate) fn write_token(path: &Path, token: &[u8; 16]) -> Result<(), FileError> {
    let text = format!("{}\n", HEXLOWER.encode(token));
    durable_file::replace(path, text.as_bytes(), Readers::Everyone)
}
