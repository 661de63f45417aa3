use custos_core::{DiskId, Epoch, EvidenceId, LogIndex, Mirror};
use prost::Message;

use super::{fixed, mirrored, need, optional_evidence_id, parse};
use crate::{
    DecodeError, Query, proto,
    proto::internal::{
        DamageListing, DamagePosition, EntryListing, EvidenceListing, LedgerQuery, LedgerQueryBy,
        Nothing, ledger_query::Query as Sent,
    },
};

impl Query {
    /// The bytes that travel between processes (`custos.internal.v1.LedgerQuery`).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        LedgerQuery { query: Some(self.into()) }.encode_to_vec()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// When the bytes are no query, or one that this software does not know.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const M: &str = "LedgerQuery";
        let id = |field, bytes: &[u8]| fixed(M, field, bytes).map(EvidenceId::from_bytes);
        let sent: LedgerQuery = parse(M, bytes)?;
        Ok(match need(M, "query", sent.query)? {
            Sent::Cluster(Nothing {}) => Self::Cluster,
            Sent::Evidence(it) => Self::Evidence(id("evidence", &it)?),
            Sent::Upload(it) => Self::Upload(id("upload", &it)?),
            Sent::ListEvidence(it) => Self::ListEvidence {
                after: optional_evidence_id("EvidenceListing", "after", it.after.as_deref())?,
                limit: limit_of(it.limit),
                case: it.case_id,
                recording: it.recording,
            },
            Sent::Checkpoint(Nothing {}) => Self::Checkpoint,
            Sent::Entries(it) => Self::Entries {
                from: LogIndex(it.from),
                limit: limit_of(it.limit),
                evidence_id: optional_evidence_id(
                    "EntryListing",
                    "evidence_id",
                    it.evidence_id.as_deref(),
                )?,
                record: it.record,
            },
            Sent::ProveInclusion(index) => Self::ProveInclusion(LogIndex(index)),
            Sent::ProveConsistency(old) => Self::ProveConsistency { old },
            Sent::ClusterMap(epoch) => Self::ClusterMap { newer_than: Epoch(epoch) },
            Sent::ListDamage(it) => {
                let after = it.after.map(position_of).transpose()?;
                let evidence_id = optional_evidence_id(
                    "DamageListing",
                    "evidence_id",
                    it.evidence_id.as_deref(),
                )?;
                Self::ListDamage { after, limit: limit_of(it.limit), evidence_id }
            }
            Sent::MetaMembers(Nothing {}) => Self::MetaMembers,
            Sent::By(it) => {
                const BY: &str = "LedgerQueryBy";
                let reader = need(BY, "reader", it.reader)?.try_into()?;
                let is_plain = |it: &LedgerQuery| !matches!(it.query, Some(Sent::By(_)));
                let query = need(BY, "query", it.query.map(|it| *it).filter(is_plain))?;
                Self::By { reader, query: Box::new(Self::decode(&query.encode_to_vec())?) }
            }
            Sent::Law(it) => Self::Law(mirrored("LawQuery", need("LawQuery", "query", it.query)?)?),
        })
    }
}

impl From<&Query> for Sent {
    fn from(query: &Query) -> Self {
        match query {
            Query::Cluster => Self::Cluster(Nothing {}),
            Query::Evidence(id) => Self::Evidence(id.as_bytes().to_vec()),
            Query::Upload(id) => Self::Upload(id.as_bytes().to_vec()),
            Query::ListEvidence { after, limit, case, recording } => {
                Self::ListEvidence(EvidenceListing {
                    after: after.map(|id| id.as_bytes().to_vec()),
                    limit: *limit as u64,
                    case_id: case.clone(),
                    recording: recording.clone(),
                })
            }
            Query::Checkpoint => Self::Checkpoint(Nothing {}),
            Query::Entries { from, limit, evidence_id, record } => Self::Entries(EntryListing {
                from: from.0,
                limit: *limit as u64,
                evidence_id: evidence_id.map(|id| id.as_bytes().to_vec()),
                record: record.clone(),
            }),
            Query::ProveInclusion(index) => Self::ProveInclusion(index.0),
            Query::ProveConsistency { old } => Self::ProveConsistency(*old),
            Query::ClusterMap { newer_than } => Self::ClusterMap(newer_than.0),
            Query::ListDamage { after, limit, evidence_id } => Self::ListDamage(DamageListing {
                after: after.as_ref().map(|(disk, key)| DamagePosition {
                    disk_id: disk.as_bytes().to_vec(),
                    key: Some(key.into()),
                }),
                limit: *limit as u64,
                evidence_id: evidence_id.map(|id| id.as_bytes().to_vec()),
            }),
            Query::MetaMembers => Self::MetaMembers(Nothing {}),
            Query::By { reader, query } => Self::By(Box::new(LedgerQueryBy {
                reader: Some(reader.into()),
                query: Some(Box::new(LedgerQuery { query: Some(query.as_ref().into()) })),
            })),
            Query::Law(query) => Self::Law(proto::LawQuery { query: Some(query.to_message()) }),
        }
    }
}

fn position_of(sent: DamagePosition) -> Result<(DiskId, custos_core::ShardKey), DecodeError> {
    const M: &str = "DamagePosition";
    let key = need(M, "key", sent.key)?.try_into()?;
    Ok((DiskId(fixed(M, "disk_id", &sent.disk_id)?), key))
}

/// Pages are capped far below what a small machine can count.
fn limit_of(sent: u64) -> usize {
    usize::try_from(sent).unwrap_or(usize::MAX)
}
