use custos_core::{
    Checkpoint, ClusterMap, CustodyEntry, Epoch, InclusionProof, LogIndex, Mirror, Timestamp,
};
use prost::Message;

use super::{fixed, mirrored, need, optional_evidence_id, parse};
use crate::{
    Answer, ClusterInfo, ConsistencyProof, DecodeError,
    custody::{act_of, stored_act},
    proto,
    proto::internal::{self, LedgerAnswer, ledger_answer::Answer as Sent},
};

impl Answer {
    /// The bytes that travel between processes (`custos.internal.v1.LedgerAnswer`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        LedgerAnswer { answer: Some(self.into()) }.encode_to_vec()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are no answer, or one that this software does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let sent: LedgerAnswer = parse("LedgerAnswer", bytes)?;
        Ok(match need("LedgerAnswer", "answer", sent.answer)? {
            Sent::Cluster(it) => Self::Cluster(it.info.map(TryInto::try_into).transpose()?),
            Sent::Evidence(it) => Self::Evidence(boxed(it.record)?),
            Sent::Upload(it) => Self::Upload(boxed(it.session)?),
            Sent::ListEvidence(it) => Self::List {
                items: all(it.items)?,
                resume_after: optional_evidence_id(
                    "EvidencePage",
                    "resume_after",
                    it.resume_after.as_deref(),
                )?,
            },
            Sent::Checkpoint(it) => Self::Checkpoint(it.try_into()?),
            Sent::Entries(it) => {
                Self::Entries { items: all(it.items)?, next: it.next.map(LogIndex) }
            }
            Sent::Inclusion(it) => Self::Inclusion(boxed(it.proof)?),
            Sent::Consistency(it) => {
                Self::Consistency(it.proof.map(TryInto::try_into).transpose()?)
            }
            Sent::ClusterMap(it) => Self::ClusterMap(boxed(it.map)?),
            Sent::Damage(it) => {
                Self::Damage { items: all(it.items)?, total: it.total, more: it.more }
            }
            Sent::MetaMembers(it) => Self::MetaMembers(all(it.members)?),
            Sent::Law(it) => {
                let answer = need("LawAnswer", "answer", it.answer)?;
                Self::Law(Box::new(mirrored("LawAnswer", answer)?))
            }
        })
    }
}

impl From<&Answer> for Sent {
    fn from(answer: &Answer) -> Self {
        match answer {
            Answer::Cluster(info) => {
                Self::Cluster(internal::ClusterAnswer { info: info.as_ref().map(Into::into) })
            }
            Answer::Evidence(record) => {
                let record = record.as_deref().map(Into::into);
                Self::Evidence(internal::EvidenceAnswer { record })
            }
            Answer::Upload(session) => {
                let session = session.as_deref().map(Into::into);
                Self::Upload(internal::UploadAnswer { session })
            }
            Answer::List { items, resume_after } => Self::ListEvidence(internal::EvidencePage {
                items: items.iter().map(Into::into).collect(),
                resume_after: resume_after.map(|id| id.as_bytes().to_vec()),
            }),
            Answer::Checkpoint(checkpoint) => Self::Checkpoint(checkpoint.into()),
            Answer::Entries { items, next } => Self::Entries(internal::EntryPage {
                items: items.iter().map(Into::into).collect(),
                next: next.map(|index| index.0),
            }),
            Answer::Inclusion(proof) => {
                let proof = proof.as_deref().map(Into::into);
                Self::Inclusion(internal::InclusionAnswer { proof })
            }
            Answer::Consistency(proof) => {
                let proof = proof.as_ref().map(Into::into);
                Self::Consistency(internal::ConsistencyAnswer { proof })
            }
            Answer::ClusterMap(map) => {
                let map = map.as_deref().map(Into::into);
                Self::ClusterMap(internal::ClusterMapAnswer { map })
            }
            Answer::Damage { items, total, more } => Self::Damage(internal::DamagePage {
                items: items.iter().map(Into::into).collect(),
                total: *total,
                more: *more,
            }),
            Answer::Law(answer) => {
                Self::Law(proto::LawAnswer { answer: Some(answer.to_message()) })
            }
            Answer::MetaMembers(members) => Self::MetaMembers(internal::MetaMembersAnswer {
                members: members.iter().map(Into::into).collect(),
            }),
        }
    }
}

fn all<S, T: TryFrom<S, Error = DecodeError>>(sent: Vec<S>) -> Result<Vec<T>, DecodeError> {
    sent.into_iter().map(T::try_from).collect()
}

fn boxed<S, T: TryFrom<S, Error = DecodeError>>(
    sent: Option<S>,
) -> Result<Option<Box<T>>, DecodeError> {
    sent.map(|it| T::try_from(it).map(Box::new)).transpose()
}

fn hashes(message: &'static str, sent: &[Vec<u8>]) -> Result<Vec<[u8; 32]>, DecodeError> {
    sent.iter().map(|hash| fixed(message, "path", hash)).collect()
}

fn sent_hashes(path: &[[u8; 32]]) -> Vec<Vec<u8>> {
    path.iter().map(|hash| hash.to_vec()).collect()
}

