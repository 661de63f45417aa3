use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use custos_core::{ChunkIndex, EvidenceId, VaultId};
use custos_ports::{ShardEntry, ShardKey, ShardPage};
use parking_lot::Mutex;

use crate::DiskId;
use crate::books::{Books, ChangedBooks, Counters};
use crate::extent_book::{Checkpoint, ExtentBook};
use crate::fullness::Holdings;
use crate::index_entry::{
    INDEX_VERSION, IndexEntry, KEY_BYTES, decode_key, encode_key, evidence_prefix,
};
use crate::index_store::{IndexBatch, IndexError, IndexMedium, IndexStore};
use crate::quarantine::UnknownBlocks;
use crate::record::array;
use crate::tombstone::Tombstone;

const META_KEY: &[u8] = b"m";
const COUNTERS_KEY: &[u8] = b"c";

/// One change of the index. Changes may come in any order: the higher sequence number wins.
#[derive(Debug, Clone)]
pub(crate) enum IndexChange {
    Put {
        key: ShardKey,
        entry: IndexEntry,
    },
    /// Ends every entry of this key whose sequence number is lower, those still to come too.
    Remove {
        key: ShardKey,
        sequence: u64,
        /// Where the tombstone lies.
        extent: u64,
    },
}

/// What is known of one key.
#[derive(Clone, Copy)]
struct Fate {
    present: Option<Present>,
    ended: Option<Tombstone>,
}

/// What is known of the entry of a key.
#[derive(Clone, Copy)]
struct Present {
    sequence: u64,
    payload_len: u32,
    extent: u64,
    blocks: u32,
}

impl Present {
    fn of(entry: &IndexEntry) -> Self {
        Self {
            sequence: entry.sequence,
            payload_len: entry.payload_len,
            extent: entry.place.extent,
            blocks: entry.total_blocks(),
        }
    }
}

/// Where each shard lies: a cache of what the extents say.
///
/// It is not synced by itself: what a crash takes from it is a suffix, and the extents are scanned
/// from its checkpoints on.
pub(crate) struct Index {
    store: Box<dyn IndexStore>,
    books: Mutex<Books>,
}

