use std::collections::HashMap;
use std::path::Path;

use custos_core::{ChunkIndex, EvidenceId, VaultId};
use custos_ports::{ShardEntry, ShardKey, ShardPage};
use parking_lot::Mutex;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, Direction, IteratorMode, LogLevel,
    ReadOptions, WriteBatch,
};

use crate::DiskId;
use crate::extent_header::RetentionMonth;
use crate::index_entry::{
    INDEX_VERSION, IndexEntry, KEY_BYTES, decode_key, encode_key, evidence_prefix,
};
use crate::record::array;

const META_KEY: &[u8] = b"m";
const COUNTERS_KEY: &[u8] = b"c";
const CHECKPOINT_BYTES: usize = 17;

/// How far the index knows an extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The index covers the blocks before this one.
    pub(crate) end_block: u32,
    /// Highest sequence number seen in them.
    pub(crate) sequence_max: u64,
    /// Retention month of the extent, unless its header is damaged.
    pub(crate) month: Option<RetentionMonth>,
}

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
    },
}

/// How much the index holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    pub(crate) shards: u64,
    pub(crate) payload_bytes: u64,
}

/// The index cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct IndexError(String);

impl From<rocksdb::Error> for IndexError {
    fn from(error: rocksdb::Error) -> Self {
        Self(error.into_string())
    }
}

/// What is known of one key: sequence number and payload length of the entry, and the sequence
/// number of its last tombstone.
#[derive(Clone, Copy)]
struct Fate {
    present: Option<(u64, u32)>,
    ended: u64,
}

/// Where each shard lies: a cache of what the extents say.
///
/// Its own log is not synced: what a loss of power takes from it is a suffix, and the extents are
/// scanned from its checkpoints on.
pub(crate) struct Index {
    db: DB,
    counters: Mutex<Counters>,
}

impl Index {
    /// Opens the index of disk `id`, or makes an empty one where there is none that can be used.
    pub(crate) fn open(dir: &Path, id: DiskId, cache_bytes: usize) -> Result<Self, IndexError> {
        match Self::open_existing(dir, id, cache_bytes) {
            Ok(Some(index)) => return Ok(index),
            Ok(None) => tracing::info!(dir = %dir.display(), "no index; rebuilding it"),
            Err(reason) => {
                tracing::warn!(dir = %dir.display(), %reason, "index unusable; rebuilding it");
            }
        }
        if let Err(error) = std::fs::remove_dir_all(dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(IndexError(format!("cannot remove the old one: {error}")));
        }
        let db = open_db(dir, cache_bytes)?;
        db.put(META_KEY, meta_value(id))?;
        Ok(Self { db, counters: Mutex::default() })
    }

    fn open_existing(
        dir: &Path,
        id: DiskId,
        cache_bytes: usize,
    ) -> Result<Option<Self>, IndexError> {
        if !dir.exists() {
            return Ok(None);
        }
        let db = open_db(dir, cache_bytes)?;
        match db.get(META_KEY)? {
            None => return Ok(None),
            Some(meta) if meta == meta_value(id) => {}
            Some(_) => return Err(IndexError("it is of another disk or version".into())),
        }
        let counters = match db.get(COUNTERS_KEY)? {
            None => Counters::default(),
            Some(bytes) if bytes.len() == 16 => Counters {
                shards: u64::from_le_bytes(array(&bytes, 0)),
                payload_bytes: u64::from_le_bytes(array(&bytes, 8)),
            },
            Some(_) => return Err(IndexError("its counters are damaged".into())),
        };
        Ok(Some(Self { db, counters: Mutex::new(counters) }))
    }

    pub(crate) fn counters(&self) -> Counters {
        *self.counters.lock()
    }

