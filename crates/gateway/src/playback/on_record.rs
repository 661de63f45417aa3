use std::collections::BTreeMap;

use custos_codec::{Crown, DataKey};
use custos_core::{ChunkIndex, EvidenceRecord, Salt, limits::PAGE_ITEMS_MAX};
use custos_ledger::{Answer, DamageRecord, Query};
use custos_ports::ShardKey;
use tracing::{Instrument, info_span, warn};

use super::{
    shard_reads::{Finding, FindingState},
    source::ChunkSource,
    view::upkeep,
};
use crate::{Gateway, GatewayError};

/// A sealed piece of evidence and what it takes to open its chunks.
struct Sealed {
    record: EvidenceRecord,
    key: DataKey,
    /// Salt of each chunk's attempt that counts.
    salts: Vec<Salt>,
}

impl Gateway {
    /// Mends in the background what is on record as damaged of this evidence, parity shards above
    /// all: a read that goes well never asks for them. Of a long record only the first page is
    /// looked at; the rest comes up when that is mended.
    pub(super) fn mend_on_record(&self, key: &DataKey, record: &EvidenceRecord, salts: &[Salt]) {
        let sealed = Sealed { record: record.clone(), key: key.clone(), salts: salts.to_vec() };
        let span = info_span!("mend_on_record", evidence = %record.evidence_id);
        let gateway = self.clone();
        let mend = async move {
            if let Err(error) = gateway.mend_sealed(&sealed).await {
                warn!(%error, "damage on record is not seen to now");
            }
        };
        tokio::spawn(mend.instrument(span));
    }

    async fn mend_sealed(&self, sealed: &Sealed) -> Result<(), GatewayError> {
        let evidence_id = Some(sealed.record.evidence_id);
        let query = Query::ListDamage { after: None, limit: PAGE_ITEMS_MAX, evidence_id };
        let Answer::Damage { items, .. } = self.query(query).await? else {
            return Err(GatewayError::unexpected("ListDamage"));
        };
        let mut chunks: BTreeMap<ChunkIndex, (ChunkSource, Vec<Finding>)> = BTreeMap::new();
        for DamageRecord { disk_id: disk, damage, .. } in items {
            let Some(source) = sealed.source(&damage.key) else { continue };
            let (slot, what) = (damage.key.slot, damage.what);
            let finding = Finding { slot, disk, what, state: FindingState::Damaged };
            chunks.entry(source.chunk).or_insert((source, Vec::new())).1.push(finding);
        }
        if chunks.is_empty() {
            return Ok(());
        }
        let homes = self.homes(sealed.record.vault, sealed.record.profile).await?;
        for (source, mut findings) in chunks.into_values() {
            findings.retain(|found| homes.slots().any(|home| home == (found.slot, found.disk)));
            self.mend(&sealed.key, source, findings);
        }
        Ok(())
    }
}

impl Sealed {
    /// The chunk that a shard belongs to; `None` when it is of other evidence or of an attempt that
    /// does not count.
    fn source(&self, shard: &ShardKey) -> Option<ChunkSource> {
        let EvidenceRecord { evidence_id, vault, profile, chunk_size, .. } = self.record;
        let size = self.record.parts.size;
        let (salt, plain_len) = if shard.chunk == ChunkIndex::CROWN {
            let chunks = chunk_size.chunk_count(size);
            // Evidence of one chunk has no crown.
            let head = self.record.parts.head_salt.filter(|_| chunks > 1)?;
            (head, Crown::encoded_len(chunks))
        } else {
            let salt = *self.salts.get(usize::try_from(shard.chunk.0).ok()?)?;
            (salt, chunk_size.chunk_len(shard.chunk.0, size))
        };
        let upkeep = upkeep(&self.record);
        let chunk = shard.chunk;
        let source = ChunkSource { evidence_id, vault, profile, chunk, salt, plain_len, upkeep };
        (source.key(shard.slot) == *shard).then_some(source)
    }
}
