use custos_core::{Epoch, LogIndex, Mirror};
use prost::Message;

use super::{fixed, mirrored, need, parse};
use crate::{
    DecodeError, Outcome,
    proto::internal::{self, LedgerOutcome, Nothing, ledger_outcome::Outcome as Sent},
};

impl Outcome {
    /// The bytes that travel between processes (`custos.internal.v1.LedgerOutcome`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let outcome = match self {
            Self::Initialised => Sent::Initialised(Nothing {}),
            Self::UploadOpen(session) => Sent::UploadOpen(session.as_ref().into()),
            Self::AlreadySealed(record) => Sent::AlreadySealed(record.as_ref().into()),
            Self::Sealed(record) => Sent::Sealed(record.as_ref().into()),
            Self::Aborted(index) => Sent::Aborted(index.0),
            Self::ViewRecorded(index) => Sent::ViewRecorded(index.0),
            Self::MapChanged(epoch) => Sent::MapChanged(epoch.0),
            Self::DamageNoted => Sent::DamageNoted(Nothing {}),
            Self::KeyAdopted(key_id) => Sent::KeyAdopted(key_id.to_vec()),
            Self::MetaAdmitted(member) => Sent::MetaAdmitted(member.into()),
            Self::MetaRetired(member) => Sent::MetaRetired(member.into()),
            Self::BackupRecorded(index) => Sent::BackupRecorded(index.0),
            Self::LawDone { log_index, record } => Sent::LawDone(internal::LawDone {
                log_index: log_index.0,
                record: record.as_deref().map(Mirror::to_message),
            }),
            Self::TimeKept => Sent::TimeKept(Nothing {}),
        };
        LedgerOutcome { outcome: Some(outcome) }.encode_to_vec()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are no outcome, or one that this software does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let sent: LedgerOutcome = parse("LedgerOutcome", bytes)?;
        Ok(match need("LedgerOutcome", "outcome", sent.outcome)? {
            Sent::Initialised(Nothing {}) => Self::Initialised,
            Sent::UploadOpen(session) => Self::UploadOpen(Box::new(session.try_into()?)),
            Sent::AlreadySealed(record) => Self::AlreadySealed(Box::new(record.try_into()?)),
            Sent::Sealed(record) => Self::Sealed(Box::new(record.try_into()?)),
            Sent::Aborted(index) => Self::Aborted(LogIndex(index)),
            Sent::ViewRecorded(index) => Self::ViewRecorded(LogIndex(index)),
            Sent::MapChanged(epoch) => Self::MapChanged(Epoch(epoch)),
            Sent::DamageNoted(Nothing {}) => Self::DamageNoted,
            Sent::KeyAdopted(key_id) => {
                Self::KeyAdopted(fixed("LedgerOutcome", "key_adopted", &key_id)?)
            }
            Sent::MetaAdmitted(member) => Self::MetaAdmitted(member.try_into()?),
            Sent::MetaRetired(member) => Self::MetaRetired(member.try_into()?),
            Sent::BackupRecorded(index) => Self::BackupRecorded(LogIndex(index)),
            Sent::LawDone(it) => Self::LawDone {
                log_index: LogIndex(it.log_index),
                record: match it.record {
                    Some(record) => Some(Box::new(mirrored("VersionedRecord", record)?)),
                    None => None,
                },
            },
            Sent::TimeKept(Nothing {}) => Self::TimeKept,
        })
    }
}
