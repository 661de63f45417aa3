//! Makes sure that a gateway has the key that its cluster's evidence is sealed under.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use custos_codec::kek_id_of;
use custos_core::{ErrorKind, EvidenceRecord};
use custos_ledger::{Answer, Query};
use custos_ports::{Entropy, KeyRing, KeyRingError, Ledger, LedgerError};
use tokio::time::sleep;

use crate::{
    data_dir::make_key,
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
         {needed}: copy that key file from another gateway or from where it is kept",
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

/// The key that the gateway seals under. A new one is made only for a cluster without evidence;
/// one that is there must open what the cluster has.
pub(crate) async fn settle(
    ledger: &dyn Ledger,
    path: &Path,
    kek: Option<Kek>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Kek, GatewayKeyError> {
    let Some(record) = any_evidence(ledger).await? else {
        return match kek {
            Some(kek) => Ok(kek),
            None => Ok(make_key(path, KekId(entropy.array()), &**entropy)?),
        };
    };
    let id = record.evidence_id;
    let needed = kek_id_of(&record.wrapped_key).map(KekId).map_err(|error| {
        GatewayKeyError::Damaged { evidence: id.to_string(), reason: error.to_string() }
    })?;
    let path = path.to_owned();
    let kek = match kek {
        None => return Err(GatewayKeyError::Missing { path, needed }),
        Some(kek) if kek.id() != needed => {
            return Err(GatewayKeyError::Other { path, found: kek.id(), needed });
        }
        Some(kek) => kek,
    };
    let ring = LocalKeyRing::new(kek, entropy.clone());
    match ring.unwrap(&record.wrapped_key, id) {
        Ok(_) => Ok(ring.into_kek()),
        Err(source) => Err(GatewayKeyError::OpensNothing { path, id: needed, source }),
    }
}

/// Some sealed item, when the cluster has one. Waits for a ledger that does not answer.
async fn any_evidence(ledger: &dyn Ledger) -> Result<Option<EvidenceRecord>, GatewayKeyError> {
    let mut waiting = Waiting::on("the ledger, to see which key is needed");
    loop {
        let query = Query::ListEvidence { after: None, limit: 1, case: None };
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