impl From<&ClusterInfo> for internal::ClusterInfo {
    fn from(info: &ClusterInfo) -> Self {
        Self {
            origin: info.origin.clone(),
            policy: Some((&info.policy).into()),
            time_ms: info.time.as_millis(),
            routing: Some((&info.routing).into()),
        }
    }
}

impl TryFrom<internal::ClusterInfo> for ClusterInfo {
    type Error = DecodeError;

    fn try_from(sent: internal::ClusterInfo) -> Result<Self, DecodeError> {
        Ok(Self {
            policy: need("ClusterInfo", "policy", sent.policy)?.try_into()?,
            origin: sent.origin,
            time: Timestamp::from_millis(sent.time_ms),
            routing: need("ClusterInfo", "routing", sent.routing)?.try_into()?,
        })
    }
}

impl From<&Checkpoint> for internal::Checkpoint {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self {
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root.to_vec(),
        }
    }
}

impl TryFrom<internal::Checkpoint> for Checkpoint {
    type Error = DecodeError;

    fn try_from(sent: internal::Checkpoint) -> Result<Self, DecodeError> {
        let root = fixed("Checkpoint", "root", &sent.root)?;
        Ok(Self { origin: sent.origin, size: sent.size, root })
    }
}

impl From<&CustodyEntry> for internal::CustodyEntry {
    fn from(entry: &CustodyEntry) -> Self {
        Self {
            index: entry.index.0,
            time_ms: entry.time.as_millis(),
            act: stored_act(entry.act).into(),
            evidence_id: entry.evidence_id.map(|id| id.as_bytes().to_vec()),
            actor: entry.actor.clone(),
            detail: entry.detail.clone(),
            record: entry.record.clone(),
            leaf: entry.leaf.clone(),
        }
    }
}

impl TryFrom<internal::CustodyEntry> for CustodyEntry {
    type Error = DecodeError;

    fn try_from(sent: internal::CustodyEntry) -> Result<Self, DecodeError> {
        const M: &str = "CustodyEntry";
        Ok(Self {
            index: LogIndex(sent.index),
            time: Timestamp::from_millis(sent.time_ms),
            act: need(M, "act", act_of(sent.act()))?,
            evidence_id: optional_evidence_id(M, "evidence_id", sent.evidence_id.as_deref())?,
            actor: sent.actor,
            detail: sent.detail,
            record: sent.record,
            leaf: sent.leaf,
        })
    }
}

impl From<&InclusionProof> for internal::InclusionProof {
    fn from(proof: &InclusionProof) -> Self {
        Self {
            index: proof.index.0,
            leaf: proof.leaf.clone(),
            path: sent_hashes(&proof.path),
            checkpoint: Some((&proof.checkpoint).into()),
        }
    }
}

impl TryFrom<internal::InclusionProof> for InclusionProof {
    type Error = DecodeError;

    fn try_from(sent: internal::InclusionProof) -> Result<Self, DecodeError> {
        const M: &str = "InclusionProof";
        Ok(Self {
            index: LogIndex(sent.index),
            path: hashes(M, &sent.path)?,
            checkpoint: need(M, "checkpoint", sent.checkpoint)?.try_into()?,
            leaf: sent.leaf,
        })
    }
}

impl From<&ConsistencyProof> for internal::ConsistencyProof {
    fn from(proof: &ConsistencyProof) -> Self {
        Self {
            old: proof.old,
            path: sent_hashes(&proof.path),
            checkpoint: Some((&proof.checkpoint).into()),
        }
    }
}

impl TryFrom<internal::ConsistencyProof> for ConsistencyProof {
    type Error = DecodeError;

    fn try_from(sent: internal::ConsistencyProof) -> Result<Self, DecodeError> {
        const M: &str = "ConsistencyProof";
        Ok(Self {
            old: sent.old,
            path: hashes(M, &sent.path)?,
            checkpoint: need(M, "checkpoint", sent.checkpoint)?.try_into()?,
        })
    }
}

impl From<&ClusterMap> for internal::ClusterMap {
    fn from(map: &ClusterMap) -> Self {
        Self {
            epoch: map.epoch.0,
            nodes: map.nodes.iter().map(Into::into).collect(),
            disks: map.disks.iter().map(Into::into).collect(),
            vaults: map.vaults.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<internal::ClusterMap> for ClusterMap {
    type Error = DecodeError;

    /// Checks the order of each list too: lookups rely on it.
    fn try_from(sent: internal::ClusterMap) -> Result<Self, DecodeError> {
        const M: &str = "ClusterMap";
        let map = Self {
            epoch: Epoch(sent.epoch),
            nodes: all(sent.nodes)?,
            disks: all(sent.disks)?,
            vaults: all(sent.vaults)?,
        };
        need(M, "nodes", map.nodes.is_sorted_by_key(|node| node.node_id).then_some(()))?;
        need(M, "disks", map.disks.is_sorted_by_key(|disk| disk.disk_id).then_some(()))?;
        need(M, "vaults", map.vaults.is_sorted_by_key(|vault| vault.vault_id).then_some(()))?;
        Ok(map)
    }
}