    pub(crate) fn get(&self, key: &ShardKey) -> Result<Option<IndexEntry>, IndexError> {
        let Some(value) = self.db.get_pinned(encode_key(key))? else {
            return Ok(None);
        };
        let entry = IndexEntry::decode(&value);
        entry.map(Some).ok_or_else(|| IndexError(format!("its entry of {key:?} is damaged")))
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

    fn entries(
        &self,
        start: Vec<u8>,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<ShardEntry, IndexError>> {
        let prefix = prefix.to_vec();
        let mode = IteratorMode::From(&start, Direction::Forward);
        self.db
            .iterator_opt(mode, ReadOptions::default())
            .take_while(move |item| match item {
                Ok((key, _)) => key.starts_with(&prefix),
                Err(_) => true,
            })
            .map(|item| {
                let (key, value) = item?;
                let shard = decode_key(&key)
                    .and_then(|key| Some(IndexEntry::decode(&value)?.to_shard_entry(key)));
                shard.ok_or_else(|| IndexError("one of its entries is damaged".into()))
            })
    }

    /// Every extent that the index knows.
    pub(crate) fn checkpoints(&self) -> Result<HashMap<u64, Checkpoint>, IndexError> {
        let mut found = HashMap::new();
        let mode = IteratorMode::From(b"e", Direction::Forward);
        for item in self.db.iterator(mode) {
            let (key, value) = item?;
            if key.first() != Some(&b'e') {
                break;
            }
            if key.len() != 9 || value.len() != CHECKPOINT_BYTES {
                return Err(IndexError("one of its checkpoints is damaged".into()));
            }
            let checkpoint = Checkpoint {
                end_block: u32::from_le_bytes(array(&value, 0)),
                sequence_max: u64::from_le_bytes(array(&value, 4)),
                month: (value[16] == 1)
                    .then(|| RetentionMonth(i32::from_le_bytes(array(&value, 12)))),
            };
            found.insert(u64::from_be_bytes(array(&key, 1)), checkpoint);
        }
        Ok(found)
    }

    /// Applies changes and checkpoints as one. Only one thread at a time may call it.
    pub(crate) fn apply(
        &self,
        changes: impl IntoIterator<Item = IndexChange>,
        checkpoints: &[(u64, Checkpoint)],
    ) -> Result<(), IndexError> {
        let mut batch = WriteBatch::default();
        let mut counters = self.counters();
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
            let present = fate.present.map_or(0, |(present, _)| present);
            if sequence <= present.max(fate.ended) {
                continue;
            }
            if let Some((_, len)) = fate.present {
                counters.shards = counters.shards.saturating_sub(1);
                counters.payload_bytes = counters.payload_bytes.saturating_sub(u64::from(len));
            }
            match change {
                IndexChange::Put { entry, .. } => {
                    counters.shards += 1;
                    counters.payload_bytes += u64::from(entry.payload_len);
                    batch.put(encode_key(&key), entry.encode());
                    fate.present = Some((sequence, entry.payload_len));
                }
                IndexChange::Remove { .. } => {
                    batch.delete(encode_key(&key));
                    batch.put(tombstone_key(&key), sequence.to_le_bytes());
                    fate = Fate { present: None, ended: sequence };
                }
            }
            decided.insert(key, fate);
        }
        for (number, checkpoint) in checkpoints {
            let mut key = [b'e'; 9];
            key[1..].copy_from_slice(&number.to_be_bytes());
            let mut value = [0; CHECKPOINT_BYTES];
            value[..4].copy_from_slice(&checkpoint.end_block.to_le_bytes());
            value[4..12].copy_from_slice(&checkpoint.sequence_max.to_le_bytes());
            if let Some(month) = checkpoint.month {
                value[12..16].copy_from_slice(&month.0.to_le_bytes());
                value[16] = 1;
            }
            batch.put(key, value);
        }
        let mut value = [0; 16];
        value[..8].copy_from_slice(&counters.shards.to_le_bytes());
        value[8..].copy_from_slice(&counters.payload_bytes.to_le_bytes());
        batch.put(COUNTERS_KEY, value);
        self.db.write(batch)?;
        *self.counters.lock() = counters;
        Ok(())
    }

    fn fate(&self, key: &ShardKey) -> Result<Fate, IndexError> {
        let present = self.get(key)?.map(|entry| (entry.sequence, entry.payload_len));
        let ended = match self.db.get_pinned(tombstone_key(key))? {
            None => 0,
            Some(value) if value.len() == 8 => u64::from_le_bytes(array(&value, 0)),
            Some(_) => return Err(IndexError("one of its tombstones is damaged".into())),
        };
        Ok(Fate { present, ended })
    }

    /// Makes everything applied so far durable.
    pub(crate) fn flush(&self) -> Result<(), IndexError> {
        Ok(self.db.flush()?)
    }
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

/// Small on purpose: a node has many disks, each with an index of its own.
fn open_db(dir: &Path, cache_bytes: usize) -> Result<DB, rocksdb::Error> {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(cache_bytes));
    table.set_bloom_filter(10.0, false);
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_write_buffer_size(4 << 20);
    options.set_max_write_buffer_number(2);
    options.set_max_total_wal_size(16 << 20);
    options.set_max_open_files(64);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_log_level(LogLevel::Warn);
    DB::open(&options, dir)
}
