use custos_core::{Act, Blake3Hash, EvidenceId, LogIndex, Sha256Hash, Timestamp};
use prost::Message;

use crate::{
    DecodeError, Policy,
    convert::{fixed, need, parse, version},
    proto,
};

/// Version of the leaf that this software writes.
const VERSION: u32 = 1;

/// Public part of a custody entry: the leaf of the Merkle tree. Anyone may see it; names, places
/// and reasons are only committed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyLeaf {
    /// Position in the log.
    pub index: LogIndex,
    /// Cluster time of the act.
    pub time: Timestamp,
    /// What was done.
    pub act: Act,
    /// To which evidence.
    pub evidence_id: Option<EvidenceId>,
    /// About which record of the law, kind and id: `case/C-2026-17`; none for persons.
    pub record: Option<String>,
    /// What else the act fixes in public.
    pub subject: Subject,
    /// SHA-256(0x02 ‖ salt ‖ body) of the private part.
    pub private_commitment: [u8; 32],
}

/// What an act fixes in public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Nothing more.
    None,
    /// For [`Act::Genesis`].
    Genesis {
        /// Origin line of the log.
        origin: String,
        /// The rules' parameters.
        policy: Policy,
    },
    /// For [`Act::Sealed`].
    Sealed(SealedSubject),
}

/// What a seal fixes in public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSubject {
    /// Plaintext bytes.
    pub size: u64,
    /// Plain BLAKE3 of the bytes.
    pub blake3: Blake3Hash,
    /// SHA-256 of the bytes.
    pub sha256: Sha256Hash,
    /// SHA-256(0x03 ‖ SHA-256(0x04 ‖ salt) ‖ encoded descriptor): salted, so that nobody finds
    /// the descriptor by guessing, and with a salt of its own, so that the descriptor can be
    /// disclosed without the rest of the private part.
    pub descriptor_digest: [u8; 32],
    /// The evidence must not end before this time.
    pub retain_until: Timestamp,
}

impl CustodyLeaf {
    /// The canonical bytes: what [`leaf_hash`](crate::merkle::leaf_hash) is taken of.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (mut genesis, mut sealed) = (None, None);
        match &self.subject {
            Subject::None => {}
            Subject::Genesis { origin, policy } => {
                genesis = Some(proto::GenesisSubject {
                    origin: origin.clone(),
                    policy: Some(policy.into()),
                });
            }
            Subject::Sealed(subject) => {
                sealed = Some(proto::SealedSubject {
                    size: subject.size,
                    blake3: subject.blake3.0.to_vec(),
                    sha256: subject.sha256.0.to_vec(),
                    descriptor_digest: subject.descriptor_digest.to_vec(),
                    retain_until_ms: subject.retain_until.as_millis(),
                });
            }
        }
        let stored = proto::CustodyLeaf {
            version: VERSION,
            index: self.index.0,
            time_ms: self.time.as_millis(),
            act: stored_act(self.act).into(),
            evidence_id: self.evidence_id.map(|id| id.as_bytes().to_vec()),
            genesis,
            sealed,
            record: self.record.clone(),
            private_commitment: self.private_commitment.to_vec(),
        };
        stored.encode_to_vec()
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// When they are no leaf, one of a newer version, or not in the one encoding that
    /// [`encode`](Self::encode) gives: two readers never take different things from one leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const M: &str = "CustodyLeaf";
        let stored: proto::CustodyLeaf = parse(M, bytes)?;
        version(M, stored.version, VERSION)?;
        let act = need(M, "act", act_of(stored.act()))?;
        let evidence_id = match &stored.evidence_id {
            Some(id) => Some(EvidenceId::from_bytes(fixed(M, "evidence_id", id)?)),
            None => None,
        };
        let subject = match (act, stored.genesis, stored.sealed) {
            (Act::Genesis, Some(genesis), None) => Subject::Genesis {
                origin: genesis.origin,
                policy: need("GenesisSubject", "policy", genesis.policy)?.try_into()?,
            },
            (Act::Sealed, None, Some(sealed)) => Subject::Sealed(sealed_subject(&sealed)?),
            (Act::Genesis | Act::Sealed, _, _) | (_, Some(_), _) | (_, _, Some(_)) => {
                return Err(DecodeError::Field { message: M, field: "subject" });
            }
            (_, None, None) => Subject::None,
        };
        let leaf = Self {
            index: LogIndex(stored.index),
            time: Timestamp::from_millis(stored.time_ms),
            act,
            evidence_id,
            record: stored.record,
            subject,
            private_commitment: fixed(M, "private_commitment", &stored.private_commitment)?,
        };
        if leaf.encode() == bytes {
            Ok(leaf)
        } else {
            Err(DecodeError::NotCanonical { message: M })
        }
    }
}

