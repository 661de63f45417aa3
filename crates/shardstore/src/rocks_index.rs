use std::path::{Path, PathBuf};

use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, Direction, ErrorKind, IteratorMode, LogLevel,
    ReadOptions, WriteBatch,
};

use crate::index_store::{IndexBatch, IndexError, IndexMedium, IndexPair, IndexStore};

/// A folder with an index in RocksDB.
#[derive(Debug)]
pub(crate) struct RocksIndexFolder {
    dir: PathBuf,
    cache_bytes: usize,
}

impl RocksIndexFolder {
    pub(crate) fn new(dir: PathBuf, cache_bytes: usize) -> Self {
        Self { dir, cache_bytes }
    }
}

impl IndexMedium for RocksIndexFolder {
    fn open(&self) -> Result<Option<Box<dyn IndexStore>>, IndexError> {
        if !self.dir.exists() {
            return Ok(None);
        }
        Ok(Some(Box::new(RocksIndex { db: open_db(&self.dir, self.cache_bytes)? })))
    }

    fn make(&self) -> Result<Box<dyn IndexStore>, IndexError> {
        if let Err(error) = std::fs::remove_dir_all(&self.dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(IndexError::Failed(format!("cannot remove the old one: {error}")));
        }
        Ok(Box::new(RocksIndex { db: open_db(&self.dir, self.cache_bytes)? }))
    }
}

/// Its own log is not synced: what a loss of power takes from it is a suffix.
struct RocksIndex {
    db: DB,
}

impl From<rocksdb::Error> for IndexError {
    fn from(error: rocksdb::Error) -> Self {
        let kind = error.kind();
        let reason = error.into_string();
        // RocksDB tells a lack of space apart only in words.
        let lacks_space = ["No space left", "Disk quota exceeded"];
        match kind {
            ErrorKind::Corruption => Self::Damaged(reason),
            _ if lacks_space.iter().any(|words| reason.contains(words)) => Self::NoSpace(reason),
            _ => Self::Failed(reason),
        }
    }
}

impl IndexStore for RocksIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.db.get(key)?)
    }

    fn scan<'a>(
        &'a self,
        start: &[u8],
    ) -> Box<dyn Iterator<Item = Result<IndexPair, IndexError>> + 'a> {
        let mode = IteratorMode::From(start, Direction::Forward);
        let pairs = self.db.iterator_opt(mode, ReadOptions::default());
        Box::new(pairs.map(|pair| pair.map_err(IndexError::from)))
    }

    fn write(&self, batch: IndexBatch) -> Result<(), IndexError> {
        let mut changes = WriteBatch::default();
        for (key, value) in batch {
            match value {
                Some(value) => changes.put(key, value),
                None => changes.delete(key),
            }
        }
        Ok(self.db.write(changes)?)
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(self.db.flush()?)
    }
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
