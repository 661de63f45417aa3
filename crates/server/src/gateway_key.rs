//! Makes sure that a gateway has the key that its cluster's evidence is sealed under.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use custos_codec::kek_id_of;
use custos_core::{Actor, ErrorKind, EvidenceRecord};
use custos_ledger::{Answer, Command, Envelope, Outcome, Query};
use custos_ports::{Entropy, KeyRing, KeyRingError, Ledger, LedgerError};
use tokio::time::sleep;

use crate::{
    data_dir::make_key,
    durable_file,
    keys::{Kek, KekError, KekId, LocalKeyRing},
    waiting::Waiting,
};

/// Pause after a ledger that did not answer.
const ASK_PAUSE: Duration = Duration::from_millis(500);

/// Why a gateway has not the right key.
#[derive(Debug, thiserror::Error)]
pub enum GatewayKeyError {
    /// It has none, and the cluster has evidence.
    #[error(
        "key file {} is missing, and the evidence of this cluster is sealed under key {needed}: \
         copy that key file from another gateway or from where it is kept; none was made",
        path.display()
    )]
    Missing {
        /// The key file.
        path: PathBuf,
        /// Key that is needed.
        needed: KekId,
    },
    /// It has another one.
    #[error(
        "key file {} holds key {found}, and the evidence of this cluster is sealed under key \
         {needed}: move this file aside (do not write over it: something may be sealed under it) \
         and copy that key file here from another gateway or from where it is kept",
        path.display()
    )]
    Other {
        /// The key file.
        path: PathBuf,
        /// Key in the file.
        found: KekId,
        /// Key that is needed.
        needed: KekId,
    },
    /// It has one of the right name that opens nothing.
    #[error("key file {} does not open what its own key {id} has sealed", path.display())]
    OpensNothing {
        /// The key file.
        path: PathBuf,
        /// Key in the file, by its name.
        id: KekId,
        /// What failed.
        source: KeyRingError,
    },
    /// What the ledger holds is no wrapped key.
    #[error("the wrapped key of {evidence} in the ledger is damaged: {reason}")]
    Damaged {
        /// Whose key.
        evidence: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key file could not be made.
    #[error(transparent)]
    Kek(#[from] KekError),
    /// The ledger does not answer as it should.
    #[error("the ledger cannot be asked which key is needed")]
    Ledger(#[source] LedgerError),
}

impl GatewayKeyError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } => ErrorKind::Unavailable,
            Self::Other { .. } | Self::OpensNothing { .. } | Self::Damaged { .. } => {
                ErrorKind::Integrity
            }
            Self::Kek(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
        }
    }
}

/// The key that the gateway seals under: the one that the ledger says, which is the first that a
/// gateway of this cluster had. One that is there must open what the cluster has.
///
/// A new key is written beside the key file first, then named to the ledger, and takes its place
/// only when it is the cluster's: of two gateways that begin at once, one finds no key.
pub(crate) async fn settle(
    ledger: &dyn Ledger,
    path: &Path,
    kek: Option<Kek>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Kek, GatewayKeyError> {
    let record = any_evidence(ledger).await?;
    let kek = match (kek, &record) {
        (Some(kek), Some(record)) => opening(record, path, kek, entropy)?,
        (Some(kek), None) => kek,
        (None, Some(record)) => {
            return Err(GatewayKeyError::Missing {
                path: path.to_owned(),
                needed: key_of(record)?,
            });
        }
        (None, None) => return begin(ledger, path, entropy).await,
    };
    let needed = adopt(ledger, kek.id(), entropy).await?;
    if kek.id() == needed {
        return Ok(kek);
    }
    Err(GatewayKeyError::Other { path: path.to_owned(), found: kek.id(), needed })
}

/// Makes the first key of a cluster, unless another gateway has.
async fn begin(
    ledger: &dyn Ledger,
    path: &Path,
    entropy: &Arc<dyn Entropy>,
) -> Result<Kek, GatewayKeyError> {
    let draft = path.with_extension("first");
    let kek = match Kek::load(&draft)? {
        Some(kek) => kek,
        None => make_key(&draft, KekId(entropy.array()), &**entropy)?,
    };
    let needed = adopt(ledger, kek.id(), entropy).await?;
    if kek.id() != needed {
        // Nothing was ever sealed under it.
        durable_file::remove(&draft).map_err(KekError::from)?;
        return Err(GatewayKeyError::Missing { path: path.to_owned(), needed });
    }
    durable_file::rename(&draft, path).map_err(KekError::from)?;
    Ok(kek)
}

/// The key, when it opens this item's data key.
fn opening(
    record: &EvidenceRecord,
    path: &Path,
    kek: Kek,
    entropy: &Arc<dyn Entropy>,
) -> Result<Kek, GatewayKeyError> {
    let needed = key_of(record)?;
    let path = path.to_owned();
    if kek.id() != needed {
        return Err(GatewayKeyError::Other { path, found: kek.id(), needed });
    }
    let ring = LocalKeyRing::new(kek, entropy.clone());
    match ring.unwrap(&record.wrapped_key, record.evidence_id) {
        Ok(_) => Ok(ring.into_kek()),
        Err(source) => Err(GatewayKeyError::OpensNothing { path, id: needed, source }),
    }
}

fn key_of(record: &EvidenceRecord) -> Result<KekId, GatewayKeyError> {
    kek_id_of(&record.wrapped_key).map(KekId).map_err(|error| GatewayKeyError::Damaged {
        evidence: record.evidence_id.to_string(),
        reason: error.to_string(),
    })
}

/// Names a key to the ledger; returns the one that is the cluster's.
async fn adopt(
    ledger: &dyn Ledger,
    key: KekId,
    entropy: &Arc<dyn Entropy>,
) -> Result<KekId, GatewayKeyError> {
    let envelope = Envelope {
        request_id: entropy.array(),
        actor: Actor::system(),
        entry_salt: entropy.array(),
        command: Command::AdoptKey { key_id: key.0 },
    };
    let mut waiting = Waiting::on("the ledger, to name the key of this gateway");
    loop {
        match ledger.submit(envelope.clone()).await {
            Ok(Outcome::KeyAdopted(adopted)) => {
                waiting.end();
                return Ok(KekId(adopted));
            }
            Ok(_) => {
                let reason = "the answer to a key that was named is another".to_owned();
                return Err(GatewayKeyError::Ledger(LedgerError::Fault { reason }));
            }
            Err(error) if error.kind().is_retryable() => waiting.say(&error),
            Err(error) => return Err(GatewayKeyError::Ledger(error)),
        }
        sleep(ASK_PAUSE).await;
    }
}

/// Some sealed item, when the cluster has one. Waits for a ledger that does not answer.
async fn any_evidence(ledger: &dyn Ledger) -> Result<Option<EvidenceRecord>, GatewayKeyError> {
    let mut waiting = Waiting::on("the ledger, to see which key is needed");
    loop {
        let query = Query::ListEvidence { after: None, limit: 1, case: None, recording: None };
        match ledger.query(query).await {
            Ok(Answer::List { items, .. }) => {
                waiting.end();
                return Ok(items.into_iter().next());
            }
            Ok(_) => {
                let reason = "the answer to a query for evidence is another".to_owned();
                return Err(GatewayKeyError::Ledger(LedgerError::Fault { reason }));
            }
            Err(error) if error.kind().is_retryable() => waiting.say(&error),
            Err(error) => return Err(GatewayKeyError::Ledger(error)),
        }
        sleep(ASK_PAUSE).await;
    }
}
