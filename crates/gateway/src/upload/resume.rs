use std::{collections::HashMap, sync::Arc};

use custos_codec::{ChunkOpener, CrownEntry, EvidenceSha256, ShardHeader};
use custos_core::{ChunkIndex, Salt};
use custos_ports::{ShardEntry, ShardError, ShardKey, ShardStore};
use futures::future::join_all;
use tracing::{info, warn};

use super::{StaleAttempts, Upload};
use crate::GatewayError;

/// Entries asked of a store at once.
const PAGE_ITEMS: usize = 256;

impl Upload {
    /// Finds what the shard stores hold of this upload: the longest prefix of full chunks of which
    /// one attempt reached the acknowledgement quorum. Needs nothing but their headers.
    pub(super) async fn resume(&mut self) -> Result<(), GatewayError> {
        self.stale_attempts = StaleAttempts::Possible;
        let mut listings = self.open_listings();
        let mut sha256_after = None;
        loop {
            let index = ChunkIndex(u32::try_from(self.crown.len()).expect("1 TiB of chunks"));
            if index == ChunkIndex::CROWN {
                break;
            }
            let found = join_all(listings.iter_mut().map(|list| list.take_chunk(index))).await;
            let entries: Vec<_> = found.into_iter().flatten().collect();
            let Some((entry, midstate)) = self.durable_attempt(index, &entries) else { break };
            self.crown.push(entry);
            sha256_after = Some(midstate);
        }
        let chunk = self.session.chunk_size.bytes() as u64;
        self.durable = self.crown.len() as u64 * chunk;
        self.received = self.durable;
        if let Some(midstate) = sha256_after {
            self.sha256 = EvidenceSha256::resume(midstate, self.durable);
        }
        info!(evidence = %self.session.evidence_id, durable = self.durable, "upload resumed");
        Ok(())
    }

    fn open_listings(&self) -> Vec<Listing> {
        (0..self.session.profile.total())
            .map(|slot| Listing {
                store: self.gateway.store(slot).clone(),
                session: (self.session.vault, self.session.evidence_id),
                after: None,
                page: Vec::new().into_iter().peekable(),
                more: true,
            })
            .collect()
    }

    fn durable_attempt(
        &self,
        index: ChunkIndex,
        entries: &[ShardEntry],
    ) -> Option<(CrownEntry, custos_codec::Sha256Midstate)> {
        let mut attempts: HashMap<Salt, Vec<&ShardEntry>> = HashMap::new();
        for entry in entries {
            attempts.entry(entry.key.salt).or_default().push(entry);
        }
        let quorum = self.session.profile.ack_quorum();
        attempts.into_iter().filter(|(_, shards)| shards.len() >= quorum).find_map(
            |(salt, shards)| shards.iter().find_map(|shard| self.read_attempt(index, salt, shard)),
        )
    }

    /// What one shard header says of its chunk; `None` when it is damaged or not a full chunk.
    fn read_attempt(
        &self,
        index: ChunkIndex,
        salt: Salt,
        shard: &ShardEntry,
    ) -> Option<(CrownEntry, custos_codec::Sha256Midstate)> {
        let header = ShardHeader::decode(&shard.header)
            .and_then(|header| {
                let id = self.session.evidence_id;
                header.expect_identity(id, index, shard.key.slot, salt).map(|()| header)
            })
            .inspect_err(|error| warn!(%error, key = ?shard.key, "damaged shard header"))
            .ok()?;
        if header.plain_len != self.session.chunk_size.bytes() {
            return None;
        }
        let progress = ChunkOpener::new(&self.key, &header)
            .progress()
            .inspect_err(|error| warn!(%error, key = ?shard.key, "damaged shard header"))
            .ok()?;
        Some((CrownEntry { cv: progress.cv, salt }, progress.sha256_after))
    }
}

/// One store's shards of the upload, in order, a page at a time.
struct Listing {
    store: Arc<dyn ShardStore>,
    session: (custos_core::VaultId, custos_core::EvidenceId),
    after: Option<ShardKey>,
    page: std::iter::Peekable<std::vec::IntoIter<ShardEntry>>,
    more: bool,
}

impl Listing {
    /// Every entry of this chunk. A store that fails shows nothing from then on.
    async fn take_chunk(&mut self, chunk: ChunkIndex) -> Vec<ShardEntry> {
        let mut found = Vec::new();
        loop {
            while let Some(entry) = self.page.next_if(|entry| entry.key.chunk <= chunk) {
                self.after = Some(entry.key);
                if entry.key.chunk == chunk {
                    found.push(entry);
                }
            }
            if self.page.peek().is_some() || !self.more {
                return found;
            }
            if let Err(error) = self.next_page().await {
                warn!(%error, "store cannot list an upload that is resumed");
                self.more = false;
            }
        }
    }

    async fn next_page(&mut self) -> Result<(), ShardError> {
        let (vault, evidence_id) = self.session;
        let page = self.store.list(vault, evidence_id, self.after, PAGE_ITEMS).await?;
        self.more = page.more;
        self.page = page.items.into_iter().peekable();
        Ok(())
    }
}
