use custos_core::{ChunkIndex, DiskId, EvidenceId, VaultId};
use custos_ports::{ShardEntry, ShardError, ShardKey};
use tracing::warn;

use crate::stores::StoreAccess;

/// Entries asked of a store at once.
const PAGE_ITEMS: usize = 256;

/// One store's shards of an upload, in order, a page at a time.
pub(super) struct Listing {
    store: StoreAccess,
    upload: (VaultId, EvidenceId),
    after: Option<ShardKey>,
    page: std::iter::Peekable<std::vec::IntoIter<ShardEntry>>,
    state: ListingState,
}

/// How far a listing got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListingState {
    More,
    Ended,
    /// The store does not answer: what it holds is not known.
    Failed,
}

impl Listing {
    pub(super) fn new(store: StoreAccess, upload: (VaultId, EvidenceId)) -> Self {
        let page = Vec::new().into_iter().peekable();
        Self { store, upload, after: None, page, state: ListingState::More }
    }

    pub(super) fn disk(&self) -> DiskId {
        self.store.disk()
    }

    /// Every entry of this chunk. A store that fails shows nothing from then on.
    pub(super) async fn take_chunk(&mut self, chunk: ChunkIndex) -> Vec<ShardEntry> {
        let mut found = Vec::new();
        loop {
            while let Some(entry) = self.page.next_if(|entry| entry.key.chunk <= chunk) {
                self.after = Some(entry.key);
                if entry.key.chunk == chunk {
                    found.push(entry);
                }
            }
            if self.page.peek().is_some() || self.state != ListingState::More {
                return found;
            }
            if let Err(error) = self.next_page().await {
                warn!(%error, "store cannot list an upload that is resumed");
                self.state = ListingState::Failed;
            }
        }
    }

    async fn next_page(&mut self) -> Result<(), ShardError> {
        let (vault, evidence_id) = self.upload;
        let page = self.store.list(vault, evidence_id, self.after, PAGE_ITEMS).await?;
        self.state = if page.more { ListingState::More } else { ListingState::Ended };
        self.page = page.items.into_iter().peekable();
        Ok(())
    }
}
