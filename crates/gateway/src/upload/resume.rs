use std::{collections::HashMap, sync::Arc, time::Duration};

use custos_codec::{
    ChunkOpener, ChunkProgress, CrownEntry, EvidenceSha256, Sha256Midstate, ShardHeader,
};
use custos_core::{ChunkIndex, Salt};
use custos_ports::{ShardEntry, ShardError, ShardKey, ShardStore};
use futures::future::join_all;
use tokio::time::timeout;
use tracing::{info, warn};

use super::{StaleAttempts, Upload};
use crate::{GatewayError, error::no_answer};

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
            let Some(attempt) = self.durable_attempt(index, &entries) else { break };
            self.crown.push(attempt.entry);
            self.missing_shards = self.missing_shards.saturating_add(attempt.missing);
            sha256_after = Some(attempt.sha256_after);
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
                deadline: self.gateway.inner.options.read_deadline,
            })
            .collect()
    }

    fn durable_attempt(&self, index: ChunkIndex, entries: &[ShardEntry]) -> Option<Attempt> {
        let mut attempts: HashMap<Salt, Vec<&ShardEntry>> = HashMap::new();
        for entry in entries {
            attempts.entry(entry.key.salt).or_default().push(entry);
        }
        let profile = self.session.profile;
        attempts.into_iter().filter(|(_, shards)| shards.len() >= profile.ack_quorum()).find_map(
            |(salt, shards)| {
                let progress =
                    shards.iter().find_map(|shard| self.read_header(index, salt, shard))?;
                let missing = profile.total().saturating_sub(shards.len());
                Some(Attempt {
                    entry: CrownEntry { cv: progress.cv, salt },
                    sha256_after: progress.sha256_after,
                    missing: u32::try_from(missing).expect("at most 14"),
                })
            },
        )
    }

    /// What one shard header says of its chunk; `None` when it is damaged or not a full chunk.
    fn read_header(
        &self,
        index: ChunkIndex,
        salt: Salt,
        shard: &ShardEntry,
    ) -> Option<ChunkProgress> {
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
        ChunkOpener::new(&self.key, &header)
            .progress()
            .inspect_err(|error| warn!(%error, key = ?shard.key, "damaged shard header"))
            .ok()
    }
}

/// An attempt at a full chunk that reached the acknowledgement quorum.
struct Attempt {
    entry: CrownEntry,
    sha256_after: Sha256Midstate,
    /// Shards that no store shows.
    missing: u32,
}

/// One store's shards of the upload, in order, a page at a time.
struct Listing {
    store: Arc<dyn ShardStore>,
    session: (custos_core::VaultId, custos_core::EvidenceId),
    after: Option<ShardKey>,
    page: std::iter::Peekable<std::vec::IntoIter<ShardEntry>>,
    more: bool,
    deadline: Duration,
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
        let page = self.store.list(vault, evidence_id, self.after, PAGE_ITEMS);
        let page = timeout(self.deadline, page)
            .await
            .unwrap_or_else(|_| Err(no_answer(self.store.as_ref(), "list")))?;
        self.more = page.more;
        self.page = page.items.into_iter().peekable();
        Ok(())
    }
}