fn sealed_subject(stored: &proto::SealedSubject) -> Result<SealedSubject, DecodeError> {
    const M: &str = "SealedSubject";
    Ok(SealedSubject {
        size: stored.size,
        blake3: Blake3Hash(fixed(M, "blake3", &stored.blake3)?),
        sha256: Sha256Hash(fixed(M, "sha256", &stored.sha256)?),
        descriptor_digest: fixed(M, "descriptor_digest", &stored.descriptor_digest)?,
        retain_until: Timestamp::from_millis(stored.retain_until_ms),
    })
}

/// The stored number of an act.
pub(crate) fn stored_act(act: Act) -> proto::Act {
    match act {
        Act::Genesis => proto::Act::Genesis,
        Act::UploadOpened => proto::Act::UploadOpened,
        Act::Sealed => proto::Act::Sealed,
        Act::UploadAborted => proto::Act::UploadAborted,
        Act::Viewed => proto::Act::Viewed,
        Act::Refused => proto::Act::Refused,
        Act::ClusterChanged => proto::Act::ClusterChanged,
        Act::DamageFound => proto::Act::DamageFound,
        Act::DamageRepaired => proto::Act::DamageRepaired,
        Act::RegisterChanged => proto::Act::RegisterChanged,
        Act::PolicySet => proto::Act::PolicySet,
        Act::ClockConfirmed => proto::Act::ClockConfirmed,
        Act::CaseOpened => proto::Act::CaseOpened,
        Act::CaseChanged => proto::Act::CaseChanged,
        Act::CaseClosed => proto::Act::CaseClosed,
        Act::CaseArchived => proto::Act::CaseArchived,
        Act::CaseReopened => proto::Act::CaseReopened,
        Act::Filed => proto::Act::Filed,
        Act::Noted => proto::Act::Noted,
        Act::Described => proto::Act::Described,
        Act::Related => proto::Act::Related,
        Act::Classified => proto::Act::Classified,
        Act::RetentionExtended => proto::Act::RetentionExtended,
        Act::CopyRegistered => proto::Act::CopyRegistered,
        Act::HoldPlaced => proto::Act::HoldPlaced,
        Act::HoldReleaseAsked => proto::Act::HoldReleaseAsked,
        Act::HoldReleased => proto::Act::HoldReleased,
        Act::GrantApplied => proto::Act::GrantApplied,
        Act::GrantApproved => proto::Act::GrantApproved,
        Act::GrantRefused => proto::Act::GrantRefused,
        Act::GrantRevoked => proto::Act::GrantRevoked,
        Act::Copied => proto::Act::Copied,
        Act::TakenOut => proto::Act::TakenOut,
        Act::DispositionProposed => proto::Act::DispositionProposed,
        Act::DispositionApproved => proto::Act::DispositionApproved,
        Act::DispositionStopped => proto::Act::DispositionStopped,
        Act::DispositionOrdered => proto::Act::DispositionOrdered,
        Act::Disposed => proto::Act::Disposed,
    }
}

/// The act of a stored number, if it is known.
pub(crate) fn act_of(stored: proto::Act) -> Option<Act> {
    Act::ALL.iter().copied().find(|act| stored_act(*act) == stored)
}