impl Index {
    /// Opens the index of disk `id`, or makes an empty one where there is none that can be used.
    pub(crate) fn open(medium: &dyn IndexMedium, id: DiskId) -> Result<Self, IndexError> {
        match Self::open_existing(medium, id) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => tracing::info!(?medium, "no index; rebuilding it"),
            Err(reason) => {
                tracing::warn!(?medium, %reason, "index unusable; rebuilding it");
            }
        }
        Self::make(medium, id)
    }

    /// Makes an empty index of disk `id` in place of the one that is there.
    pub(crate) fn make(medium: &dyn IndexMedium, id: DiskId) -> Result<Self, IndexError> {
        let store = medium.make()?;
        store.write(vec![(META_KEY.to_vec(), Some(meta_value(id)))])?;
        Ok(Self { store, books: Mutex::default() })
    }

    fn open_existing(medium: &dyn IndexMedium, id: DiskId) -> Result<Option<Self>, IndexError> {
        let Some(store) = medium.open()? else { return Ok(None) };
        match store.get(META_KEY)? {
            None => return Ok(None),
            Some(meta) if meta == meta_value(id) => {}
            Some(_) => return Err(IndexError::Damaged("it is of another disk or version".into())),
        }
        let counters = match store.get(COUNTERS_KEY)? {
            None => Counters::default(),
            Some(bytes) => Counters::decode(&bytes)
                .ok_or_else(|| IndexError::Damaged("its counters are damaged".into()))?,
        };
        let mut books = Books { counters, ..Books::default() };
        for item in store.scan(b"e") {
            let (key, value) = item?;
            if key.first() != Some(&b'e') {
                break;
            }
            let book = ExtentBook::decode(&value).filter(|_| key.len() == 9);
            let book =
                book.ok_or_else(|| IndexError::Damaged("one of its books is damaged".into()))?;
            books.put(u64::from_be_bytes(array(&key, 1)), book);
        }
        Ok(Some(Self { store, books: Mutex::new(books) }))
    }

    pub(crate) fn counters(&self) -> Counters {
        self.books.lock().counters
    }

    /// What the disk has of its own; nothing is known here of space that holds no records.
    pub(crate) fn holdings(&self) -> Holdings {
        let books = self.books.lock();
        let files = books.extents.len() as u64;
        Holdings { held_bytes: books.held_bytes, files, ..Holdings::default() }
    }

    pub(crate) fn book(&self, extent: u64) -> Option<ExtentBook> {
        self.books.lock().extents.get(&extent).copied()
    }

    /// Looks at the books of all extents. Keeps other calls waiting meanwhile.
    pub(crate) fn with_books<T>(&self, look: impl FnOnce(&BTreeMap<u64, ExtentBook>) -> T) -> T {
        look(&self.books.lock().extents)
    }

    /// Has a book for an extent that is there and could not be read, until the disk is closed.
    pub(crate) fn note_unread(&self, extent: u64) {
        self.books.lock().extents.entry(extent).or_default();
    }

    pub(crate) fn get(&self, key: &ShardKey) -> Result<Option<IndexEntry>, IndexError> {
        let Some(value) = self.store.get(&encode_key(key))? else {
            return Ok(None);
        };
        let entry = IndexEntry::decode(&value);
        entry
            .map(Some)
            .ok_or_else(|| IndexError::Damaged(format!("its entry of {key:?} is damaged")))
    }

    /// The shards of one evidence item after `after`, at most `limit`.
    pub(crate) fn list(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, IndexError> {
        let prefix = evidence_prefix(vault, evidence_id);
        let start = match after {
            Some(key) => {
                let mut start = encode_key(&key).to_vec();
                start.push(0);
                start.max(prefix.to_vec())
            }
            None => prefix.to_vec(),
        };
        let mut items = Vec::new();
        for item in self.entries(start, &prefix) {
            if items.len() == limit {
                return Ok(ShardPage { items, more: true });
            }
            items.push(item?);
        }
        Ok(ShardPage { items, more: false })
    }

    /// Every shard of one chunk.
    pub(crate) fn list_chunk(
        &self,
        vault: VaultId,
        evidence_id: EvidenceId,
        chunk: ChunkIndex,
    ) -> Result<Vec<ShardEntry>, IndexError> {
        let mut prefix = evidence_prefix(vault, evidence_id).to_vec();
        prefix.extend_from_slice(&chunk.0.to_be_bytes());
        self.entries(prefix.clone(), &prefix).collect()
    }

    /// Up to `limit` shards of one vault, or of all, from the first one after `after` on.
    pub(crate) fn list_all(
        &self,
        vault: Option<VaultId>,
        after: Option<ShardKey>,
        limit: usize,
    ) -> Result<ShardPage, IndexError> {
        let mut prefix = vec![b's'];
        if let Some(vault) = vault {
            prefix.extend_from_slice(&vault.0.to_be_bytes());
        }
        let start = after.map_or_else(
            || prefix.clone(),
            |after| {
                let mut start = encode_key(&after).to_vec();
                start.push(0);
                start.max(prefix.clone())
            },
        );
        let mut items = Vec::new();
        for item in self.entries(start, &prefix) {
            if items.len() == limit {
                return Ok(ShardPage { items, more: true });
            }
            items.push(ShardEntry { header: Bytes::new(), ..item? });
        }
        Ok(ShardPage { items, more: false })
    }

    fn entries(
        &self,
        start: Vec<u8>,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<ShardEntry, IndexError>> {
        let prefix = prefix.to_vec();
        self.store
            .scan(&start)
            .take_while(move |item| match item {
                Ok((key, _)) => key.starts_with(&prefix),
                Err(_) => true,
            })
            .map(|item| {
                let (key, value) = item?;
                let shard = decode_key(&key)
                    .and_then(|key| Some(IndexEntry::decode(&value)?.to_shard_entry(key)));
                shard.ok_or_else(|| IndexError::Damaged("one of its entries is damaged".into()))
            })
    }

    /// Every extent that the index knows to some block.
    pub(crate) fn checkpoints(&self) -> HashMap<u64, Checkpoint> {
        let books = self.books.lock();
        let known = |(extent, book): (&u64, &ExtentBook)| Some((*extent, book.checkpoint?));
        books.extents.iter().filter_map(known).collect()
    }

    /// Applies changes and checkpoints as one. Only one thread at a time may call it.
    pub(crate) fn apply(
        &self,
        changes: impl IntoIterator<Item = IndexChange>,
        checkpoints: &[(u64, Checkpoint)],
    ) -> Result<(), IndexError> {
        let mut batch = IndexBatch::new();
        let mut counters = self.counters();
        let mut changed = BTreeMap::new();
        let mut books =
            ChangedBooks::new(&mut changed, |extent| self.book(extent).unwrap_or_default());
        let mut decided: HashMap<ShardKey, Fate> = HashMap::new();
        for change in changes {
            let (IndexChange::Put { key, .. } | IndexChange::Remove { key, .. }) = &change;
            let key = *key;
            let mut fate = match decided.get(&key) {
                Some(fate) => *fate,
                None => self.fate(&key)?,
            };
            let sequence = match &change {
                IndexChange::Put { entry, .. } => entry.sequence,
                IndexChange::Remove { sequence, .. } => *sequence,
            };
            let present = fate.present.map_or(0, |present| present.sequence);
            let ended = fate.ended.map_or(0, |ended| ended.sequence);
            if sequence <= present.max(ended) && !planted!(ForgetSequence) {
                continue;
            }
            if let Some(before) = fate.present {
                counters.shards = counters.shards.saturating_sub(1);
                let len = u64::from(before.payload_len);
                counters.payload_bytes = counters.payload_bytes.saturating_sub(len);
                books.of(before.extent).drop_shard(before.blocks);
            }
            if let Some(before) = fate.ended {
                let book = books.of(before.extent);
                book.tombstones = book.tombstones.saturating_sub(1);
            }
            match change {
                IndexChange::Put { entry, .. } => {
                    let now = Present::of(&entry);
                    counters.shards += 1;
                    counters.payload_bytes += u64::from(entry.payload_len);
                    books.of(now.extent).add_shard(now.blocks);
                    batch.push((encode_key(&key).to_vec(), Some(entry.encode())));
                    if fate.ended.is_some() {
                        // What the tombstone ended is older than this too.
                        batch.push((tombstone_key(&key).to_vec(), None));
                    }
                    fate = Fate { present: Some(now), ended: None };
                }
                IndexChange::Remove { extent, .. } => {
                    books.of(extent).tombstones += 1;
                    let tombstone = Tombstone { sequence, extent };
                    batch.push((encode_key(&key).to_vec(), None));
                    let value = tombstone.encode().to_vec();
                    batch.push((tombstone_key(&key).to_vec(), Some(value)));
                    fate = Fate { present: None, ended: Some(tombstone) };
                }
            }
            decided.insert(key, fate);
        }
        for (number, checkpoint) in checkpoints {
            books.of(*number).checkpoint = Some(*checkpoint);
        }
        let values = changed.iter().map(|(extent, book)| (*extent, Some(book.encode().to_vec())));
        batch.extend(values.map(|(extent, value)| (book_key(extent).to_vec(), value)));
        batch.push((COUNTERS_KEY.to_vec(), Some(counters.encode().to_vec())));
        self.store.write(batch)?;
        let mut books = self.books.lock();
        books.counters = counters;
        changed.into_iter().for_each(|(extent, book)| books.put(extent, book));
        Ok(())
    }

    /// Forgets an extent that is to be removed, and those of its tombstones that are needed no
    /// more; durably, so that it is not missed when it is gone. Only one thread at a time may call
    /// it.
    pub(crate) fn forget_extent(
        &self,
        extent: u64,
        tombstones: &[ShardKey],
    ) -> Result<(), IndexError> {
        let mut batch: IndexBatch =
            tombstones.iter().map(|key| (tombstone_key(key).to_vec(), None)).collect();
        batch.push((book_key(extent).to_vec(), None));
        self.store.write(batch)?;
        self.store.flush()?;
        let mut books = self.books.lock();
        books.remove(extent);
        Ok(())
    }

    /// The tombstone that is the last word on a key, if one is.
    pub(crate) fn tombstone(&self, key: &ShardKey) -> Result<Option<Tombstone>, IndexError> {
        match self.store.get(&tombstone_key(key))? {
            None => Ok(None),
            Some(value) => match Tombstone::decode(&value) {
                Some(tombstone) => Ok(Some(tombstone)),
                None => Err(IndexError::Damaged("one of its tombstones is damaged".into())),
            },
        }
    }

    fn fate(&self, key: &ShardKey) -> Result<Fate, IndexError> {
        let present = self.get(key)?.map(|entry| Present::of(&entry));
        Ok(Fate { present, ended: self.tombstone(key)? })
    }

    /// Notes blocks that belong to no record. Before the checkpoint that covers them: noting them
    /// twice is fine, not at all is not.
    pub(crate) fn add_unknown(&self, unknown: &[UnknownBlocks]) -> Result<(), IndexError> {
        if unknown.is_empty() {
            return Ok(());
        }
        let pairs = unknown.iter().map(UnknownBlocks::encode);
        self.store.write(pairs.map(|(key, value)| (key, Some(value))).collect())
    }

    /// Everything so noted.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = Result<UnknownBlocks, IndexError>> {
        let is_note = |key: &[u8]| key.starts_with(&UnknownBlocks::PREFIX);
        let pairs = self.store.scan(&UnknownBlocks::PREFIX);
        pairs.take_while(move |pair| pair.as_ref().map_or(true, |(key, _)| is_note(key))).map(
            |pair| {
                let (key, value) = pair?;
                let unknown = UnknownBlocks::decode(&key, &value);
                unknown.ok_or_else(|| {
                    IndexError::Damaged("one of its quarantine notes is damaged".into())
                })
            },
        )
    }

    /// Makes everything applied so far durable.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        self.store.flush()
    }
}

fn book_key(extent: u64) -> [u8; 9] {
    let mut key = [b'e'; 9];
    key[1..].copy_from_slice(&extent.to_be_bytes());
    key
}

fn tombstone_key(key: &ShardKey) -> [u8; KEY_BYTES] {
    let mut out = encode_key(key);
    out[0] = b't';
    out
}

fn meta_value(id: DiskId) -> Vec<u8> {
    let mut value = vec![INDEX_VERSION];
    value.extend_from_slice(id.as_bytes());
    value
}
