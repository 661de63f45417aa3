//! How RocksDB is set up: small in memory, LZ4, everything checked.

use std::path::Path;

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DB, DBCompressionType, DBRecoveryMode, LogLevel,
    LruCacheOptions, Options as RocksOptions,
};

use crate::error::StoreError;

/// Blocks cached for the log and the state together.
const BLOCK_CACHE_BYTES: usize = 32 << 20;
/// The cache is cut into 4 parts, each with its own lock. RocksDB itself would make 64 of half a MiB;
/// a block larger than a part is not kept, but read and checked anew for every key.
const BLOCK_CACHE_SHARD_BITS: i32 = 2;
/// One write buffer of the log, which is never read while it is new.
const LOG_BUFFER_BYTES: usize = 8 << 20;
/// One write buffer of the state. Of its keys a few change with every command and the others come
/// in random order: the more of them go into a table at once, the less is written and merged.
const STATE_BUFFER_BYTES: usize = 16 << 20;
/// Write buffers of each database: one that is filled and one that is written.
const BUFFERS_MAX: i32 = 2;
/// Part of a buffer that tells which keys are surely not in it: most that the law looks for are not.
const BUFFER_FILTER_PART: f64 = 0.02;
/// Tables are handed to the disk in portions of this size, so that a sync of the log waits for no
/// more.
const BYTES_PER_SYNC: u64 = 1 << 20;
/// Table files that each database keeps open.
const OPEN_FILES_MAX: i32 = 256;

/// What both databases of one metastore share.
pub(crate) struct RocksSetup {
    cache: Cache,
}

impl RocksSetup {
    pub(crate) fn new() -> Self {
        let mut options = LruCacheOptions::default();
        options.set_capacity(BLOCK_CACHE_BYTES);
        options.set_num_shard_bits(BLOCK_CACHE_SHARD_BITS);
        Self { cache: Cache::new_lru_cache_opts(&options) }
    }

    /// Opens the log for reading and writing, creating it when it is missing.
    pub(crate) fn open_log(&self, path: &Path) -> Result<DB, StoreError> {
        let mut options = self.options();
        options.create_if_missing(true);
        options.set_write_buffer_size(LOG_BUFFER_BYTES);
        // What is in it is purged before long.
        options.set_compression_type(DBCompressionType::None);
        DB::open(&options, path).map_err(StoreError::rocks("open database"))
    }

    /// Opens a state for reading and writing, creating it when it is missing.
    pub(crate) fn open_state(&self, path: &Path) -> Result<DB, StoreError> {
        let mut options = self.options();
        options.create_if_missing(true);
        options.set_write_buffer_size(STATE_BUFFER_BYTES);
        options.set_memtable_prefix_bloom_ratio(BUFFER_FILTER_PART);
        options.set_memtable_whole_key_filtering(true);
        // Tables of the first level are soon merged.
        options.set_compression_per_level(&[DBCompressionType::None, DBCompressionType::Lz4]);
        DB::open(&options, path).map_err(StoreError::rocks("open database"))
    }

    /// Opens a database that is never written again, such as a snapshot.
    pub(crate) fn open_read_only(&self, path: &Path) -> Result<DB, StoreError> {
        DB::open_for_read_only(&self.options(), path, false)
            .map_err(StoreError::rocks("open snapshot"))
    }

    fn options(&self) -> RocksOptions {
        let mut tables = BlockBasedOptions::default();
        tables.set_block_cache(&self.cache);
        tables.set_bloom_filter(10.0, false);
        // In small blocks, of which those in use fit the cache however large the ledger gets: whole,
        // the filter of one table has nearly a MiB.
        tables.set_partition_filters(true);
        tables.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        tables.set_pin_top_level_index_and_filter(true);
        tables.set_cache_index_and_filter_blocks(true);
        tables.set_pin_l0_filter_and_index_blocks_in_cache(true);

        let mut options = RocksOptions::default();
        options.set_block_based_table_factory(&tables);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_max_write_buffer_number(BUFFERS_MAX);
        options.set_bytes_per_sync(BYTES_PER_SYNC);
        options.set_max_open_files(OPEN_FILES_MAX);
        options.set_max_background_jobs(2);
        options.set_paranoid_checks(true);
        // A record cut short by a crash ends the replay; what follows it was never synced.
        options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
        options.set_keep_log_file_num(4);
        options.set_max_log_file_size(1 << 20);
        options.set_log_level(LogLevel::Warn);
        options
    }
}
